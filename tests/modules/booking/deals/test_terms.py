"""The terms of a booking: place, people and length, the total that follows, and how its sides reach each other."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairground.contracts.booking import (
    BookingContact,
    BookingStatus,
    BookingView,
    DetailsInvalid,
    EndedHolds,
    HoldLapsed,
    PriceChanged,
    SlotTaken,
)
from fairground.contracts.booking.terms import (
    find_people_bounds,
    list_service_lengths,
    make_price_line,
)
from fairground.contracts.payments import Payment
from fairground.contracts.providers import BookingMode, Offer, ProviderContact, ServiceTerms
from fairground.contracts.providers.service_rules import compute_service_total
from fairground.kernel.addresses import Address
from fairground.kernel.ids import uuid7
from fairground.kernel.money import find_currency
from fairground.modules.booking.deals import store
from fairground.modules.booking.deals.transitions import ReleasePayment
from fairground.platform.db.database import WriteTx
from fairground.verticals.loader import load_verticals
from fairground.verticals.pricing import PriceModel
from tests.modules.booking.rig import Rig
from tests.support.addresses import HOME

pytestmark = pytest.mark.anyio

PERSON: dict[str, Any] = {"price_model": PriceModel.PERSON, "price_minor": 8_000, "min_people": 2, "max_people": 12}
HOUR: dict[str, Any] = {"price_model": PriceModel.HOUR, "price_minor": 6_000, "max_duration_minutes": 180}
OSLO: dict[str, Any] = {"lat": 59.91, "lng": 10.75}
_LOOKS = 3
AT_OSLO = HOME.model_copy(update=OSLO)
AT_BERGEN = HOME.model_copy(update={"city": "Bergen", "lat": 60.39, "lng": 5.32})


@pytest.mark.parametrize(
    ("service", "details", "field", "said"),
    [
        ({"places": ["online", "customer"]}, {}, "place", "Choose one of online, customer"),
        ({"places": ["online"]}, {"place": "provider"}, "place", "Choose one of online"),
        ({"places": ["customer"]}, {}, "address", "Enter street, city and country"),
        ({"places": ["online"]}, {"address": HOME}, "address", "leave the address out"),
        (PERSON, {}, "party_size", "\\(2 to 12\\)"),
        (PERSON, {"party_size": 1}, "party_size", "must be 2 to 12"),
        (PERSON, {"party_size": 13}, "party_size", "must be 2 to 12"),
        ({}, {"party_size": 31}, "party_size", "must be 1 to 30"),
        (HOUR, {"duration_minutes": 75}, "duration_minutes", "60, 90, 120, 150, 180"),
        (HOUR, {"duration_minutes": 210}, "duration_minutes", "60, 90, 120, 150, 180"),
        ({}, {"duration_minutes": 90}, "duration_minutes", "must be one of 60"),
        ({}, {"phone": "1" * 200}, "phone", "phone"),
    ],
)
async def test_hold_names_the_detail_that_is_missing_or_not_possible(
    rig: Rig, service: dict[str, Any], details: dict[str, Any], *, field: str, said: str
) -> None:
    offer = await rig.offer(**service)
    with pytest.raises(DetailsInvalid, match=said) as refused:
        await rig.hold(offer, **details)
    assert refused.value.context["field"] == field


async def test_only_place_of_a_service_may_be_left_out(rig: Rig) -> None:
    assert (await rig.hold(await rig.offer(places=["provider"]))).place == "provider"


async def test_address_beyond_the_travel_radius_is_refused(rig: Rig) -> None:
    offer = await rig.offer(places=["customer"], travel_radius_km=30, **OSLO)
    with pytest.raises(DetailsInvalid, match="travels up to 30 km") as refused:
        await rig.hold(offer, address=AT_BERGEN)
    assert refused.value.context["distance_km"] == 306
    held = await rig.hold(offer, address=AT_OSLO)
    assert (held.distance_km, held.city) == (0, "Oslo")


@pytest.mark.parametrize("address", [HOME, AT_BERGEN])
async def test_distance_counts_where_both_places_are_known(rig: Rig, address: Address) -> None:
    held = await rig.hold(await rig.offer(places=["customer"], travel_radius_km=30), address=address)
    assert held.distance_km is None


@pytest.mark.parametrize(
    ("service", "details", "total_minor", "quantity"),
    [
        ({"price_minor": 5_000}, {}, 5_000, 1),
        (PERSON, {"party_size": 4}, 32_000, 4),
        (HOUR, {}, 6_000, 1),
        (HOUR, {"duration_minutes": 150}, 15_000, 2.5),
    ],
)
async def test_total_and_its_line_follow_from_people_and_length(
    rig: Rig, service: dict[str, Any], details: dict[str, Any], *, total_minor: int, quantity: float
) -> None:
    offer = await rig.offer(**service)
    with pytest.raises(PriceChanged) as changed:
        await rig.hold(offer, expected_total_minor=total_minor + 1, **details)
    assert changed.value.context["total_minor"] == total_minor
    held = await rig.hold(offer, expected_total_minor=total_minor, **details)
    [line] = held.lines
    assert (held.total_minor, line.total_minor, line.quantity) == (total_minor, total_minor, quantity)
    assert (line.unit, line.unit_price_minor) == (offer.price_model, offer.price_minor)
    assert (held.ends_at - held.starts_at) == timedelta(minutes=details.get("duration_minutes", 60))


async def test_longer_length_has_fewer_free_starts(rig: Rig) -> None:
    offer = await rig.offer(**HOUR)
    held = await rig.hold(offer, starts_at=await rig.tomorrow(10))
    day = held.starts_at.date()

    async def starts(minutes: int | None) -> set[int]:
        found = await rig.service.list_slots(
            provider_id=offer.provider_id,
            from_date=day,
            to_date=day,
            service_id=offer.service_id,
            duration_minutes=minutes,
        )
        return {slot.starts_at.hour * 60 + slot.starts_at.minute for slot in found.slots}

    assert {8 * 60, 9 * 60} <= await starts(None)
    assert {7 * 60, 11 * 60} <= await starts(180)
    assert not {8 * 60, 9 * 60, 10 * 60} & await starts(180)
    with pytest.raises(DetailsInvalid, match="60, 90, 120, 150, 180"):
        await starts(240)


async def test_repeated_hold_with_another_total_takes_the_place_of_the_first(rig: Rig) -> None:
    offer, customer_id = await rig.offer(**PERSON), uuid7()
    first = await rig.hold(offer, customer_id=customer_id, party_size=4)
    rig.pass_time(minutes=3)
    again = await rig.hold(offer, customer_id=customer_id, party_size=5, expected_total_minor=40_000)
    assert again.id != first.id
    assert (again.total_minor, again.expires_at, again.created_at) == (40_000, first.expires_at, first.created_at)
    assert await rig.status(first) is BookingStatus.CANCELLED


async def test_repeated_hold_may_be_longer_where_the_time_after_it_is_free(rig: Rig) -> None:
    offer, customer_id, starts_at = await rig.offer(**HOUR), uuid7(), await rig.tomorrow(10)
    first = await rig.hold(offer, customer_id=customer_id, starts_at=starts_at)
    longer = await rig.hold(offer, customer_id=customer_id, starts_at=starts_at, duration_minutes=120)
    assert (longer.total_minor, await rig.status(first)) == (12_000, BookingStatus.CANCELLED)
    await rig.hold(offer, starts_at=starts_at + timedelta(hours=2))
    with pytest.raises(SlotTaken):
        await rig.hold(offer, customer_id=customer_id, starts_at=starts_at, duration_minutes=180)
    assert await rig.status(longer) is BookingStatus.HELD


async def test_refused_change_of_the_total_leaves_the_hold(rig: Rig) -> None:
    offer, customer_id = await rig.offer(**PERSON), uuid7()
    first = await rig.hold(offer, customer_id=customer_id, party_size=4)
    with pytest.raises(PriceChanged):
        await rig.hold(offer, customer_id=customer_id, party_size=5, expected_total_minor=32_000)
    assert await rig.status(first) is BookingStatus.HELD


async def test_total_changed_while_it_is_paid_costs_nothing(rig: Rig) -> None:
    offer, customer_id = await rig.offer(mode=BookingMode.INSTANT, **PERSON), uuid7()
    first = await rig.hold(offer, customer_id=customer_id, party_size=4)
    authorise = rig.payments.authorise

    async def authorise_slowly(**order: Any) -> Payment:
        payment = await authorise(**order)
        await rig.hold(offer, customer_id=customer_id, party_size=5)
        return payment

    rig.payments.authorise = authorise_slowly  # type: ignore[method-assign]
    with pytest.raises(HoldLapsed):
        await rig.pay(first)
    await rig.run_jobs(ReleasePayment)
    payment = rig.payments.payments[first.id]
    assert payment.captured_minor == payment.refunded_minor


def _find_before_either_locks(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let two requests find the hold before either of them locks it, where two transactions can overlap."""
    if rig.db.backend.ops.name == "sqlite":
        return  # its one writer lets the second request begin when the first one has committed
    both_have_found, locks, lock_booking = asyncio.Barrier(2), 0, store.lock_booking

    async def wait_and_lock(tx: WriteTx, *, booking_id: UUID) -> Any:
        nonlocal locks
        locks += 1
        if locks <= both_have_found.parties:
            await both_have_found.wait()
        return await lock_booking(tx, booking_id=booking_id)

    monkeypatch.setattr(store, "lock_booking", wait_and_lock)


