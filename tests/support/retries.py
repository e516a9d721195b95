"""For how long a job that keeps failing is retried."""

from datetime import timedelta

from fairground.kernel.messages import Job
from fairground.platform.jobs.lifecycle import BACKOFF_SHARES, backoff


def shortest_retry_time(job: type[Job]) -> timedelta:
    """Return the time from the first attempt of a job to its last, if every random delay is the shortest."""
    share = min(BACKOFF_SHARES)
    return sum((backoff(attempt, share=share) for attempt in range(1, job.max_attempts)), timedelta())
