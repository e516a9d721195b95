"""What a customer says of a booking: where, for how many and how long, with the rules of its service."""

from math import ceil

from fairground.contracts.booking import NOTE_MAX_LENGTH, DetailsInvalid, NotBookable
from fairground.contracts.booking.terms import find_people_bounds, list_places
from fairground.contracts.providers import PHONE_MAX_LENGTH, Offer
from fairground.kernel import text as text_rules
from fairground.kernel.addresses import Address
from fairground.kernel.distances import distance_km
from fairground.modules.booking.deals.domain.record import Details
from fairground.verticals.pricing import PriceModel
from fairground.verticals.schema import BookingRules, Place


def check_details(
    offer: Offer,
    rules: BookingRules,
    *,
    note: str | None,
    place: str | None,
    party_size: int | None,
    address: Address | None,
    phone: str | None,
) -> Details:
    """Return the details as they are stored.

    Raises:
        DetailsInvalid: `context["field"]` names the one that is missing, or that the service does not allow.
        NotBookable: The service can take place nowhere, because its vertical has changed.
    """
    chosen = _check_place(offer, rules, place=place)
    _check_party_size(offer, rules, party_size=party_size)
    with text_rules.refused_as(DetailsInvalid, "The phone number", field="phone"):
        phone = text_rules.clean_line(phone or "", most=PHONE_MAX_LENGTH) or None
    return Details(
        note=clean_text("note", note, most=NOTE_MAX_LENGTH),
        place=chosen,
        party_size=party_size,
        address=address,
        distance_km=_check_address(offer, place=chosen, address=address),
        phone=phone,
    )


def clean_text(name: str, text: str | None, *, most: int) -> str | None:
    """Return the text as it is kept, or None when it shows nothing.

    Raises:
        DetailsInvalid: It has more than `most` characters, or one that `kernel.text` refuses.
    """
    with text_rules.refused_as(DetailsInvalid, f"The {name}", field=name):
        return text_rules.clean_text(text or "", most=most) or None


def _check_place(offer: Offer, rules: BookingRules, *, place: str | None) -> Place:
    places = list_places(offer, rules)
    if not places:
        raise NotBookable(f"{offer.service_name} has no available place at the moment.")
    if place is None and len(places) == 1:
        return places[0]
    for possible in places:
        if possible == place:
            return possible
    wrong = "The place is missing" if place is None else f"The place {place!r} is not available"
    raise DetailsInvalid(f"{wrong}. Choose one of {', '.join(places)}.", field="place", places=list(places))


def _check_party_size(offer: Offer, rules: BookingRules, *, party_size: int | None) -> None:
    bounds = find_people_bounds(offer, rules)
    if party_size is None:
        if offer.price_model is not PriceModel.PERSON or bounds is None:
            return
        raise DetailsInvalid(
            f"The price is per person, so the group size ({bounds.least} to {bounds.most}) is required.",
            field="party_size",
            minimum=bounds.least,
            maximum=bounds.most,
        )
    if bounds is None:
        raise DetailsInvalid("These bookings have no group size. Leave party_size out.", field="party_size")
    if not bounds.least <= party_size <= bounds.most:
        raise DetailsInvalid(
            f"The group size must be {bounds.least} to {bounds.most}, not {party_size}.",
            field="party_size",
            minimum=bounds.least,
            maximum=bounds.most,
        )


def _check_address(offer: Offer, *, place: Place, address: Address | None) -> int | None:
    """Return how far the address is from the provider's location in km, or None where that is not known."""
    if place != "customer":
        if address is not None:
            raise DetailsInvalid(
                "The booking does not take place at your address, so leave the address out.", field="address"
            )
        return None
    if address is None:
        raise DetailsInvalid("The address is missing. Enter street, city and country.", field="address")
    if None in (address.lat, address.lng, offer.lat, offer.lng):
        return None
    away_km = ceil(distance_km(*map(float, (offer.lat, offer.lng, address.lat, address.lng))))  # type: ignore[arg-type]
    if offer.travel_radius_km is not None and away_km > offer.travel_radius_km:
        raise DetailsInvalid(
            f"The address is {away_km} km away. {offer.provider_name} travels up to {offer.travel_radius_km} km.",
            field="address",
            distance_km=away_km,
            travel_radius_km=offer.travel_radius_km,
        )
    return away_km
