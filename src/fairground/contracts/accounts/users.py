"""Users as others and they themselves see them, their sessions, and what accounts refuses."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from fairground.contracts.dto import DTO
from fairground.kernel.errors import Conflict, Forbidden, Invalid, LimitExceeded, NotFound, Unauthenticated, Unavailable

CLOSED_ACCOUNT_NAME: Final = "Closed account"
"""The name of every account that was closed."""


class Role(StrEnum):
    CUSTOMER = "customer"
    PROVIDER = "provider"
    STAFF = "staff"
    """May do everything that an admin may, except give roles and change settings."""
    ADMIN = "admin"

    @property
    def is_staff(self) -> bool:
        return self in {Role.STAFF, Role.ADMIN}


class AccountStatus(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"
    """By staff: it cannot sign in, and its provider's page is hidden."""
    CLOSED = "closed"
    """Closed by its user: it has a neutral name and no address, and is never opened again."""


class User(DTO):
    id: UUID
    email: str
    """Of a closed account, an address that no mail can be sent to."""
    name: str
    role: Role
    email_verified: bool
    created_at: datetime
    status: AccountStatus = AccountStatus.ACTIVE


class PendingEmail(DTO):
    """A new address that its link has not confirmed yet."""

    email: str
    expires_at: datetime


class OwnAccount(User):
    """An account as its own user sees it."""

    phone: str | None
    pending_email: PendingEmail | None


class LiveBooking(DTO):
    """A booking that takes a future time or waits for an answer."""

    booking_id: UUID
    service_name: str
    starts_at: datetime
    timezone: str
    side: str
    """Of the user: `customer` or `provider`."""


class SessionKind(StrEnum):
    BROWSER = "browser"
    TOKEN = "token"  # noqa: S105 - a kind of session, not a secret


class Session(DTO):
    """A proof of identity that is still valid. The secret itself is shown once and only its hash is kept."""

    id: UUID
    user_id: UUID
    kind: SessionKind
    name: str
    """The name that its user gave a token, or the User-Agent of a browser."""
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


class OpenedSession(DTO):
    session: Session
    user: User
    secret: str
    """The cookie's value or the bearer token. It cannot be read again."""


class EmailTaken(Conflict):
    code = "accounts.email_taken"
    hint = "Sign in instead, or reset your password with POST /api/v1/auth/password-reset."


class WrongCredentials(Unauthenticated):
    code = "accounts.wrong_credentials"
    hint = "Check your email and password, or reset the password with POST /api/v1/auth/password-reset."


class PasswordUnfit(Invalid):
    code = "accounts.password_unfit"
    hint = "Use 8 to 128 characters. A few unrelated words work well."


class EmailUnfit(Invalid):
    code = "accounts.email_unfit"
    hint = "Enter an address such as name@example.org."


class NameUnfit(Invalid):
    code = "accounts.name_unfit"
    hint = "Use 1 to 100 characters on one line."


class PhoneUnfit(Invalid):
    code = "accounts.phone_unfit"
    hint = "Include the country code, such as +47 22 33 44 55."


class EmailUnchanged(Conflict):
    code = "accounts.email_unchanged"
    hint = "Enter a different address."


class NotForStaff(Conflict):
    code = "accounts.not_for_staff"
    hint = "Use a different account to offer services."


class LastAdmin(Conflict):
    code = "accounts.last_admin"
    hint = "First make another account an admin: fairground users role EMAIL admin"


class AccountInUse(Conflict):
    """Future bookings are in the way; `context["bookings"]` lists them."""

    code = "accounts.in_use"
    hint = "Cancel them or wait until they have taken place, then close the account."

    def __init__(self, bookings: Sequence[LiveBooking]) -> None:
        shown = [booking.model_dump(mode="json") for booking in bookings]
        super().__init__("There are future bookings of this account.", bookings=shown)
        self.bookings = tuple(bookings)


class RoleNotOffered(Invalid):
    code = "accounts.role_not_offered"
    hint = "Register as a customer or provider. Create staff accounts with `fairground users create --role staff`."


class LinkUnusable(Invalid):
    """A mailed link that has expired, was used before, or never existed."""

    code = "accounts.link_unusable"
    hint = "Request a new link."


class EmailUnverified(Forbidden):
    code = "accounts.email_unverified"
    hint = "Open the link we emailed you, or request a new one with POST /api/v1/auth/verify-email/send."


class SignInSuspended(Forbidden):
    """The account is suspended. Only the right password leads to this answer."""

    code = "accounts.suspended"
    hint = "Contact support."


class SessionNotFound(NotFound):
    code = "accounts.session_not_found"


class UserNotFound(NotFound):
    code = "accounts.user_not_found"


class TooManyAttempts(LimitExceeded):
    code = "accounts.too_many_attempts"


class TooManyTokens(Conflict):
    code = "accounts.too_many_tokens"
    hint = "Delete one that you don't need with DELETE /api/v1/me/sessions/{id}; see GET /api/v1/me/tokens."


class HasherBusy(Unavailable):
    code = "accounts.hasher_busy"
    hint = "Too many people are signing in right now. Try again in a few seconds."
