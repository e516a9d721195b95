import pytest

from fairground.platform.ttl_map import TTLMap


class Rig:
    def __init__(self) -> None:
        self.clock = 0.0
        self.map: TTLMap[str] = TTLMap(most=3, now=lambda: self.clock)


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_expired_value_is_neither_found_nor_kept(rig: Rig) -> None:
    rig.map.put("a", "first", seconds=2)
    rig.clock = 1
    rig.map.put("b", "second", seconds=2)
    assert (rig.map.find("a"), rig.map.find("b"), rig.map.find("c")) == ("first", "second", None)
    rig.clock = 2
    assert (rig.map.find("a"), rig.map.find("b"), len(rig.map)) == (None, "second", 1)
    rig.clock = 3
    rig.map.find("anything")
    assert len(rig.map) == 0


def test_value_that_is_put_again_lives_from_then_on(rig: Rig) -> None:
    rig.map.put("a", "first", seconds=2)
    rig.clock = 1
    rig.map.put("b", "between", seconds=2)
    rig.map.put("a", "again", seconds=2)
    rig.clock = 2
    assert (rig.map.find("a"), rig.map.find("b")) == ("again", "between")


def test_of_too_many_values_the_oldest_leave(rig: Rig) -> None:
    for name in "abcde":
        rig.map.put(name, name, seconds=2)
    assert [name for name in "abcde" if rig.map.find(name)] == ["c", "d", "e"]
