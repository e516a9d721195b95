"""Rules of accounts: addresses, names, secrets, and the lifetimes of sessions and links."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from fairground.contracts.accounts import EmailUnfit, LinkUnusable, NameUnfit, PhoneUnfit, Role, SessionKind
from fairground.kernel.folding import fold
from fairground.kernel.text import EmailRefused, clean_line, normalise_email, refused_as, require_line, shown_line
from fairground.modules.accounts.settings import AccountsSettings

NAME_MAX_LENGTH: Final = 100
PHONE_MAX_LENGTH: Final = 40
SESSION_NAME_MAX_LENGTH: Final = 200
SESSIONS_MAX: Final = 100  # of each kind for one account: a list that a person can read
SEEN_EVERY: Final = timedelta(minutes=1)  # a session is written at most this often

# Accounts were opened by this rule before `kernel.text`, which refuses some of them: they still sign in.
_EARLIER_EMAIL_MAX_LENGTH: Final = 254
_EARLIER_EMAIL: Final = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+"
)
_PHONE: Final = re.compile(r"\+?[0-9 ()./-]{5,}")
_WORD_MAX_LENGTH: Final = 100  # code points of a word that is searched
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}")


class LinkPurpose(StrEnum):
    """The purpose of a mailed link."""

    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - a purpose, not a password
    CHANGE_EMAIL = "change_email"


@dataclass(frozen=True)
class Lifetime:
    """A session ends `absolute` after its start, or `idle` after its last use."""

    absolute: timedelta
    idle: timedelta | None = None

    def expires_at(self, *, seen_at: datetime, ends_at: datetime) -> datetime:
        return ends_at if self.idle is None else min(ends_at, seen_at + self.idle)


def lifetime_of(settings: AccountsSettings, *, kind: SessionKind, role: Role) -> Lifetime:
    if kind is SessionKind.TOKEN:
        days = settings.admin_token_days if role.is_staff else settings.token_days
        return Lifetime(absolute=timedelta(days=days))
    if role.is_staff:
        return Lifetime(
            absolute=timedelta(hours=settings.admin_absolute_hours), idle=timedelta(minutes=settings.admin_idle_minutes)
        )
    return Lifetime(
        absolute=timedelta(days=settings.browser_absolute_days), idle=timedelta(days=settings.browser_idle_days)
    )


def link_lifetime(settings: AccountsSettings, *, purpose: LinkPurpose) -> timedelta:
    if purpose is LinkPurpose.RESET_PASSWORD:
        return timedelta(minutes=settings.reset_link_minutes)
    return timedelta(hours=settings.verification_link_hours)


def link_unusable() -> LinkUnusable:
    return LinkUnusable("This link has expired or was already used.")


def find_email(text: str) -> str | None:
    """Return the normalised form of an address, or None if no account can have it."""
    try:
        return normalise_email(text)
    except EmailRefused:
        earlier = text.strip().lower()
        is_earlier = len(earlier) <= _EARLIER_EMAIL_MAX_LENGTH and _EARLIER_EMAIL.fullmatch(earlier)
        return earlier if is_earlier else None


def get_email(text: str) -> str:
    """Return the normalised form of an address; raise EmailUnfit if mail cannot be sent to it."""
    try:
        return normalise_email(text)
    except EmailRefused as error:
        raise EmailUnfit(f"This is not a valid email address. {error}") from None


def get_name(text: str) -> str:
    """Return a name as it is stored; raise NameUnfit if `require_line` refuses it."""
    with refused_as(NameUnfit, "The name", field="name"):
        return require_line(text, most=NAME_MAX_LENGTH)


def get_phone(text: str | None) -> str | None:
    """Return a telephone number as it is stored, None for an empty one; raise PhoneUnfit for another text."""
    with refused_as(PhoneUnfit, "The phone number", field="phone"):
        phone = clean_line(text or "", most=PHONE_MAX_LENGTH)
    if phone and not _PHONE.fullmatch(phone):
        raise PhoneUnfit("This is not a valid phone number.", field="phone")
    return phone or None


def closed_email(user_id: UUID) -> str:
    """Return the address of a closed account, below a domain that never exists (RFC 2606)."""
    return f"{user_id.hex}@closed.invalid"


def search_words(*, email: str, name: str) -> set[str]:
    """Return the words by whose beginnings a user is found: the address, and the folded words of it and of the name."""
    folded = fold(f"{email.rpartition('@')[0]} {name}").split()
    return {word[:_WORD_MAX_LENGTH] for word in (email, *folded)}


def query_words(text: str) -> list[str]:
    """Return the beginnings that words of a user must have, the longest first; with an @ it is one of an address."""
    found: set[str] = set()
    for typed in text.lower().split():
        found.update([typed] if "@" in typed and typed.isprintable() else fold(typed).split())
    return sorted((word[:_WORD_MAX_LENGTH] for word in found), key=len, reverse=True)


def session_name(text: str) -> str:
    """Return the name of a session in lists, from the User-Agent of the browser or the name of the token."""
    return shown_line(text, most=SESSION_NAME_MAX_LENGTH) or "Unnamed"


def new_secret() -> str:
    """Return 256 random bits as 43 characters that are safe in URLs and headers."""
    return secrets.token_urlsafe(32)


def is_secret(text: str) -> bool:
    """Return whether a text has the form of a secret; other texts need no look-up."""
    return _SECRET.fullmatch(text) is not None


def hash_secret(secret: str) -> bytes:
    """Return the hash that is stored. A fast hash is enough for 256 random bits, which cannot be guessed."""
    return hashlib.sha256(secret.encode()).digest()
