from datetime import timedelta

import pytest

from fairground.kernel.messages import Job
from fairground.modules.booking.deals.transitions import RefundPayment, ReleasePayment
from tests.support.retries import shortest_retry_time


@pytest.mark.parametrize("job", [ReleasePayment, RefundPayment])
def test_money_is_given_back_after_an_outage_of_two_days(job: type[Job]) -> None:
    assert shortest_retry_time(job) >= timedelta(days=2)
