"""Many become the owner at the same moment: a provider gets one, and an account one provider."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from fairground.contracts.providers import ProviderRef
from fairground.contracts.providers.claims import ProviderClaimed
from fairground.modules.providers.store import claims as store
from fairground.modules.providers.store import profiles
from fairground.platform.db.database import WriteTx
from tests.support.claims import claim, imported, invited, owner_of
from tests.support.directory import Directory
from tests.support.outbox import RecordingOutbox
from tests.support.providers import Desk, People
from tests.support.rushes import Rush, rush

CALLERS = 6


def together(calls: int) -> Callable[[Awaitable[object]], Awaitable[object]]:
    """Return a function that lets all calls begin at the same moment."""
    barrier = asyncio.Barrier(calls)

    async def begin(call: Awaitable[object]) -> object:
        await barrier.wait()
        return await call

    return begin


async def claim_at_once(catalog: Directory, desk: Desk, outbox: RecordingOutbox) -> tuple[Rush, UUID, list[UUID]]:
    """Let several accounts become the owner at the same moment: one by the link, the others by grants."""
    people = desk.people
    provider_id = await imported(catalog, contact_email="owner@example.org")
    token, users = await invited(catalog, outbox), [people.add() for _ in range(CALLERS)]
    claims = [await claim(catalog, user_id, provider_id) for user_id in users[1:]]
    begin = together(CALLERS)
    calls: list[Awaitable[object]] = [catalog.claims.accept_invitation(user_id=users[0], token=token)]
    calls += [catalog.claims.grant_claim(staff_id=desk.staff_id, claim_id=each) for each in claims]
    return await rush([begin(call) for call in calls]), provider_id, users


def claimed(outbox: RecordingOutbox) -> list[UUID]:
    return [event.owner_id for event in outbox.events if isinstance(event, ProviderClaimed)]


async def test_provider_gets_one_owner_from_many_at_once(
    catalog: Directory, desk: Desk, outbox: RecordingOutbox
) -> None:
    outcome, provider_id, users = await claim_at_once(catalog, desk, outbox)
    assert outcome.won == 1
    assert set(outcome.refused) <= {"AlreadyClaimed", "ClaimDecided", "InvitationUnusable"}
    [owner_id] = claimed(outbox)
    assert owner_id in users
    assert await owner_of(catalog, provider_id) == owner_id
    assert await catalog.claims.list_waiting_claims(limit=10) == []


async def test_control_without_lock_and_condition_several_become_the_owner(
    catalog: Directory, desk: Desk, outbox: RecordingOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def find_as_unclaimed(tx: WriteTx, provider_id: UUID) -> ProviderRef | None:
        found = await profiles.find_ref(tx, provider_id)
        return found.model_copy(update={"owner_id": None}) if found else None

    async def overwrite_owner(tx: WriteTx, provider_id: UUID, *, owner_id: UUID, email: str) -> bool:  # noqa: ARG001
        await profiles.change_profile(tx, provider_id, {"owner_id": owner_id})
        return True

    async def keep_claims(*_parts: Any) -> list[Any]:
        return []

    monkeypatch.setattr(profiles, "lock_provider", find_as_unclaimed)
    monkeypatch.setattr(store, "set_owner", overwrite_owner)
    monkeypatch.setattr(store, "list_waiting_of", keep_claims)
    outcome, _, _ = await claim_at_once(catalog, desk, outbox)
    assert outcome.won > 1
    assert len(claimed(outbox)) > 1


async def test_account_gets_one_provider_from_many_at_once(catalog: Directory, desk: Desk, people: People) -> None:
    user_id, begin = people.add(), together(4)
    claims = [await claim(catalog, user_id, await imported(catalog, number)) for number in range(4)]
    calls = [catalog.claims.grant_claim(staff_id=desk.staff_id, claim_id=each) for each in claims]
    outcome = await rush([begin(call) for call in calls])
    assert (outcome.won, set(outcome.refused)) == (1, {"ProfileExists"})
    states = [(await catalog.claims.get_claim(claim_id=each)).status.value for each in claims]
    assert sorted(states) == ["granted", "waiting", "waiting", "waiting"]
