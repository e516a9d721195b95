"""An Idempotency-Key gives one effect, whatever is repeated, raced or killed."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from fairground.platform.db.common.idempotency import RequestInFlight
from fairground.platform.db.database import Database
from tests.platform.http.conftest import Shop

pytestmark = pytest.mark.anyio
ANNA = "Bearer 018f0000-0000-7000-8000-000000000001"
BERT = "Bearer 018f0000-0000-7000-8000-000000000002"


async def post(
    client: httpx.AsyncClient, name: str, *, key: str = "k1", who: str = ANNA, behaviour: str = "good"
) -> httpx.Response:
    return await client.post(
        "/api/v1/things",
        json={"name": name, "behaviour": behaviour},
        headers={"Authorization": who, "Idempotency-Key": key},
    )


async def test_repeated_request_gets_the_first_response_byte_for_byte(client: httpx.AsyncClient, shop: Shop) -> None:
    first, again = await post(client, "a"), await post(client, "a")
    assert (first.status_code, first.content) == (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert shop.calls == 1


async def test_refusal_is_replayed(client: httpx.AsyncClient, shop: Shop) -> None:
    first = await post(client, "a", behaviour="conflict")
    again = await post(client, "a", behaviour="conflict")
    assert first.status_code == again.status_code == 409
    assert first.content == again.content
    assert first.headers["content-type"] == again.headers["content-type"]
    assert shop.calls == 1


async def test_same_key_with_another_body_is_refused(client: httpx.AsyncClient, shop: Shop) -> None:
    await post(client, "a")
    answer = await post(client, "b")
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency.key_reused")
    assert shop.calls == 1


async def test_key_of_another_user_is_another_key(client: httpx.AsyncClient, shop: Shop) -> None:
    await post(client, "a", who=ANNA)
    assert (await post(client, "b", who=BERT)).status_code == 201
    assert shop.calls == 2


async def test_concurrent_requests_with_one_key_run_once(client: httpx.AsyncClient, shop: Shop) -> None:
    answers = await asyncio.gather(*(post(client, "a") for _ in range(32)))
    assert shop.calls == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert all(answer.json()["code"] == "idempotency.in_flight" for answer in answers if answer.status_code == 409)
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1


async def test_control_concurrent_requests_without_a_key_all_run(client: httpx.AsyncClient, shop: Shop) -> None:
    """The negative control of the rush: it is the key that holds the others back."""
    await asyncio.gather(
        *(client.post("/api/v1/things", json={"name": "a"}, headers={"Authorization": ANNA}) for _ in range(8))
    )
    assert shop.calls == 8


async def test_transient_failure_frees_the_key(client: httpx.AsyncClient, shop: Shop) -> None:
    assert (await post(client, "a", behaviour="busy")).status_code == 503
    assert (await post(client, "a", behaviour="busy")).status_code == 503
    assert shop.calls == 2


@pytest.mark.parametrize("behaviour", ["crash", "busy after a write", "limit after a write"])
async def test_failure_after_commit_answers_outcome_unknown_to_every_repetition(
    client: httpx.AsyncClient, shop: Shop, behaviour: str
) -> None:
    first = await post(client, "a", behaviour=behaviour)
    again = [await post(client, "a", behaviour=behaviour) for _ in range(2)]
    assert first.status_code in {429, 500, 503}
    assert [(answer.status_code, answer.json()["code"]) for answer in again] == [
        (409, "idempotency.outcome_unknown")
    ] * 2
    assert shop.calls == 1


async def test_resumable_failure_after_commit_lets_same_key_continue(client: httpx.AsyncClient, shop: Shop) -> None:
    first, again = [await post(client, "a", behaviour="pending once") for _ in range(2)]
    assert (first.status_code, again.status_code) == (503, 201)
    assert (await post(client, "a", behaviour="pending once")).content == again.content
    assert shop.calls == 2


async def test_write_after_stored_answer_is_refused(client: httpx.AsyncClient, shop: Shop) -> None:
    """A task that outlives its request must not turn the stored answer into an unknown outcome."""
    await post(client, "a", behaviour="late write")
    shop.may_write_late.set()
    assert shop.late_write is not None
    with pytest.raises(RequestInFlight):
        await shop.late_write
    assert (await post(client, "a", behaviour="late write")).headers["idempotency-replayed"] == "true"


async def test_start_stored_by_a_clock_ahead_blocks_a_key_for_a_minute_only(
    client: httpx.AsyncClient, shop: Shop, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def die(_thing: object) -> None:
        raise asyncio.CancelledError

    db.clock_shift = timedelta(hours=3)
    with monkeypatch.context() as patch:
        patch.setattr(shop, "make", die)
        with pytest.raises(asyncio.CancelledError):
            await post(client, "a")
    db.clock_shift = timedelta(0)
    assert (await post(client, "a")).status_code == 201


async def test_request_that_died_before_its_commit_is_run_by_the_next(
    client: httpx.AsyncClient, shop: Shop, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def die(_thing: object) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr(shop, "make", die)
        with pytest.raises(asyncio.CancelledError):
            await post(client, "a")
    assert (await post(client, "a")).json()["code"] == "idempotency.in_flight"
    db.clock_shift = timedelta(seconds=61)
    assert (await post(client, "a")).status_code == 201


async def test_request_that_died_after_its_commit_is_not_run_again(
    client: httpx.AsyncClient, shop: Shop, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def write_and_die(_thing: object) -> None:
        async with db.write():
            pass
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr(shop, "make", write_and_die)
        with pytest.raises(asyncio.CancelledError):
            await post(client, "a")
    db.clock_shift = timedelta(seconds=61)
    answer = await post(client, "a")
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency.outcome_unknown")
    assert shop.calls == 0


async def test_key_can_be_used_again_after_a_day(client: httpx.AsyncClient, shop: Shop, db: Database) -> None:
    await post(client, "a")
    db.clock_shift = timedelta(hours=24, seconds=1)
    assert (await post(client, "b")).status_code == 201
    assert shop.calls == 2


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there", "a space"])
async def test_invalid_key_is_refused(client: httpx.AsyncClient, key: str) -> None:
    answer = await post(client, "a", key=key)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency.key_invalid")


async def test_two_keys_in_one_request_are_refused(client: httpx.AsyncClient, shop: Shop) -> None:
    headers = [("Authorization", ANNA), ("Idempotency-Key", "k1"), ("Idempotency-Key", "k2")]
    answer = await client.post("/api/v1/things", json={"name": "a", "behaviour": "good"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency.key_invalid")
    assert shop.calls == 0
