"""A process that books around transitions and prints what API, pages, mails and calendar files say of each booking."""

import asyncio
import email
import email.policy
import json
import re
import sys
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

from httpx import ASGITransport, AsyncClient

from fairground.contracts.accounts import Accounts, Role
from fairground.contracts.booking import AvailabilityRules, Bookings, WeeklyHours
from fairground.contracts.providers import BookingMode, ProfileIn, ProviderRef, Providers, ServiceIn
from fairground.kernel.zones import SystemClock
from tests.support.addresses import HOME
from tests.support.databases import migrate
from tests.support.marketplace import Market, open_market
from tests.support.transitions import next_transitions

ALWAYS: Final = [WeeklyHours(weekday=day, start=time(0), end=time(0)) for day in range(7)]
CARD: Final = "pm_card_visa"
_WAIT_SECONDS: Final = 120
_NOTICE: Final = timedelta(days=3)


class _Town:
    """One marketplace whose clocks, the database's and the program's, are set together."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.client = AsyncClient(transport=ASGITransport(app=market.app), base_url="https://127.0.0.1:8000")
        self.customers: list[Any] = []

    def set_clock(self, instant: datetime) -> None:
        self.market.skip_to(instant)
        shift = self.market.program.db.clock_shift
        SystemClock.now = lambda _: datetime.now(UTC) + shift  # type: ignore[method-assign, assignment]

    async def open_shop(self, number: int, zone: str, staff_id: Any) -> ProviderRef:
        links = self.market.program.links
        catalog, accounts = links.of(Providers), links.of(Accounts)
        people = [(f"p{number}@example.org", "Pia", Role.PROVIDER), (f"c{number}@example.org", "Kim", Role.CUSTOMER)]
        owner, customer = await accounts.create_users_in_bulk(users=people, password="a horse on the merry-go-round")
        self.customers.append(customer)
        profile = ProfileIn(
            vertical="tutors",
            business_name=f"Pia {number}",
            location="Here",
            timezone=zone,
            bio="Patient.",
            categories=["mathematics"],
        )
        draft = await catalog.create_provider(owner_id=owner.id, profile=profile)
        await catalog.submit_provider(owner_id=owner.id, provider_id=draft.id)
        await catalog.approve_provider(staff_id=staff_id, provider_id=draft.id)
        rules = AvailabilityRules(timezone=zone, weekly=ALWAYS)
        await links.of(Bookings).set_rules(owner_id=owner.id, provider_id=draft.id, rules=rules)
        service = ServiceIn(
            name="Algebra",
            category="mathematics",
            price_minor=4_000,
            currency="EUR",
            duration_minutes=60,
            booking_mode=BookingMode.INSTANT,
        )
        await catalog.add_service(owner_id=owner.id, provider_id=draft.id, service=service)
        return await catalog.get_provider_ref(provider_id=draft.id)

    async def book(self, number: int, provider: ProviderRef, transition: datetime) -> dict[str, Any]:
        """Book the first start that is half an hour before the transition or later."""
        self.set_clock(transition - _NOTICE)
        links, customer = self.market.program.links, self.customers[number]
        first, last = ((transition + timedelta(days=days)).date() for days in (-1, 1))
        path = f"/api/v1/service-provider-profiles/{provider.slug}/availability?from={first}&to={last}"
        slots = (await self.client.get(path)).json()["slots"]
        least = transition - timedelta(minutes=30)
        slot = next(each for each in slots if datetime.fromisoformat(each["starts_at"]) >= least)
        starts_at = datetime.fromisoformat(slot["starts_at"])
        [service] = await links.of(Providers).list_services(provider_id=provider.id, viewer_id=None)
        bookings = links.of(Bookings)
        held = await bookings.hold(
            customer_id=customer.id, service_id=service.id, starts_at=starts_at, place="customer", address=HOME
        )
        await bookings.pay(customer_id=customer.id, booking_id=held.id, payment_method=CARD)
        token = await links.of(Accounts).create_token(user_id=customer.id, name="test")
        headers = {"Authorization": f"Bearer {token.secret}"}
        page = (await self.client.get(f"/me/bookings/{held.id}", headers=headers)).text
        calendar = (await self.client.get(f"/api/v1/bookings/{held.id}/calendar.ics", headers=headers)).text
        mail = await self._mail_about(str(held.id), customer.email)
        [(instant, offset, words)] = re.findall(
            r'<time datetime="([^"]+)" data-offset-minutes="([^"]+)">([^<]+–[^<]+)</time>', page
        )[:1]
        return {
            "zone": provider.timezone,
            "api": starts_at.astimezone(UTC).isoformat(),
            "page": [instant, int(offset), words],
            "mail": re.findall(r"^When: (.+)$", mail["text"], flags=re.MULTILINE)[0],
            "file": re.findall(r"DTSTART:(\S+)", calendar)[0],
            "attached": re.findall(r"DTSTART:(\S+)", mail["file"])[0],
        }

    async def _mail_about(self, booking_id: str, to: str) -> dict[str, str]:
        for _ in range(_WAIT_SECONDS * 20):
            for file in sorted(self.market.mail_dir.glob("*.eml"), reverse=True)[:8]:
                message: Any = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
                if to in str(message["To"]) and booking_id in (text := message.get_body(("plain",)).get_content()):
                    [attached] = message.iter_attachments()
                    return {"text": text, "file": attached.get_payload(decode=True).decode()}
            await asyncio.sleep(0.05)
        raise TimeoutError(f"No mail about {booking_id}.")


async def run(folder: Path, zones: list[str], transitions: int) -> None:
    url = f"sqlite:///{folder / 'market.db'}"
    migrate(url)
    # In their order, so that the clock only moves forward.
    plan = sorted((at, number) for number, zone in enumerate(zones) for at in next_transitions(zone)[:transitions])
    async with open_market(url, folder=folder / "var") as market:
        town = _Town(market)
        town.set_clock(plan[0][0] - 2 * _NOTICE)
        accounts = market.program.links.of(Accounts)
        staff = await accounts.create_user(
            email="staff@example.org", password="a horse on the merry-go-round", name="Sam", role=Role.ADMIN
        )
        shops = [await town.open_shop(number, zone, staff.id) for number, zone in enumerate(zones)]
        for at, number in plan:
            print(json.dumps(await town.book(number, shops[number], at)), flush=True)


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), sys.argv[2].split(","), int(sys.argv[3])))
