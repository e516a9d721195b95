"""A change shows at once on the pages of what was changed, and soon in lists, although the cache answers for all."""

import contextlib
from collections.abc import AsyncIterator, Callable, Collection
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import anyio
import httpx
import pytest

from fairground.contracts.accounts import Accounts, Role
from fairground.contracts.booking import Bookings, PastBooking
from fairground.entrypoints.compose import Program, compose
from fairground.entrypoints.settings import Settings
from fairground.platform.db.database import WriteTx
from tests.support.addresses import HOME
from tests.support.cache_tags import INVALIDATED_BY
from tests.support.databases import copy_of
from tests.support.lists import lists_have_followed
from tests.support.pictures import photograph
from tests.support.postgres import empty
from tests.support.providers import a_profile
from tests.support.redis import fresh_namespace
from tests.support.waiting import until

WHERE = {"place": "customer", "address": HOME.as_row()}
ALWAYS = [{"weekday": day, "start": "00:00", "end": "24:00"} for day in range(7)]
SERVICE = {
    "name": "Set",
    "category": "jazz_ensemble",
    "price_minor": 9_000,
    "currency": "EUR",
    "duration_minutes": 60,
    "booking_mode": "request",
}
OF_A_PROVIDER = ("detail", "times", "reviews", "gallery")
LISTS = ("all", "list")
_invalidated: ContextVar[set[str] | None] = ContextVar("invalidated", default=None)


@dataclass
class Fair:
    program: Program
    client: httpx.AsyncClient
    tokens: dict[Role, str]
    ids: dict[Role, Any]
    day: str
    provider: dict[str, Any] = field(default_factory=dict)

    async def change(self, who: Role, method: str, path: str, body: Any = None, **parts: str) -> Any:
        """Carry a change out, and check that it invalidates what it declares."""
        invalidated: set[str] = set()
        token = _invalidated.set(invalidated)
        try:
            answer = await self.client.request(
                method,
                f"/api/v1{path.format(**parts)}",
                json=body,
                headers={"authorization": f"Bearer {self.tokens[who]}"},
            )
        finally:
            _invalidated.reset(token)
        assert answer.is_success, answer.text
        kinds = {tag.split(":")[0] for tag in invalidated}
        assert kinds == INVALIDATED_BY[f"{method} /api/v1{path}"]
        return answer.json() if answer.content else None

    async def bring(self, photo: bytes) -> str:
        """Bring a picture of the provider's, and return its id when it is ready."""
        mine = {"authorization": f"Bearer {self.tokens[Role.PROVIDER]}"}
        brought = await self.client.post("/api/v1/media", files={"file": ("photo.jpg", photo)}, headers=mine)
        picture = brought.raise_for_status().json()
        with anyio.fail_after(30):
            while picture["state"] != "ready":
                await anyio.sleep(0.02)
                picture = (await self.client.get(f"/api/v1/media/{picture['id']}", headers=mine)).json()
        return str(picture["id"])

    async def read(self) -> dict[str, tuple[str, Any]]:
        """Read all that is public, by id and by slug; return how it came, and what it is."""
        found = {}
        for name, path in self._paths().items():
            answer = await self.client.get(f"/api/v1{path}")
            found[name] = (answer.headers["x-cache"], answer.json())
        return found

    async def until(self, holds: Callable[[dict[str, Any]], bool]) -> None:
        """Wait for what follows by event: much sooner than what is cached would end by itself."""
        with anyio.fail_after(20):
            while not holds({name: value for name, (_, value) in (await self.read()).items()}):
                await anyio.sleep(0.02)
        await lists_have_followed(self.program)
        await self.read()

    def _paths(self) -> dict[str, str]:
        one = "/service-provider-profiles/"
        paths = {"all": one, "list": "/artists"}
        for key, value in (("id", self.provider["id"]), ("slug", self.provider["slug"])):
            paths |= {
                f"detail {key}": f"{one}{value}",
                f"times {key}": f"{one}{value}/availability?from={self.day}&to={self.day}",
                f"reviews {key}": f"{one}{value}/reviews",
                f"gallery {key}": f"{one}{value}/gallery",
            }
        return paths

    async def expect_changed(self, *names: str) -> dict[str, Any]:
        """Assert that exactly these responses are computed again at once, and lists after they followed a provider.

        All are cached afterwards.
        """
        at_once = await self.read()
        changed = {name.split()[0] for name, (how, _) in at_once.items() if how != "HIT"}
        assert changed - set(LISTS) == set(names)
        await lists_have_followed(self.program)
        after = await self.read()
        assert {how for name, (how, _) in after.items() if name not in LISTS} == {"HIT"}
        again = changed | {name for name, (how, _) in after.items() if how != "HIT"}
        assert again & set(LISTS) == (set(LISTS) if names == OF_A_PROVIDER else set())
        assert {how for how, _ in (await self.read()).values()} == {"HIT"}
        return {name: value for name, (_, value) in after.items()}


