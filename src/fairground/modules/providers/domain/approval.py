"""Approval: how a provider's status may change, and what is asked before."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from fairground.contracts.providers import ProfileIncomplete, ProviderStatus, StatusConflict
from fairground.verticals.schema import Vertical

NEXT: Final[Mapping[ProviderStatus, frozenset[ProviderStatus]]] = {
    ProviderStatus.DRAFT: frozenset({ProviderStatus.SUBMITTED}),
    ProviderStatus.SUBMITTED: frozenset({ProviderStatus.APPROVED, ProviderStatus.REJECTED}),
    ProviderStatus.REJECTED: frozenset({ProviderStatus.SUBMITTED}),
    ProviderStatus.APPROVED: frozenset(),
}
# Whatever a pack asks for: a marketplace that cannot reach a provider cannot tell them of a booking.
_ALWAYS_REQUIRED: Final = "email_verified"


def advance(now: ProviderStatus, to: ProviderStatus) -> ProviderStatus:
    """Return the new status, or raise StatusConflict when `to` does not follow from `now`."""
    if to not in NEXT[now]:
        following = " or ".join(sorted(NEXT[now])) or "nothing else"
        raise StatusConflict(
            f"A provider that is {now} cannot become {to}.", hint=f"From {now} it can become {following}.", status=now
        )
    return to


@dataclass(frozen=True)
class Facts:
    """What the checklist of a pack can ask about. Each field is a key of `verticals.schema.Fact`."""

    email_verified: bool
    has_bio: bool
    has_location: bool
    has_picture: bool
    has_service: bool
    has_hours: bool


def missing(pack: Vertical, facts: Facts) -> list[str]:
    """Return the keys of the pack's checklist that are not fulfilled, in the order of its page."""
    return [item.key for item in pack.checklist if not getattr(facts, item.key)]


def require_complete(pack: Vertical, facts: Facts) -> None:
    """Raise ProfileIncomplete unless everything is there without which a profile cannot be submitted."""
    required = {_ALWAYS_REQUIRED, *(item.key for item in pack.checklist if item.required)}
    lacking = sorted(key for key in required if not getattr(facts, key))
    if lacking:
        raise ProfileIncomplete(
            f"The profile cannot be submitted yet; it lacks: {', '.join(lacking)}.",
            hint=" ".join(_texts(pack, lacking)) or "Verify the e-mail address of the account.",
            missing=lacking,
        )


def _texts(pack: Vertical, keys: Iterable[str]) -> list[str]:
    return [item.text for item in pack.checklist if item.key in keys]
