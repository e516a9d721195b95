"""The rules of services: what one may cost, how long it takes, for how many and where it can be booked.

Services are checked by them when they are added or changed, and by an import before it writes. Each refusal of a value
names its field in `context["field"]`.
"""

from collections.abc import Collection
from dataclasses import dataclass

from fairground.contracts.providers.services import (
    DURATION_MAX_MINUTES,
    NAME_MAX_LENGTH,
    PRICE_MAX_MINOR,
    SERVICE_DESCRIPTION_MAX_LENGTH,
    TRAVEL_RADIUS_MAX_KM,
    CategoryUnknown,
    CurrencyUnsupported,
    ServiceIn,
    ServiceInvalid,
    ServiceTerms,
    can_serve,
)
from fairground.kernel.money import AmountInvalid, find_currency, major_from_minor, require_step
from fairground.kernel.text import clean_text, refused_as, require_line
from fairground.verticals.pricing import (
    LENGTH_STEP_MINUTES,
    PriceModel,
    compute_total_minor,
)
from fairground.verticals.schema import BookingRules, Place, Vertical


@dataclass(frozen=True, kw_only=True)
class Grounds:
    """What a profile has that its services depend on."""

    categories: Collection[str]
    has_address: bool
    has_meeting_details: bool
    has_coordinates: bool

    def can_serve(self, place: Place) -> bool:
        return can_serve(place, has_address=self.has_address, has_meeting_details=self.has_meeting_details)


def check_service(pack: Vertical, service: ServiceIn, *, grounds: Grounds, currency: str) -> ServiceIn:
    """Return the service as it is stored: its texts cleaned, its category by slug, its places in the pack's order.

    Raises:
        CategoryUnknown: The pack has no such category.
        CurrencyUnsupported: Not the installation's currency.
        ServiceInvalid: Another value is refused, or needs something that the profile lacks.
    """
    _check_price(pack, service, currency=currency)
    _check_durations(pack.booking, service)
    min_people = _check_people(pack, service)
    places = _check_places(pack, service, grounds)
    _check_travel_radius(service, places, grounds)
    if service.booking_mode not in pack.booking.modes:
        raise ServiceInvalid(
            f"The booking mode must be {' or '.join(pack.booking.modes)}, not {service.booking_mode}.",
            field="booking_mode",
        )
    category = _check_category(pack, service, grounds)
    with refused_as(ServiceInvalid, "The name", field="name"):
        name = require_line(service.name, most=NAME_MAX_LENGTH)
    with refused_as(ServiceInvalid, "The description", field="description"):
        description = clean_text(service.description or "", most=SERVICE_DESCRIPTION_MAX_LENGTH) or None
    changes = {"category": category, "name": name, "description": description}
    checked = service.model_copy(update=changes | {"places": places, "min_people": min_people})
    _check_highest_total(checked)
    return checked


def compute_service_total(service: ServiceTerms, *, people: int | None = None, minutes: int | None = None) -> int:
    """Return the total of a booking in minor units: by default of the shortest one, for the fewest people."""
    return compute_total_minor(
        service.price_model,
        service.price_minor,
        people=people or service.min_people,
        minutes=minutes or service.duration_minutes,
        step_minor=find_currency(service.currency).step_minor,
    )


def check_category(pack: Vertical, word: str) -> str:
    category = pack.find_category(word)
    if category is None:
        raise CategoryUnknown(
            f"{word!r} is not a category of {pack.key}.",
            hint=f"See GET /api/v1/categories?vertical={pack.key} for all categories.",
            field="categories",
        )
    return category.slug


def _check_price(pack: Vertical, service: ServiceIn, *, currency: str) -> None:
    if service.currency != currency:
        raise CurrencyUnsupported(f"Prices must be in {currency}, not {service.currency!r}.", field="currency")
    models = pack.booking.price_models
    if service.price_model not in models:
        raise ServiceInvalid(
            f"The price model must be {' or '.join(models)}, not {service.price_model}.",
            field="price_model",
        )
    if not 1 <= service.price_minor <= PRICE_MAX_MINOR:
        least, most = (major_from_minor(minor, currency) for minor in (1, PRICE_MAX_MINOR))
        raise ServiceInvalid(f"The price must be between {least} and {most} {currency}.", field="price_minor")
    try:
        require_step(service.price_minor, currency)
    except AmountInvalid as refusal:
        raise ServiceInvalid(
            f"{refusal.problem}.",
            hint=f"Use a multiple of {major_from_minor(find_currency(currency).step_minor, currency)} {currency}.",
            field="price_minor",
        ) from refusal


def _check_highest_total(service: ServiceIn) -> None:
    # The bound of one price is also that of the highest total, which includes the lowest one.
    total_minor = compute_service_total(service, people=service.max_people, minutes=service.max_duration_minutes)
    if total_minor > PRICE_MAX_MINOR:
        total, most = (major_from_minor(minor, service.currency) for minor in (total_minor, PRICE_MAX_MINOR))
        raise ServiceInvalid(
            f"The largest booking would cost {total} {service.currency}. The maximum is {most} {service.currency}.",
            hint="Lower the price, the number of people or the maximum duration.",
            field="price_minor",
        )