def both(found: dict[str, Any], name: str) -> Any:
    """Return what is shown under the id, having seen that the slug shows the same."""
    assert found[f"{name} id"] == found[f"{name} slug"]
    return found[f"{name} id"]


@contextlib.asynccontextmanager
async def open_fair(url: str, folder: Path, *, redis_url: str = "") -> AsyncIterator[Fair]:
    program = compose(Settings(database_url=url, data_dir=folder, redis_url=redis_url))
    enqueue = program.db.invalidation.enqueue  # type: ignore[union-attr]

    async def record(tx: WriteTx, tags: Collection[str]) -> Any:
        if (invalidated := _invalidated.get()) is not None:
            invalidated.update(tags)
        return await enqueue(tx, tags)

    program.db.invalidation.enqueue = record  # type: ignore[union-attr,method-assign]
    async with (
        program.running(),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(program.build_app()), base_url="http://127.0.0.1:8000"
        ) as client,
    ):
        if (level := program.cache.level) is not None:
            await until(lambda: level.describe() == "on")
        accounts = program.links.of(Accounts)
        roles = [Role.PROVIDER, Role.CUSTOMER, Role.ADMIN]
        users = await accounts.create_users_in_bulk(
            users=[(f"{role}@example.org", "Kim Nordmann", role) for role in roles], password="correct horse battery"
        )
        tokens = [(await accounts.create_token(user_id=user.id, name="test")).secret for user in users]
        async with program.db.read() as tx:
            day = (await tx.current_time() + timedelta(days=5)).date()
        ids = [user.id for user in users]
        yield Fair(
            program, client, dict(zip(roles, tokens, strict=True)), dict(zip(roles, ids, strict=True)), day.isoformat()
        )


@pytest.fixture(params=["sqlite alone", "sqlite and Redis", "postgres and Redis"])
async def fair(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Fair]:
    dialect, _, others = request.param.partition(" ")
    if dialect == "sqlite":
        url = copy_of(request.getfixturevalue("sqlite_template"), tmp_path)
    else:
        empty(url := request.getfixturevalue("postgres_database"))
    monkeypatch.setenv("FAIRGROUND_CACHE_NAMESPACE", fresh_namespace())
    redis_url = "" if others == "alone" else request.getfixturevalue("redis_server").url
    async with open_fair(url, tmp_path / "data", redis_url=redis_url) as opened:
        yield opened


async def open_shop(fair: Fair) -> None:
    """Bring a provider from nothing to the lists."""
    one = "/service-provider-profiles/"
    profile = a_profile(timezone="UTC").model_dump(mode="json", exclude_none=True)
    fair.provider = await fair.change(Role.PROVIDER, "POST", one, profile)
    await fair.read()
    provider = {"provider_id": fair.provider["id"]}
    await fair.change(Role.PROVIDER, "POST", one + "{provider_id}/submit", **provider)
    await fair.expect_changed()
    await fair.change(Role.ADMIN, "POST", one + "{provider_id}/approve", **provider)
    shown = await fair.expect_changed(*OF_A_PROVIDER)
    assert both(shown, "detail")["business_name"] == fair.provider["business_name"]
    assert [card["id"] for card in shown["list"]["data"]] == [fair.provider["id"]]


async def test_every_change_shows_at_once(fair: Fair) -> None:
    await open_shop(fair)
    one, provider = "/service-provider-profiles/", {"provider_id": fair.provider["id"]}

    service = await fair.change(Role.PROVIDER, "POST", one + "{provider_id}/services", SERVICE, **provider)
    shown = await fair.expect_changed(*OF_A_PROVIDER)
    assert both(shown, "detail")["services"][0]["id"] == service["id"]
    assert shown["list"]["data"][0]["price_from_minor"] == SERVICE["price_minor"]

    await fair.change(Role.PROVIDER, "PATCH", one + "{provider_id}", {"bio": "Now four of us."}, **provider)
    shown = await fair.expect_changed(*OF_A_PROVIDER)
    assert both(shown, "detail")["bio"] == "Now four of us."

    await hang_pictures(fair)

    rules = {"timezone": "UTC", "weekly": ALWAYS}
    await fair.change(Role.PROVIDER, "PUT", one + "{provider_id}/availability-rules", rules, **provider)
    free = both(await fair.expect_changed("times"), "times")["slots"]
    assert len(free) > 10

    await hold_and_let_go(fair, service_id=service["id"], starts_at=free[0]["starts_at"])
    await review_a_past_booking(fair, service_id=service["id"])

    path = one + "{provider_id}/services/{service_id}"
    await fair.change(Role.PROVIDER, "DELETE", path, **provider, service_id=service["id"])
    shown = await fair.expect_changed(*OF_A_PROVIDER)
    assert both(shown, "detail")["services"] == []
    assert both(shown, "times")["slots"] == []


