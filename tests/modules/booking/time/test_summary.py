"""A published availability summary includes every booking up to the horizon."""

from datetime import time, timedelta

import pytest

from fairground.contracts.booking import AvailabilitySummarySet, WeeklyHours
from fairground.verticals.loader import load_verticals
from tests.modules.booking.rig import Rig

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("days_before_horizon", [0, 1, 2, 30])
async def test_day_that_is_booked_out_near_the_horizon_is_not_free(rig: Rig, days_before_horizon: int) -> None:
    pack = load_verticals().find("tutors")
    assert pack is not None
    now = await rig.now()
    # One start a day, which the horizon reaches on its last day too.
    hours = [WeeklyHours(weekday=day, start=time(now.hour), end=time((now.hour + 1) % 24)) for day in range(7)]
    offer = rig.catalog.add_service(await rig.provider(weekly=hours))
    hour = now.replace(minute=0, second=0, microsecond=0)
    booking = await rig.hold(offer, starts_at=hour + timedelta(days=pack.booking.horizon_days - days_before_horizon))
    await rig.parts.summaries.publish(provider_id=offer.provider_id)
    (published,) = rig.emitted(AvailabilitySummarySet)
    assert published.week == [time(now.hour)] * 7
    assert published.days[booking.starts_at.date()] is None
    assert published.days.get(booking.starts_at.date() - timedelta(days=1), time(now.hour)) == time(now.hour)
