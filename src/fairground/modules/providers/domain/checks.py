"""What a profile and a service may say. Every refusal names the field, in `context["field"]` too."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from fairground.contracts.providers import (
    BIO_MAX_LENGTH,
    CATEGORIES_MAX,
    DURATION_MAX_MINUTES,
    DURATION_MIN_MINUTES,
    EXTERNAL_ID_MAX_LENGTH,
    LOCATION_MAX_LENGTH,
    NAME_MAX_LENGTH,
    PHONE_MAX_LENGTH,
    PRICE_MAX_MINOR,
    REASON_MAX_LENGTH,
    SERVICE_DESCRIPTION_MAX_LENGTH,
    SUBTITLE_MAX_LENGTH,
    CategoryUnknown,
    CurrencyUnsupported,
    ProfileInvalid,
    ServiceIn,
    ServiceInvalid,
)
from fairground.kernel.money import AmountInvalid, find_currency, require_step
from fairground.kernel.text import (
    check_identifier,
    clean_line,
    clean_text,
    refused_as,
    require_line,
    require_text,
)
from fairground.kernel.zones import find_zone
from fairground.verticals.schema import Vertical

_REQUIRED_LINES: Final = {"business_name": NAME_MAX_LENGTH, "location": LOCATION_MAX_LENGTH}
_LINES: Final = {"custom_subtitle": SUBTITLE_MAX_LENGTH, "contact_phone": PHONE_MAX_LENGTH}
_TEXTS: Final = {"bio": BIO_MAX_LENGTH}
_PICTURE_URL_MAX_LENGTH: Final = 300


def check_profile(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a profile with their texts as they are kept; an optional one that shows nothing is None.

    `fields` may be a part of a profile. Categories are another check's.

    Raises:
        ProfileInvalid: A text is refused by `kernel.text`; the zone is unknown; the coordinates are off.
    """
    checked = dict(fields)
    for names, clean in ((_REQUIRED_LINES, require_line), (_LINES, clean_line), (_TEXTS, clean_text)):
        for name in names.keys() & fields:
            with refused_as(ProfileInvalid, name, field=name):
                checked[name] = clean(fields[name] or "", most=names[name]) or None
    if "timezone" in fields and find_zone(fields["timezone"]) is None:
        raise ProfileInvalid(
            f"timezone {fields['timezone']!r} is not an IANA zone.",
            hint="Write it as Europe/Oslo or America/New_York.",
            field="timezone",
        )
    return checked


def check_place(lat: float | None, lng: float | None) -> None:
    """Raise ProfileInvalid unless latitude and longitude are both absent, or both on the globe."""
    if (lat is None) != (lng is None):
        raise ProfileInvalid("lat and lng come together.", hint="Send both, or neither.", field="lat")
    for name, degrees, most in (("lat", lat, 90), ("lng", lng, 180)):
        if degrees is not None and not -most <= degrees <= most:
            raise ProfileInvalid(f"{name} is {degrees}; it lies between -{most} and {most} degrees.", field=name)


def check_categories(pack: Vertical, words: Collection[str] | None) -> list[str]:
    """Return the slugs that the words mean, each once, in their order.

    Raises:
        CategoryUnknown: The pack has no such category.
        ProfileInvalid: None at all, or more than 10.
    """
    slugs = list(dict.fromkeys(check_category(pack, word) for word in words or ()))
    if not 1 <= len(slugs) <= CATEGORIES_MAX:
        raise ProfileInvalid(
            f"A profile has 1 to {CATEGORIES_MAX} categories; this one has {len(slugs)}.", field="categories"
        )
    return slugs


def check_category(pack: Vertical, word: str) -> str:
    category = pack.find_category(word)
    if category is None:
        raise CategoryUnknown(
            f"{word!r} is not a category of {pack.key}.",
            hint=f"GET /api/v1/categories?vertical={pack.key} lists them.",
            field="categories",
        )
    return category.slug


def check_service(pack: Vertical, service: ServiceIn, *, currency: str) -> ServiceIn:
    """Return the service with its texts as they are kept and its category by slug.

    Raises:
        CategoryUnknown: The pack has no such category.
        CurrencyUnsupported: Not the installation's currency.
        ServiceInvalid: The price, the duration, the mode or a text cannot be.
    """
    if service.currency != currency:
        raise CurrencyUnsupported(f"Prices are in {currency} here, not in {service.currency!r}.", field="currency")
    if not 1 <= service.price_minor <= PRICE_MAX_MINOR:
        raise ServiceInvalid(
            f"price_minor is {service.price_minor}; it must be 1 to {PRICE_MAX_MINOR}.", field="price_minor"
        )
    try:
        require_step(service.price_minor, currency)
    except AmountInvalid as refusal:
        raise ServiceInvalid(
            f"price_minor is {service.price_minor}: {refusal.problem}.",
            hint=f"In {currency} a price_minor is a multiple of {find_currency(currency).step_minor}.",
            field="price_minor",
        ) from refusal
    if not DURATION_MIN_MINUTES <= service.duration_minutes <= DURATION_MAX_MINUTES:
        raise ServiceInvalid(
            f"duration_minutes is {service.duration_minutes};"
            f" it must be {DURATION_MIN_MINUTES} to {DURATION_MAX_MINUTES}.",
            field="duration_minutes",
        )
    if service.booking_mode not in pack.booking.modes:
        raise ServiceInvalid(
            f"{pack.key} are booked by {' or '.join(pack.booking.modes)}, not by {service.booking_mode}.",
            field="booking_mode",
        )
    category = check_category(pack, service.category)
    with refused_as(ServiceInvalid, "name", field="name"):
        name = require_line(service.name, most=NAME_MAX_LENGTH)
    with refused_as(ServiceInvalid, "description", field="description"):
        description = clean_text(service.description or "", most=SERVICE_DESCRIPTION_MAX_LENGTH) or None
    return service.model_copy(update={"category": category, "name": name, "description": description})


def check_reason(reason: str) -> str:
    with refused_as(ProfileInvalid, "reason", field="reason"):
        return require_text(reason, most=REASON_MAX_LENGTH)


def check_external_id(external_id: str) -> str:
    """Return the id by which a source knows a provider, unchanged."""
    with refused_as(ProfileInvalid, "the external id", field="external_id"):
        return check_identifier(external_id, most=EXTERNAL_ID_MAX_LENGTH)


def check_picture_url(url: str) -> str:
    """Return the address if it is a path of this installation; a foreign one would watch our visitors."""
    if not url.startswith("/") or url.startswith("//") or len(url) > _PICTURE_URL_MAX_LENGTH or not url.isprintable():
        raise ProfileInvalid(
            "A picture is named by a path of this installation, such as /media/pictures/1.webp.",
            field="profile_picture_url",
        )
    return url
