"""What a profile and a service may say. Every refusal names the field, in `context["field"]` too."""

import re
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any, Final
from zoneinfo import available_timezones

from fairground.contracts.catalog import (
    BIO_MAX_LENGTH,
    CATEGORIES_MAX,
    DURATION_MAX_MINUTES,
    DURATION_MIN_MINUTES,
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
from fairground.kernel.errors import Invalid
from fairground.kernel.money import AmountInvalid, find_currency, require_step
from fairground.verticals.schema import Vertical

_REQUIRED: Final = {"business_name": NAME_MAX_LENGTH, "location": LOCATION_MAX_LENGTH}
_OPTIONAL: Final = {
    "custom_subtitle": SUBTITLE_MAX_LENGTH,
    "bio": BIO_MAX_LENGTH,
    "contact_phone": PHONE_MAX_LENGTH,
}
# PostgreSQL stores no NUL, UTF-8 has no surrogates, and nobody can see the others; lines and tabs are layout.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_PICTURE_URL_MAX_LENGTH: Final = 300
_EXTERNAL_ID_MAX_LENGTH: Final = 200


def check_profile(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a profile with their texts trimmed; a blank optional text becomes None.

    `fields` may be a part of a profile. Categories are another check's.

    Raises:
        ProfileInvalid: A text is empty, too long or not printable; the zone is unknown; the coordinates are off.
    """
    checked = dict(fields)
    for name, most in _REQUIRED.items():
        if name in fields:
            checked[name] = _required_text(name, fields[name], most, ProfileInvalid)
    for name, most in _OPTIONAL.items():
        if name in fields:
            checked[name] = _optional_text(name, fields[name], most, ProfileInvalid)
    if "timezone" in fields and fields["timezone"] not in _zones():
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
    """Return the service with its texts trimmed and its category by slug.

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
    return service.model_copy(
        update={
            "category": check_category(pack, service.category),
            "name": _required_text("name", service.name, NAME_MAX_LENGTH, ServiceInvalid),
            "description": _optional_text(
                "description", service.description, SERVICE_DESCRIPTION_MAX_LENGTH, ServiceInvalid
            ),
        }
    )


def check_reason(reason: str) -> str:
    return _required_text("reason", reason, REASON_MAX_LENGTH, ProfileInvalid)


def check_external_id(external_id: str) -> str:
    """Return the id by which a source knows a provider, as it came: two ids that differ in a space are two."""
    if not 1 <= len(external_id) <= _EXTERNAL_ID_MAX_LENGTH or _CONTROL.search(external_id):
        raise ProfileInvalid(
            f"the external id is empty, longer than {_EXTERNAL_ID_MAX_LENGTH} characters, or not printable.",
            field="external_id",
        )
    return external_id


def check_picture_url(url: str) -> str:
    """Return the address if it is a path of this installation; a foreign one would watch our visitors."""
    if not url.startswith("/") or url.startswith("//") or len(url) > _PICTURE_URL_MAX_LENGTH or _CONTROL.search(url):
        raise ProfileInvalid(
            "A picture is named by a path of this installation, such as /media/pictures/1.webp.",
            field="profile_picture_url",
        )
    return url


def _required_text(name: str, value: str | None, most: int, refusal: type[Invalid]) -> str:
    text = _optional_text(name, value, most, refusal)
    if text is None:
        raise refusal(f"{name} is empty.", hint=f"Write 1 to {most} characters.", field=name)
    return text


def _optional_text(name: str, value: str | None, most: int, refusal: type[Invalid]) -> str | None:
    text = (value or "").strip().replace("\r\n", "\n")
    if len(text) > most:
        raise refusal(f"{name} has {len(text)} characters.", hint=f"Write at most {most}.", field=name)
    if _CONTROL.search(text):
        raise refusal(f"{name} holds control characters.", hint="Remove what cannot be seen.", field=name)
    return text or None


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