async def hang_pictures(fair: Fair) -> None:
    """Fill a gallery, order it, and let the pictures go: one from the gallery, one altogether."""
    path, provider = "/service-provider-profiles/{provider_id}/gallery", {"provider_id": fair.provider["id"]}
    photo = photograph(12, 10)
    first, second = hung = [await fair.bring(photo) for _ in range(2)]
    for number, picture_id in enumerate(hung, 1):
        await fair.change(Role.PROVIDER, "POST", path, {"picture_id": picture_id}, **provider)
        shown = await fair.expect_changed(*OF_A_PROVIDER)
        assert [picture["id"] for picture in both(shown, "gallery")["data"]] == hung[:number]
    await fair.change(Role.PROVIDER, "PUT", path, {"picture_ids": [second, first]}, **provider)
    shown = await fair.expect_changed(*OF_A_PROVIDER)
    assert [picture["id"] for picture in both(shown, "gallery")["data"]] == [second, first]
    await fair.change(Role.PROVIDER, "DELETE", path + "/{picture_id}", **provider, picture_id=second)
    shown = await fair.expect_changed(*OF_A_PROVIDER)
    assert [picture["id"] for picture in both(shown, "gallery")["data"]] == [first]
    await fair.change(Role.PROVIDER, "PATCH", "/media/{picture_id}", {"alt": "The band"}, picture_id=first)
    await fair.until(lambda shown: shown["gallery id"]["data"][0]["alt"] == "The band")
    await fair.change(Role.PROVIDER, "DELETE", "/media/{picture_id}", picture_id=first)
    await fair.until(lambda shown: shown["gallery id"]["data"] == shown["gallery slug"]["data"] == [])


async def hold_and_let_go(fair: Fair, *, service_id: str, starts_at: str) -> None:
    wanted = {"service_id": service_id, "starts_at": starts_at, **WHERE}
    booking = await fair.change(Role.CUSTOMER, "POST", "/bookings", wanted)
    free = both(await fair.expect_changed("times"), "times")["slots"]
    assert starts_at not in [slot["starts_at"] for slot in free]
    await fair.change(Role.CUSTOMER, "POST", "/bookings/{booking_id}/cancel", booking_id=booking["id"])
    free = both(await fair.expect_changed("times"), "times")["slots"]
    assert starts_at in [slot["starts_at"] for slot in free]


async def review_a_past_booking(fair: Fair, *, service_id: str) -> None:
    async with fair.program.db.read() as tx:
        long_ago = await tx.current_time() - timedelta(days=30)
    past = PastBooking(customer_id=fair.ids[Role.CUSTOMER], service_id=UUID(service_id), starts_at=long_ago)
    (booking_id,) = await fair.program.links.of(Bookings).record_past_bookings(bookings=[past])
    await fair.until(lambda shown: shown["detail id"]["book_count"] == shown["detail slug"]["book_count"] == 1)
    review = {"booking_id": str(booking_id), "rating": 5, "text": "They played until two."}
    await fair.change(Role.CUSTOMER, "POST", "/reviews", review)
    shown = {name: value for name, (_, value) in (await fair.read()).items()}
    assert both(shown, "reviews")["data"][0]["text"] == review["text"]
    await fair.until(lambda shown: shown["detail id"]["rating"] == 5 == shown["list"]["data"][0]["rating"])


async def test_a_change_of_one_day_leaves_the_others_cached(fair: Fair) -> None:
    await open_shop(fair)
    one, provider = "/service-provider-profiles/", {"provider_id": fair.provider["id"]}
    service = await fair.change(Role.PROVIDER, "POST", one + "{provider_id}/services", SERVICE, **provider)
    rules = {"timezone": "UTC", "weekly": ALWAYS}
    await fair.change(Role.PROVIDER, "PUT", one + "{provider_id}/availability-rules", rules, **provider)
    await lists_have_followed(fair.program)
    free = (await fair.read())["times id"][1]["slots"]
    far = f"/api/v1{one}{fair.provider['id']}/availability?from=2031-01-01&to=2031-01-31"
    assert (await fair.client.get(far)).headers["x-cache"] == "MISS"
    wanted = {"service_id": service["id"], "starts_at": free[0]["starts_at"], **WHERE}
    await fair.change(Role.CUSTOMER, "POST", "/bookings", wanted)
    assert (await fair.client.get(far)).headers["x-cache"] == "HIT"
    await fair.expect_changed("times")
