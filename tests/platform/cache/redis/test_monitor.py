import itertools

from fairground.platform.cache.redis.monitor import CircuitBreaker
from tests.platform.cache.redis.rig import Clock


def failures_until_open(breaker: CircuitBreaker) -> int:
    return next(count for count in itertools.count(1) if _fails_and_opens(breaker))


def _fails_and_opens(breaker: CircuitBreaker) -> bool:
    breaker.record_failure()
    return breaker.is_open


def test_five_failures_in_a_row_open_the_breaker() -> None:
    breaker = CircuitBreaker()
    assert failures_until_open(breaker) == 5
    breaker.reset()
    assert not breaker.is_open


def test_success_ends_a_row_of_failures() -> None:
    breaker = CircuitBreaker()
    for _ in range(50):
        breaker.record_success()
    for _ in range(4):
        breaker.record_failure()
        breaker.record_success()
        breaker.record_failure()
    assert not breaker.is_open


def test_half_of_the_calls_of_two_seconds_open_the_breaker() -> None:
    clock = Clock()
    breaker = CircuitBreaker(clock=clock)
    for _ in range(4):
        breaker.record_success()
        breaker.record_failure()
    clock.now += 1
    breaker.record_success()
    assert failures_until_open(breaker) == 1


def test_failures_older_than_two_seconds_do_not_count() -> None:
    clock = Clock()
    breaker = CircuitBreaker(clock=clock)
    for _ in range(4):
        breaker.record_success()
        breaker.record_failure()
    clock.now += 2
    for _ in range(2):
        breaker.record_success()
        breaker.record_failure()
    assert not breaker.is_open
