import itertools

from fairground.platform.cache.redis.breaker import Breaker
from tests.platform.cache.redis.rig import Clock


def failures_until_open(breaker: Breaker) -> int:
    return next(count for count in itertools.count(1) if _fails_and_opens(breaker))


def _fails_and_opens(breaker: Breaker) -> bool:
    breaker.failed()
    return breaker.is_open


def test_five_failures_in_a_row_open_the_breaker() -> None:
    breaker = Breaker()
    assert failures_until_open(breaker) == 5
    breaker.reset()
    assert not breaker.is_open


def test_a_success_ends_the_row() -> None:
    breaker = Breaker()
    for _ in range(50):
        breaker.succeeded()
    for _ in range(4):
        breaker.failed()
        breaker.succeeded()
        breaker.failed()
    assert not breaker.is_open


def test_half_of_the_calls_of_two_seconds_open_the_breaker() -> None:
    clock = Clock()
    breaker = Breaker(clock=clock)
    for _ in range(4):
        breaker.succeeded()
        breaker.failed()
    clock.now += 1
    breaker.succeeded()
    assert failures_until_open(breaker) == 1


def test_what_failed_long_ago_is_forgotten() -> None:
    clock = Clock()
    breaker = Breaker(clock=clock)
    for _ in range(4):
        breaker.succeeded()
        breaker.failed()
    clock.now += 2
    for _ in range(2):
        breaker.succeeded()
        breaker.failed()
    assert not breaker.is_open
