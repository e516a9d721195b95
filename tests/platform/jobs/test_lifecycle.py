from datetime import timedelta

from fairground.platform.jobs.lifecycle import BACKOFF_MAX, backoff


def test_back_off_doubles_up_to_an_hour() -> None:
    assert [backoff(attempt, share=1).total_seconds() for attempt in (1, 2, 3, 11)] == [2, 4, 8, 2048]
    assert backoff(12, share=1) == backoff(1000, share=1) == BACKOFF_MAX
    assert backoff(2, share=0.5) == timedelta(seconds=2)
