import pytest

from fairground.platform.recent import Recent


class Moments:
    def __init__(self) -> None:
        self.clock = 0.0
        self.recent: Recent[str] = Recent(most=3, now=lambda: self.clock)


@pytest.fixture
def moments() -> Moments:
    return Moments()


def test_what_is_over_is_not_told_nor_held(moments: Moments) -> None:
    moments.recent.remember("a", "first", seconds=2)
    moments.clock = 1
    moments.recent.remember("b", "second", seconds=2)
    assert (moments.recent.find("a"), moments.recent.find("b"), moments.recent.find("c")) == ("first", "second", None)
    moments.clock = 2
    assert (moments.recent.find("a"), moments.recent.find("b"), len(moments.recent)) == (None, "second", 1)
    moments.clock = 3
    moments.recent.find("anything")
    assert len(moments.recent) == 0


def test_what_happens_again_lasts_from_then(moments: Moments) -> None:
    moments.recent.remember("a", "first", seconds=2)
    moments.clock = 1
    moments.recent.remember("b", "between", seconds=2)
    moments.recent.remember("a", "again", seconds=2)
    moments.clock = 2
    assert (moments.recent.find("a"), moments.recent.find("b")) == ("again", "between")


def test_of_too_many_the_oldest_go(moments: Moments) -> None:
    for name in "abcde":
        moments.recent.remember(name, name, seconds=2)
    assert [name for name in "abcde" if moments.recent.find(name)] == ["c", "d", "e"]
