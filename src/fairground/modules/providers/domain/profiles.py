"""The rules of profiles: what one may contain, when it is approved, how slugs are made.

Each refusal of a value names its field in `context["field"]`.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, Final
from uuid import UUID

from fairground.contracts.providers import (
    BIO_MAX_LENGTH,
    CATEGORIES_MAX,
    EXTERNAL_ID_MAX_LENGTH,
    LOCATION_MAX_LENGTH,
    MEETING_DETAILS_MAX_LENGTH,
    NAME_MAX_LENGTH,
    PHONE_MAX_LENGTH,
    REASON_MAX_LENGTH,
    SUBTITLE_MAX_LENGTH,
    ProfileIncomplete,
    ProfileInvalid,
    ProviderStatus,
    StatusConflict,
)
from fairground.contracts.providers.service_rules import check_category
from fairground.kernel.addresses import Address
from fairground.kernel.folding import fold
from fairground.kernel.text import (
    EmailRefused,
    check_identifier,
    clean_line,
    clean_text,
    normalise_email,
    refused_as,
    require_line,
    require_text,
)
from fairground.kernel.zones import find_zone
from fairground.verticals.schema import Vertical

_REQUIRED_LINES: Final = {"business_name": NAME_MAX_LENGTH, "location": LOCATION_MAX_LENGTH}
_LINES: Final = {"custom_subtitle": SUBTITLE_MAX_LENGTH, "contact_phone": PHONE_MAX_LENGTH}
_TEXTS: Final = {"bio": BIO_MAX_LENGTH, "meeting_details": MEETING_DETAILS_MAX_LENGTH}
_CONTACT: Final = frozenset({"contact_phone", "address", "meeting_details"})
_PICTURE_URL_MAX_LENGTH: Final = 300


def check_profile(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a profile with their texts as they are stored; an optional blank one is None.

    `fields` may be a part of a profile. `check_place` and `check_categories` check the other fields.

    Raises:
        ProfileInvalid: `kernel.text` refuses a text, or the zone is unknown.
    """
    checked = dict(fields)
    for names, clean in ((_REQUIRED_LINES, require_line), (_LINES, clean_line), (_TEXTS, clean_text)):
        for name in names.keys() & fields:
            with refused_as(ProfileInvalid, name, field=name):
                checked[name] = clean(fields[name] or "", most=names[name]) or None
    if "timezone" in fields and find_zone(fields["timezone"]) is None:
        raise ProfileInvalid(
            f"{fields['timezone']!r} is not a time zone.",
            hint="Use a name such as Europe/Oslo or America/New_York.",
            field="timezone",
        )
    return checked


