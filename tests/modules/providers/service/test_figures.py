from itertools import permutations
from uuid import UUID

import pytest

from fairground.contracts.booking import AvailabilityRulesSet, BookingCompleted
from fairground.contracts.discovery import ProviderQuery
from fairground.contracts.reviews import ProviderRated
from fairground.kernel.ids import uuid7
from tests.support.directory import Directory
from tests.support.providers import Desk


def completed(provider_id: UUID, count: int) -> BookingCompleted:
    return BookingCompleted(
        booking_id=uuid7(), customer_id=uuid7(), provider_id=provider_id, provider_completed_count=count
    )


@pytest.mark.parametrize("order", [*permutations((1, 2, 3))])
async def test_late_and_double_events_leave_the_newest_figures(
    desk: Desk, catalog: Directory, order: tuple[int, ...]
) -> None:
    provider = await desk.approved()
    for version in (*order, order[0]):
        await catalog.record_completion(completed(provider.id, version))
        await catalog.record_rating(
            ProviderRated(provider_id=provider.id, rating_sum=4 * version + 1, rating_count=version)
        )
        await catalog.record_hours(
            AvailabilityRulesSet(provider_id=provider.id, has_hours=version == 3, version=version)
        )
    [card] = (await catalog.search_providers(query=ProviderQuery())).data
    assert (card.book_count, card.rating_count, card.rating) == (3, 3, 4.33)
    view = await catalog.get_provider_for_review(provider_id=provider.id)
    assert view.missing == ["has_service"]


async def test_an_event_about_nobody_changes_nothing(catalog: Directory) -> None:
    await catalog.record_completion(completed(uuid7(), 1))
    assert (await catalog.search_providers(query=ProviderQuery())).total == 0
