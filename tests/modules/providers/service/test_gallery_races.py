"""Concurrent changes of a gallery: no change is lost, and no two pictures have one position.

Each race has its controls: without the protection, the same check of the gallery fails.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest

from fairground.contracts.providers import GALLERY_MAX
from fairground.modules.providers.store import pictures, profiles
from tests.support.rushes import rush
from tests.support.wall import Wall

CALLERS: Final = 8
ROUNDS: Final = 5
CONTROL_ROUNDS_MAX: Final = 60


@pytest.fixture
def without_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the provider instead of locking it before a change of its gallery."""
    monkeypatch.setattr(profiles, "lock_provider", profiles.find_ref)


async def empty(wall: Wall) -> None:
    for picture_id in await wall.own():
        await wall.remove(picture_id)


async def add_at_once(wall: Wall) -> bool:
    """Add pictures to an empty gallery concurrently; return whether all are there."""
    await empty(wall)
    pictures = [wall.bring() for _ in range(CALLERS)]
    outcome = await rush(wall.add(picture) for picture in pictures)
    return outcome.won == CALLERS and set(await wall.shown()) == {picture.id for picture in pictures}


async def order_while_adding(wall: Wall) -> bool:
    """Swap two pictures while a third is added; return whether the result is that of a sequence."""
    outcomes = []
    for is_order_first in (True, False):
        await empty(wall)
        first, second, third = (wall.bring() for _ in range(3))
        for picture in (first, second):
            await wall.add(picture)
        calls = [wall.order([second, first]), wall.add(third)]
        outcome = await rush(calls if is_order_first else calls[::-1])
        ordered = {2: [second.id, first.id, third.id], 1: [first.id, second.id, third.id]}
        is_expected = outcome.won == 2 or outcome.refused == {"GalleryChanged": 1}
        outcomes.append(is_expected and await wall.shown() == ordered[outcome.won])
    return all(outcomes)


async def is_ever_wrong(attempt: Callable[[Wall], Awaitable[bool]], wall: Wall) -> bool:
    for _ in range(CONTROL_ROUNDS_MAX):
        if not await attempt(wall):
            return True
    return False


@pytest.mark.parametrize("attempt", [add_at_once, order_while_adding])
async def test_concurrent_changes_of_a_gallery_are_serialised(
    wall: Wall, attempt: Callable[[Wall], Awaitable[bool]]
) -> None:
    assert [await attempt(wall) for _ in range(ROUNDS)] == [True] * ROUNDS


@pytest.mark.parametrize("dialect", ["postgres"], indirect=True)  # one writer at a time needs no lock on a row
@pytest.mark.parametrize("attempt", [add_at_once, order_while_adding])
@pytest.mark.usefixtures("without_lock")
async def test_control_without_the_lock_changes_are_lost(
    wall: Wall, attempt: Callable[[Wall], Awaitable[bool]]
) -> None:
    assert await is_ever_wrong(attempt, wall)


async def test_position_that_concurrent_calls_read_as_free_is_taken_once(
    wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def as_all_saw_it(*_: Any) -> int:
        return 0

    monkeypatch.setattr(pictures, "_next_position", as_all_saw_it)
    assert not await add_at_once(wall)
    assert len(await wall.shown()) == 1


async def test_control_order_checked_against_an_old_gallery_is_noticed(
    wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    see = pictures.list_own_gallery

    async def see_before_another_adds(*asked: Any) -> Any:
        return (await see(*asked))[:2]

    monkeypatch.setattr(pictures, "list_own_gallery", see_before_another_adds)
    assert not await order_while_adding(wall)


async def test_last_places_of_a_gallery_are_given_once(wall: Wall) -> None:
    for _ in range(GALLERY_MAX - 2):
        await wall.add(wall.bring())
    outcome = await rush([wall.add(wall.bring()) for _ in range(CALLERS)])
    assert (outcome.won, outcome.refused) == (2, {"GalleryFull": CALLERS - 2})
    assert len(await wall.shown()) == GALLERY_MAX