def split_contact(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the fields of a profile that the public sees, and those of its contact, with the address as JSON."""
    contact = {name: value for name, value in values.items() if name in _CONTACT}
    if isinstance(address := contact.get("address"), Address):
        contact["address"] = address.model_dump()
    return {name: value for name, value in values.items() if name not in _CONTACT}, contact


def check_place(lat: float | None, lng: float | None) -> None:
    """Raise ProfileInvalid unless latitude and longitude are both absent, or both on the globe."""
    if (lat is None) != (lng is None):
        raise ProfileInvalid("lat and lng must be sent together.", hint="Send both or neither.", field="lat")
    for name, degrees, most in (("lat", lat, 90), ("lng", lng, 180)):
        if degrees is not None and not -most <= degrees <= most:
            raise ProfileInvalid(f"{name} must be between -{most} and {most} degrees, not {degrees}.", field=name)


def check_categories(pack: Vertical, words: Collection[str] | None) -> list[str]:
    """Return the slugs of the categories that the words name, each once, in their order.

    Raises:
        CategoryUnknown: The pack has no such category.
        ProfileInvalid: There is none, or there are more than CATEGORIES_MAX.
    """
    slugs = list(dict.fromkeys(check_category(pack, word) for word in words or ()))
    if not 1 <= len(slugs) <= CATEGORIES_MAX:
        raise ProfileInvalid(f"Choose 1 to {CATEGORIES_MAX} categories, not {len(slugs)}.", field="categories")
    return slugs


def check_reason(reason: str) -> str:
    with refused_as(ProfileInvalid, "The reason", field="reason"):
        return require_text(reason, most=REASON_MAX_LENGTH)


def check_external_id(external_id: str) -> str:
    """Return the id of a provider in another system, unchanged."""
    with refused_as(ProfileInvalid, "The external id", field="external_id"):
        return check_identifier(external_id, most=EXTERNAL_ID_MAX_LENGTH)


def check_contact_email(email: str | None) -> str | None:
    """Return the address as accounts have it; raise ProfileInvalid if mail cannot be sent to it."""
    try:
        return normalise_email(email) if email else None
    except EmailRefused as refused:
        raise ProfileInvalid(f"The contact email is not valid. {refused}", field="contact_email") from None


def check_picture_url(url: str) -> str:
    """Return the address if it is a path of this installation; a foreign server could track visitors."""
    if not url.startswith("/") or url.startswith("//") or len(url) > _PICTURE_URL_MAX_LENGTH or not url.isprintable():
        raise ProfileInvalid(
            "Use a picture path of this installation, such as /media/pictures/1.webp.",
            field="profile_picture_url",
        )
    return url


NEXT: Final[Mapping[ProviderStatus, frozenset[ProviderStatus]]] = {
    ProviderStatus.DRAFT: frozenset({ProviderStatus.SUBMITTED}),
    ProviderStatus.SUBMITTED: frozenset({ProviderStatus.APPROVED, ProviderStatus.REJECTED}),
    ProviderStatus.REJECTED: frozenset({ProviderStatus.SUBMITTED}),
    ProviderStatus.APPROVED: frozenset(),
    ProviderStatus.SUSPENDED: frozenset(),
}
# Independent of the pack: a booking cannot be announced to a provider without a verified address.
_ALWAYS_REQUIRED: Final = "email_verified"


def advance(now: ProviderStatus, to: ProviderStatus) -> ProviderStatus:
    """Return the new status, or raise StatusConflict when `to` does not follow from `now`."""
    if to not in NEXT[now]:
        following = " or ".join(sorted(NEXT[now])) or "nothing else"
        raise StatusConflict(
            f"A provider with the status {now} cannot become {to}.",
            hint=f"From {now}, it can become {following}.",
            status=now,
        )
    return to


def path_to(status: ProviderStatus) -> list[ProviderStatus]:
    """Return the statuses of a provider from its draft to this one."""
    start = [ProviderStatus.DRAFT, ProviderStatus.SUBMITTED]
    return [*start[: start.index(status)], status] if status in start else [*start, advance(start[-1], status)]


@dataclass(frozen=True)
class ApprovalFacts:
    """The facts that a pack's checklist can require. Each field is a key of `verticals.schema.Fact`."""

    email_verified: bool
    has_bio: bool
    has_location: bool
    has_picture: bool
    has_service: bool
    has_hours: bool


def list_missing(pack: Vertical, facts: ApprovalFacts) -> list[str]:
    """Return the keys of the pack's checklist that are not fulfilled, in the order of its page."""
    return [item.key for item in pack.checklist if not getattr(facts, item.key)]


def require_complete(pack: Vertical, facts: ApprovalFacts) -> None:
    """Raise ProfileIncomplete unless the profile fulfils all that its submission requires."""
    required = {_ALWAYS_REQUIRED, *(item.key for item in pack.checklist if item.required)}
    lacking = sorted(key for key in required if not getattr(facts, key))
    if lacking:
        raise ProfileIncomplete(
            f"The profile can't be submitted yet. Missing: {', '.join(lacking)}.",
            hint=f"Still needed: {'; '.join(_texts(pack, lacking) or ['Email address confirmed'])}.",
            missing=lacking,
        )


def _texts(pack: Vertical, keys: Iterable[str]) -> list[str]:
    return [item.text for item in pack.checklist if item.key in keys]


_WORD_MAX_LENGTH: Final = 100  # code points of a word that is searched


def search_words(text: str) -> list[str]:
    """Return the folded words of a name, or of a search for beginnings of such words, the longest first."""
    return sorted({word[:_WORD_MAX_LENGTH] for word in fold(text).split()}, key=lambda word: (-len(word), word))


SLUG_BASE_MAX_LENGTH: Final = 60  # leaves room for the number of a namesake


def slug_base(business_name: str) -> str:
    """Return the beginning of a provider's slug, or '' when the name cannot make one.

    It cannot when no ASCII letter or digit is left of it after folding, or when the slug would read as an id.
    """
    words = [word for part in fold(business_name).split() if (word := re.sub(r"[^a-z0-9]+", "", part))]
    slug = "-".join(words)
    if len(slug) > SLUG_BASE_MAX_LENGTH:
        whole_words, _, _ = slug[: SLUG_BASE_MAX_LENGTH + 1].rpartition("-")
        slug = whole_words or slug[:SLUG_BASE_MAX_LENGTH]
    return "" if _reads_as_id(slug) else slug


def slug_candidates(base: str) -> Iterator[str]:
    """Yield the slugs of namesakes without end: the base itself, then base-2, base-3 and so on."""
    yield base
    numbered = (f"{base}-{number}" for number in count(2))
    yield from (slug for slug in numbered if not _reads_as_id(slug))


def _reads_as_id(slug: str) -> bool:
    # A path names a provider by its id or its slug, and what reads as an id is never looked up as a slug.
    try:
        UUID(slug)
    except ValueError:
        return False
    return True
