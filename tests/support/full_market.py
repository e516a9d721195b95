"""A marketplace in which every page has something to show: providers in each state, bookings in each status, mail."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from fairground.contracts.accounts import Accounts, Role, User
from fairground.contracts.booking import Bookings, BookingStatus, BookingView
from fairground.contracts.imports import ImportedProvider, Imports
from fairground.contracts.messaging import Messages
from fairground.contracts.providers import (
    BookingMode,
    ProfileChanges,
    ProviderDetail,
    Providers,
    ServiceIn,
)
from fairground.contracts.providers.claims import Claims
from fairground.contracts.reviews import Reviews
from fairground.kernel.ids import uuid7
from tests.support.addresses import HOME
from tests.support.embedded import ROWS, bring_in
from tests.support.lists import fill_lists
from tests.support.marketplace import PASSWORD, Market, describe, offer, public_provider
from tests.support.photographers import photographers
from tests.support.pictures import photograph
from tests.support.visits import Visit
from tests.support.waiting import until

CUSTOMER, PROVIDER, STAFF = "nora@example.org", "maya@example.org", "ada@example.org"
NEW_PROVIDER, WAITING_PROVIDER, REJECTED_PROVIDER = "newt@example.org", "sam@example.org", "rhea@example.org"
INVITED: Final = "owner-of-an-imported-page@example.org"
LONG_NAME: Final = "The Wolfgang Amadeus Mozart Memorial String Quartet of Salzburg"
CITIES: Final = {
    "Oslo, Norway": (59.913, 10.752),
    "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch, Wales": (53.22, -4.2),
    "Lima, Peru": (-12.05, -77.04),
    "Rio de Janeiro, Brazil": (-22.9, -43.17),
}
IMPORTED_PER_VERTICAL: Final = {"artists": 28, "chefs": 4, "tutors": 4}  # more than a page of artists


@dataclass(frozen=True)
class FullMarket:
    visit: Visit
    provider: ProviderDetail
    unclaimed_slug: str
    invitation_path: str
    """The mailed link to claim another one."""
    claim_id: UUID
    """A claim that waits, of a third one."""
    picture_id: str
    waiting_id: UUID
    bookings: Mapping[str, BookingView]
    """By what is special about each: a status, or a word of `_book_all`."""
    mail_name: str
    bank_url: str
    """The page of the bank of the customer who must prove their identity."""

    async def details_query(self, *, mode: BookingMode = BookingMode.REQUEST) -> str:
        """Return the query of the page on which the details of a booking are asked."""
        service = next(each for each in self.provider.services if each.booking_mode is mode)
        start = (await _free_starts(self.visit.market, self.provider, service.id))[-1]
        return f"service={service.id}&starts_at={start:%Y-%m-%dT%H:%M:%SZ}"

    async def fresh_hold(self) -> UUID:
        """Return a booking that is held for the next ten minutes; the one before is let go."""
        bookings = self.visit.market.program.links.of(Bookings)
        customer_id = self.bookings["confirmed"].customer_id
        held = await bookings.list_bookings(user_id=customer_id, side="customer", status=BookingStatus.HELD, limit=50)
        for booking in held.data:
            if booking.id != self.bookings["bank question"].id:
                await bookings.cancel(user_id=customer_id, booking_id=booking.id)
        service = self.provider.services[0]
        starts = await _free_starts(self.visit.market, self.provider, service.id)
        taken = await bookings.hold(
            customer_id=customer_id,
            service_id=service.id,
            starts_at=starts[-2],
            place="customer",
            address=HOME,
            party_size=40,
        )
        return taken.id


async def fill_market(visit: Visit, *, folder: Path) -> FullMarket:
    """Fill an empty marketplace. The clock of its database moves on by some days."""
    market = visit.market
    links = market.program.links
    await public_provider(market)
    provider = await _complete_provider(market)
    waiting_id = await _add_other_providers(market)
    await _import_providers(market)
    await bring_in(market.program, ROWS, folder=folder)
    async with photographers(links, [provider.id], base_url=visit.address) as [owner]:
        await owner.show_portrait(photograph(400, 400))
        pictures = [(photograph(900, 600), "At the harbour, in the last light"), (photograph(300, 400), "")]
        picture_id = (await owner.hang(pictures))[0]
    customer = await _create_user(market, CUSTOMER, name="Nora Lind-Featherstonehaugh", role=Role.CUSTOMER)
    bookings = await _book_all(market, provider, customer)
    claim_id, invitation_path = await _claim(market, customer)
    await links.of(Accounts).register(
        email="fresh@example.org", password=PASSWORD, name="Fresh", role=Role.CUSTOMER, client="127.0.0.1"
    )
    await until(lambda: any(market.mail_dir.glob("*.eml")))
    await fill_lists(market.program)
    payment = bookings["bank question"].payment
    assert payment is not None
    assert payment.action_url is not None
    return FullMarket(
        visit=visit,
        provider=await links.of(Providers).get_provider(id_or_slug=provider.slug),
        unclaimed_slug="artists-of-oslo-1",
        invitation_path=invitation_path,
        claim_id=claim_id,
        picture_id=picture_id,
        waiting_id=waiting_id,
        bookings=bookings,
        mail_name=min(market.mail_dir.glob("*.eml")).name,
        bank_url=payment.action_url,
    )


async def _create_user(market: Market, email: str, *, name: str, role: Role) -> User:
    accounts = market.program.links.of(Accounts)
    return await accounts.create_user(email=email, password=PASSWORD, name=name, role=role)


async def _complete_provider(market: Market) -> ProviderDetail:
    """Give the approved provider a second service, booked at once, and a line below its name."""
    catalog = market.program.links.of(Providers)
    own = await catalog.get_provider(id_or_slug="maya-the-tides")
    owner_id = (await catalog.get_provider_ref(provider_id=own.id)).owner_id
    assert owner_id is not None
    changes = ProfileChanges(custom_subtitle="Jazz, soul and Scandinavian folk for gardens, boats and town halls")
    await catalog.change_provider(owner_id=owner_id, provider_id=own.id, changes=changes)
    service = ServiceIn(
        name="Two sets with a break for speeches and a dance lesson",
        category="pianist",
        price_minor=1_234_550,
        currency=await catalog.get_currency(),
        duration_minutes=120,
        booking_mode=BookingMode.INSTANT,
        description="Sound system and lights are included.",
    )
    await catalog.add_service(owner_id=owner_id, provider_id=own.id, service=service)
    return await catalog.get_provider(id_or_slug=own.slug)


async def _add_other_providers(market: Market) -> UUID:
    """Add a provider without a profile, one who was rejected and one who waits for approval; return the last one."""
    await _create_user(market, NEW_PROVIDER, name="Newt", role=Role.PROVIDER)
    staff = await market.sign_in(STAFF)
    rejected_id = await _submit(market, REJECTED_PROVIDER, name="Rhea & Sons")
    await staff.open(f"/admin/approvals/{rejected_id}")
    await staff.send("Reject with this reason", reason="Say where you have played, and when.")
    return await _submit(market, WAITING_PROVIDER, name=LONG_NAME)


async def _submit(market: Market, email: str, *, name: str) -> UUID:
    """Create a provider, submit it for approval, and return its id."""
    owner = await market.user(email, role=Role.PROVIDER, name=name[:20])
    await describe(owner, name=name)
    await offer(owner, mode="request")
    await (await owner.open("/pro")).send("Submit for approval")
    [submitted] = await market.program.links.of(Providers).list_submitted(limit=5)
    return submitted.id


async def _import_providers(market: Market) -> None:
    imports = market.program.links.of(Imports)
    for vertical, count in IMPORTED_PER_VERTICAL.items():
        pack = market.program.verticals.find(vertical)
        assert pack is not None
        categories = [category.slug for category in pack.categories]
        rows = [
            ImportedProvider(
                external_id=str(number),
                business_name=LONG_NAME if number == 2 else f"{vertical.title()} of Oslo {number}",
                location=list(CITIES)[number % len(CITIES)],
                lat=list(CITIES.values())[number % len(CITIES)][0],
                lng=list(CITIES.values())[number % len(CITIES)][1],
                timezone="Europe/Oslo",
                categories=[categories[number % len(categories)]],
                service_name="Evening",
                price_minor=10_000 * number,
                duration_minutes=60,
                contact_email=INVITED if (vertical, number) == ("artists", 9) else None,
            )
            for number in range(1, count + 1)
        ]
        await imports.import_providers(vertical=vertical, source="test", providers=rows)


async def _claim(market: Market, customer: User) -> tuple[UUID, str]:
    """Claim an imported provider, and have the owner of another one invited; return the claim and the mailed link."""
    claims = market.program.links.of(Claims)
    provider = await market.program.links.of(Providers).get_provider(id_or_slug="artists-of-oslo-3")
    reason = "I run https://artists-of-oslo.example, and its imprint names this address."
    claim = await claims.request_claim(user_id=customer.id, provider_id=provider.id, reason=reason)
    await claims.invite_owners()
    return claim.id, await market.mailed_link(INVITED, path="/claim")


async def _free_starts(market: Market, provider: ProviderDetail, service_id: UUID) -> list[datetime]:
    today = market.now().date()
    found = await market.program.links.of(Bookings).list_slots(
        provider_id=provider.id,
        from_date=today + timedelta(days=1),
        to_date=today + timedelta(days=5),
        service_id=service_id,
    )
    return [slot.starts_at for slot in found.slots]


async def _book_all(market: Market, provider: ProviderDetail, customer: User) -> dict[str, BookingView]:
    """Make bookings in every status, those that took place first, because the clock only moves forward."""
    links = market.program.links
    bookings = links.of(Bookings)
    owner_id = (await links.of(Providers).get_provider_ref(provider_id=provider.id)).owner_id
    assert owner_id is not None
    services = {service.booking_mode: service.id for service in provider.services}

    async def hold(mode: BookingMode) -> UUID:
        start = (await _free_starts(market, provider, services[mode]))[0]
        note = "My mother's birthday. Ring at the gate, please; the house is behind the orchard."
        held = await bookings.hold(
            customer_id=customer.id,
            service_id=services[mode],
            starts_at=start,
            note=note,
            place="customer",
            address=HOME,
            party_size=40,
        )
        return held.id

    async def paid(mode: BookingMode, card: str = "pm_card_visa") -> UUID:
        booking_id = await hold(mode)
        await bookings.pay(customer_id=customer.id, booking_id=booking_id, payment_method=card)
        return booking_id

    ids = {name: await paid(BookingMode.INSTANT) for name in ("completed", "reviewed")}
    ids["expired"] = await hold(BookingMode.REQUEST)
    market.skip_to(market.now() + timedelta(days=6))
    for name in ("completed", "reviewed"):
        await bookings.complete(user_id=owner_id, booking_id=ids[name])
    words = "She danced until one. The neighbours came over to listen and stayed for breakfast."
    await links.of(Reviews).write_review(author_id=customer.id, booking_id=ids["reviewed"], rating=5, text=words)
    ids |= {name: await paid(BookingMode.INSTANT) for name in ("confirmed", "cancelled")}
    ids |= {name: await paid(BookingMode.REQUEST) for name in ("requested", "declined")}
    await bookings.cancel(user_id=customer.id, booking_id=ids["cancelled"])
    await bookings.decline(owner_id=owner_id, booking_id=ids["declined"], reason="We play elsewhere that evening.")
    ids["bank question"] = await paid(BookingMode.INSTANT, "pm_card_authenticationRequired")

    await _write_about(market, ids["confirmed"], customer_id=customer.id, owner_id=owner_id)

    async def find(name: str) -> BookingView:
        return await bookings.get_booking(user_id=customer.id, booking_id=ids[name])

    async def has_expired() -> bool:
        return (await find("expired")).status is BookingStatus.EXPIRED

    await until(has_expired)
    return {name: await find(name) for name in ids}


async def _write_about(market: Market, booking_id: UUID, *, customer_id: UUID, owner_id: UUID) -> None:
    """Write a few messages, the last of which neither side has read."""
    texts = (
        (customer_id, "Is there room for a grand piano behind the apple trees?"),
        (owner_id, "There is.\nWe bring our own, and two people who carry it."),
        (customer_id, f"Wonderful! The way is on https://maps.example/{'orchard' * 12}"),
        (owner_id, "Thank you, we will find it."),
    )
    for sender_id, text in texts:
        await market.program.links.of(Messages).send_message(
            sender_id=sender_id, booking_id=booking_id, text=text, client_message_id=uuid7()
        )