def _check_durations(rules: BookingRules, service: ServiceIn) -> None:
    shortest, longest = service.duration_minutes, service.max_duration_minutes
    least = rules.least_minutes
    if not least <= shortest <= DURATION_MAX_MINUTES:
        raise ServiceInvalid(
            f"The duration must be {least} to {DURATION_MAX_MINUTES} minutes, not {shortest}.", field="duration_minutes"
        )
    if longest is None:
        return
    if service.price_model is not PriceModel.HOUR:
        raise ServiceInvalid(
            "A maximum duration is only for prices per hour.", hint="Leave it empty.", field="max_duration_minutes"
        )
    if not shortest <= longest <= DURATION_MAX_MINUTES:
        raise ServiceInvalid(
            f"The maximum duration must be {shortest} to {DURATION_MAX_MINUTES} minutes, not {longest}.",
            field="max_duration_minutes",
        )
    if (longest - shortest) % LENGTH_STEP_MINUTES:
        examples = ", ".join(str(shortest + steps * LENGTH_STEP_MINUTES) for steps in range(1, 4))
        raise ServiceInvalid(
            f"The maximum duration must be {shortest} minutes plus a multiple of 30 minutes, not {longest}.",
            hint=f"For example {examples}.",
            field="max_duration_minutes",
        )


def _check_people(pack: Vertical, service: ServiceIn) -> int:
    """Return the least number of people; 1, the default, is the pack's least one."""
    bounds, most = pack.booking.party_size, service.max_people
    if bounds is None:
        if service.min_people != 1 or most is not None:
            name = "max_people" if service.min_people == 1 else "min_people"
            raise ServiceInvalid(
                f"{pack.title} have no group size.",
                hint="Leave it empty.",
                field=name,
            )
        return 1
    least = bounds.minimum if service.min_people == 1 else service.min_people
    for name, value in (("min_people", least), ("max_people", most)):
        if value is not None and not bounds.minimum <= value <= bounds.maximum:
            raise ServiceInvalid(
                f"The group size must be {bounds.minimum} to {bounds.maximum}, not {value}.", field=name
            )
    if most is None and service.price_model is PriceModel.PERSON:
        raise ServiceInvalid("A price per person needs a maximum group size.", hint="Fill it in.", field="max_people")
    if most is not None and least > most:
        raise ServiceInvalid(f"The maximum group size must be {least} or more, not {most}.", field="max_people")
    return least


def _check_places(pack: Vertical, service: ServiceIn, grounds: Grounds) -> list[Place]:
    """Return the places in the pack's order; without any, those that the profile can serve."""
    offered, chosen = pack.booking.places, service.places
    if chosen is None:
        chosen = [place for place in offered if grounds.can_serve(place)] or [offered[0]]
    if not chosen:
        raise ServiceInvalid("The service has no place.", hint="Choose at least one place.", field="places")
    if len(set(chosen)) < len(chosen):
        raise ServiceInvalid("A place appears twice.", hint="List each place once.", field="places")
    for place in chosen:
        if place not in offered:
            raise ServiceInvalid(
                f"{place} is not a place for {pack.key}.",
                hint=f"Choose from: {', '.join(offered)}.",
                field="places",
            )
        if not grounds.can_serve(place):
            raise _unserved(place)
    return [place for place in offered if place in chosen]


def _unserved(place: Place) -> ServiceInvalid:
    needs = {
        "provider": ("Your profile needs an address if customers come to you.", "the address"),
        "online": ("Your profile needs a meeting link or number for online bookings.", "the link or number"),
    }
    problem, missing = needs[place]
    hint = f"Add {missing} to your profile, under “How customers reach you”."
    return ServiceInvalid(problem, hint=hint, field="places", place=place)


def _check_travel_radius(service: ServiceIn, places: Collection[Place], grounds: Grounds) -> None:
    radius_km = service.travel_radius_km
    if radius_km is None:
        return
    if "customer" not in places:
        raise ServiceInvalid(
            "A travel radius is only for bookings at the customer's place.",
            hint="Leave it empty, or choose that place.",
            field="travel_radius_km",
        )
    if not 1 <= radius_km <= TRAVEL_RADIUS_MAX_KM:
        raise ServiceInvalid(
            f"The travel radius must be 1 to {TRAVEL_RADIUS_MAX_KM} km, not {radius_km}.", field="travel_radius_km"
        )
    if not grounds.has_coordinates:
        raise ServiceInvalid(
            "A travel radius needs your place on the map.",
            hint="Add latitude and longitude to your profile, under “Place on the map”.",
            field="travel_radius_km",
        )


def _check_category(pack: Vertical, service: ServiceIn, grounds: Grounds) -> str:
    slug = check_category(pack, service.category)
    if slug not in grounds.categories:
        names = {category.slug: category.name for category in pack.categories}
        own = ", ".join(names.get(each, each) for each in grounds.categories)
        raise ServiceInvalid(
            f"{names[slug]} is not one of your profile's {pack.words.categories}: {own}.",
            hint="Choose one of those, or add it to your profile first.",
            field="category",
        )
    return slug