async def _change_twice_at_once(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> list[BookingView | BaseException]:
    offer, customer_id, starts_at = await rig.offer(**PERSON), uuid7(), await rig.tomorrow()
    await rig.hold(offer, customer_id=customer_id, starts_at=starts_at, party_size=4)
    _find_before_either_locks(rig, monkeypatch)
    changes = [rig.hold(offer, customer_id=customer_id, starts_at=starts_at, party_size=people) for people in (5, 6)]
    return await asyncio.gather(*changes, return_exceptions=True)


async def _live(rig: Rig, customer_id: UUID) -> list[BookingView]:
    found = await rig.service.list_bookings(
        user_id=customer_id, side="customer", status=None, ended_holds=EndedHolds.LEFT_OUT, limit=20
    )
    return found.data


async def test_two_changes_of_the_total_at_once_leave_one_hold(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = await _change_twice_at_once(rig, monkeypatch)
    views = [each for each in changed if isinstance(each, BookingView)]
    assert len(views) == 2
    [left] = await _live(rig, views[0].customer_id)
    assert (left.status, left.total_minor) == (BookingStatus.HELD, 8_000 * (left.party_size or 0))
    assert left.id in {view.id for view in views}


async def test_without_the_second_look_one_of_two_changes_is_refused(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    if rig.db.backend.ops.name == "sqlite":
        pytest.skip("its one writer serialises the requests")
    looks, find_own_id = 0, store.find_own_id

    async def find_twice(tx: WriteTx, **options: Any) -> UUID | None:
        nonlocal looks
        looks += 1
        return await find_own_id(tx, **options) if looks <= _LOOKS else None

    # One look is that of the hold that both change.
    monkeypatch.setattr(store, "find_own_id", find_twice)
    changed = await _change_twice_at_once(rig, monkeypatch)
    assert sorted(type(each).__name__ for each in changed) == ["BookingView", "SlotTaken"]


SECRETS = ("kim@kitchen.example", "+47 22 00 00 01", "+47 40 00 00 00", "Kitchen Street 5", HOME.street, "meet.example")
KITCHEN = ProviderContact(
    name="Kim's Kitchen",
    email="kim@kitchen.example",
    phone="+47 22 00 00 01",
    address=Address(street="Kitchen Street 5", city="Oslo", country="NO"),
    meeting_details="https://meet.example/kim",
)


async def _booked(rig: Rig, place: str) -> tuple[BookingView, UUID]:
    """Return a held booking at a place, and its provider's owner."""
    offer: Offer = await rig.offer(places=[place])
    rig.providers.contacts[offer.provider_id] = KITCHEN
    details = {"address": AT_OSLO} if place == "customer" else {}
    held = await rig.hold(offer, phone="+47 40 00 00 00", **details)  # type: ignore[arg-type]
    assert offer.owner_id is not None
    return held, offer.owner_id


async def _contacts(rig: Rig, held: BookingView, owner_id: UUID) -> list[BookingContact | None]:
    users = (held.customer_id, owner_id)
    return [(await rig.service.get_booking(user_id=user, booking_id=held.id)).contact for user in users]


@pytest.mark.parametrize("place", ["customer", "provider", "online"])
async def test_each_side_learns_the_others_contact_with_the_confirmation(rig: Rig, place: str) -> None:
    held, owner_id = await _booked(rig, place)
    await rig.pay(held)
    assert await _contacts(rig, held, owner_id) == [None, None]
    await rig.service.accept(owner_id=owner_id, booking_id=held.id)
    provider, customer = await _contacts(rig, held, owner_id)
    assert provider is not None
    assert customer is not None
    assert (provider.email, provider.phone) == (KITCHEN.email, KITCHEN.phone)
    assert provider.address == (KITCHEN.address if place == "provider" else None)
    assert provider.meeting_details == (KITCHEN.meeting_details if place == "online" else None)
    assert (customer.phone, customer.address) == ("+47 40 00 00 00", AT_OSLO if place == "customer" else None)
    await rig.service.cancel(user_id=held.customer_id, booking_id=held.id)
    assert await _contacts(rig, held, owner_id) == [None, None]


async def test_contacts_and_addresses_are_on_the_bookings_own_page_alone(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    held, owner_id = await _booked(rig, "customer")
    await rig.pay(held)
    seen = await rig.service.get_booking(user_id=owner_id, booking_id=held.id)
    assert (seen.city, seen.address, seen.phone) == ("Oslo", None, None)
    confirmed = await rig.service.accept(owner_id=owner_id, booking_id=held.id)
    shown = [confirmed.model_dump_json(), (await rig.service.describe_booking(booking_id=held.id)).model_dump_json()]
    for user_id in (held.customer_id, owner_id):
        listed = await rig.service.list_bookings(user_id=user_id, side=None, status=None, limit=20)
        shown.append(listed.model_dump_json())
    await rig.service.cancel(user_id=owner_id, booking_id=held.id)
    shown += [message.model_dump_json() for message in (*rig.outbox.events, *rig.outbox.jobs)]
    shown += [*capsys.readouterr()]
    assert [secret for secret in SECRETS for text in shown if secret in text] == []


async def test_ended_holds_are_in_a_list_of_their_own(rig: Rig) -> None:
    customer_id = uuid7()
    released = await rig.hold(await rig.offer(), customer_id=customer_id)
    await rig.service.cancel(user_id=customer_id, booking_id=released.id)
    request = await rig.pay(await rig.hold(await rig.offer(), customer_id=customer_id))
    await rig.service.cancel(user_id=customer_id, booking_id=request.id)

    async def listed(ended_holds: EndedHolds, status: BookingStatus | None = None) -> tuple[set[UUID], int]:
        page = await rig.service.list_bookings(
            user_id=customer_id, side="customer", status=status, ended_holds=ended_holds, limit=20
        )
        return {each.id for each in page.data}, page.total

    assert await listed(EndedHolds.INCLUDED) == ({released.id, request.id}, 2)
    assert await listed(EndedHolds.ALONE) == ({released.id}, 1)
    for status in (None, BookingStatus.CANCELLED):
        assert await listed(EndedHolds.LEFT_OUT, status) == ({request.id}, 1)


@st.composite
def _services(draw: st.DrawFn) -> ServiceTerms:
    model = draw(st.sampled_from(PriceModel))
    shortest = draw(st.integers(1, 288)) * 5
    least = draw(st.integers(1, 20))
    return ServiceTerms(
        price_model=model,
        price_minor=draw(st.integers(1, 10_000_000)) * 10,
        currency=draw(st.sampled_from(["EUR", "JPY", "BHD", "MGA"])),
        duration_minutes=shortest,
        max_duration_minutes=shortest + draw(st.integers(0, 600)) if model is PriceModel.HOUR else None,
        min_people=least,
        max_people=least + draw(st.integers(0, 100)),
    )


@given(service=_services(), data=st.data())
def test_every_total_is_one_that_a_card_can_be_charged_and_is_what_its_line_says(
    service: ServiceTerms, data: st.DataObject
) -> None:
    pack = load_verticals().find("tutors")
    assert pack is not None
    bounds = find_people_bounds(service, pack.booking)
    assert bounds is not None
    minutes = data.draw(st.sampled_from(list_service_lengths(service)))
    people = data.draw(st.integers(bounds.least, bounds.most))
    step_minor = find_currency(service.currency).step_minor
    total_minor = compute_service_total(service, people=people, minutes=minutes)
    line = make_price_line(
        service.price_model, service.price_minor, people=people, minutes=minutes, total_minor=total_minor
    )
    exact = {
        PriceModel.BOOKING: service.price_minor,
        PriceModel.PERSON: service.price_minor * people,
        PriceModel.HOUR: service.price_minor * minutes / 60,
    }[service.price_model]
    assert exact <= total_minor < exact + step_minor
    if service.price_model is PriceModel.HOUR or service.price_minor % step_minor == 0:
        assert total_minor % step_minor == 0
    assert line.unit_price_minor * line.quantity == pytest.approx(exact, rel=1e-3)
    assert compute_service_total(service) <= total_minor
