"""Rules of accounts: what an address, a name and a password may be, what is secret, and how long a session lives."""

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from fairground.contracts.accounts import EmailUnfit, NameUnfit, PasswordUnfit, Role, SessionKind
from fairground.modules.accounts.settings import AccountsSettings

PASSWORD_MIN_LENGTH: Final = 8
PASSWORD_MAX_LENGTH: Final = 128  # a bound on what is hashed; passphrases are far shorter
NAME_MAX_LENGTH: Final = 100
SESSION_NAME_MAX_LENGTH: Final = 200
SESSIONS_MAX: Final = 100  # of each kind to an account: a list that a person can look through
SEEN_EVERY: Final = timedelta(minutes=1)  # a session is written at most this often, however busy it is

_EMAIL_MAX_LENGTH: Final = 254  # RFC 5321 §4.5.3.1.3
_EMAIL: Final = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+"
)
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}")


class LinkPurpose(StrEnum):
    """What a mailed link does."""

    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - a purpose, not a password


@dataclass(frozen=True)
class Lifetime:
    """How long a session lives: until `absolute` is over, or `idle` without a sign of its holder."""

    absolute: timedelta
    idle: timedelta | None = None

    def expires_at(self, *, seen_at: datetime, ends_at: datetime) -> datetime:
        return ends_at if self.idle is None else min(ends_at, seen_at + self.idle)


def lifetime_of(settings: AccountsSettings, *, kind: SessionKind, role: Role) -> Lifetime:
    if kind is SessionKind.TOKEN:
        days = settings.admin_token_days if role is Role.ADMIN else settings.token_days
        return Lifetime(absolute=timedelta(days=days))
    if role is Role.ADMIN:
        return Lifetime(
            absolute=timedelta(hours=settings.admin_absolute_hours), idle=timedelta(minutes=settings.admin_idle_minutes)
        )
    return Lifetime(
        absolute=timedelta(days=settings.browser_absolute_days), idle=timedelta(days=settings.browser_idle_days)
    )


def link_lifetime(settings: AccountsSettings, *, purpose: LinkPurpose) -> timedelta:
    if purpose is LinkPurpose.VERIFY_EMAIL:
        return timedelta(hours=settings.verification_link_hours)
    return timedelta(minutes=settings.reset_link_minutes)


def find_email(text: str) -> str | None:
    """Return the one form in which an address is kept and looked for, or None if it is no address."""
    email = text.strip().lower()
    return email if len(email) <= _EMAIL_MAX_LENGTH and _EMAIL.fullmatch(email) else None


def get_email(text: str) -> str:
    email = find_email(text)
    if email is None:
        raise EmailUnfit("This is not an e-mail address that mail can be sent to.")
    return email


def get_name(text: str) -> str:
    name = text.strip()
    if not 1 <= len(name) <= NAME_MAX_LENGTH or not name.isprintable():
        raise NameUnfit(f"A name has 1 to {NAME_MAX_LENGTH} characters and no line breaks.")
    return name


def session_name(text: str) -> str:
    """Return what a session is listed as, from whatever its browser said of itself."""
    printable = "".join(character for character in text if character.isprintable())
    return printable.strip()[:SESSION_NAME_MAX_LENGTH] or "Unnamed"


def normalise_password(password: str) -> str:
    """Return what is hashed: the same for every keyboard that writes the same characters, and never much too long."""
    return unicodedata.normalize("NFKC", password[: PASSWORD_MAX_LENGTH * 2])[: PASSWORD_MAX_LENGTH + 1]


def check_password(password: str, *, well_known: Collection[str]) -> None:
    """Refuse what is too short, too long or tried first by those who guess. There are no rules of composition.

    Raises:
        PasswordUnfit
    """
    password = normalise_password(password)
    if len(password) < PASSWORD_MIN_LENGTH:
        raise PasswordUnfit(f"The password has {len(password)} characters; it needs at least {PASSWORD_MIN_LENGTH}.")
    if len(password) > PASSWORD_MAX_LENGTH:
        raise PasswordUnfit(f"The password is longer than {PASSWORD_MAX_LENGTH} characters.")
    is_one_key = len(set(password)) == 1
    if is_one_key or password.casefold() in well_known:
        raise PasswordUnfit("This password is among the first that are guessed.")


def new_secret() -> str:
    """Return 256 bits of chance in 43 characters that need no quoting anywhere."""
    return secrets.token_urlsafe(32)


def is_secret(text: str) -> bool:
    """Tell whether a text has the form of a secret, so that nothing else is looked for in the database."""
    return _SECRET.fullmatch(text) is not None


def hash_secret(secret: str) -> bytes:
    """Return what is stored. A secret of 256 bits cannot be guessed, so a fast hash keeps it as well as a slow one."""
    return hashlib.sha256(secret.encode()).digest()
