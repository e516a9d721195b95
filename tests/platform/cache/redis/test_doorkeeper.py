from fairground.platform.cache.redis.doorkeeper import Doorkeeper
from tests.platform.cache.redis.rig import Clock


def test_what_is_asked_for_once_stays_a_minute_and_what_is_asked_for_again_its_whole_time() -> None:
    clock = Clock()
    doorkeeper = Doorkeeper(clock=clock)
    doorkeeper.saw("list")
    clock.now += 1
    doorkeeper.saw("list")  # the same request, which looks again before it computes
    assert doorkeeper.stay_seconds("list", ttl_seconds=3600) == 60
    assert doorkeeper.stay_seconds("list", ttl_seconds=10) == 10
    clock.now += 30
    doorkeeper.saw("list")
    assert doorkeeper.stay_seconds("list", ttl_seconds=3600) == 3600
    clock.now += 61
    doorkeeper.saw("list")
    assert doorkeeper.stay_seconds("list", ttl_seconds=3600) == 60
    assert doorkeeper.stay_seconds("never seen", ttl_seconds=3600) == 60


def test_a_key_that_is_asked_for_all_the_time_is_known() -> None:
    clock = Clock()
    doorkeeper = Doorkeeper(clock=clock)
    for _ in range(100):
        doorkeeper.saw("list")
        clock.now += 2
    assert doorkeeper.stay_seconds("list", ttl_seconds=3600) == 3600


def test_a_flood_of_keys_is_forgotten_oldest_first() -> None:
    doorkeeper = Doorkeeper()
    for number in range(30_000):
        doorkeeper.saw(str(number))
    assert len(doorkeeper._seen) == 20_000
    assert "29999" in doorkeeper._seen
