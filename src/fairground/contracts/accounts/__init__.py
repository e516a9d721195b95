"""The contract of accounts: users, their sessions and API tokens, verification and passwords.

This file has the protocols and events; `users` defines the data and the errors.
"""

from collections.abc import Collection, Mapping
from typing import ClassVar, Protocol
from uuid import UUID

from fairground.contracts.accounts.staff import (
    SEARCH_MAX_LENGTH,
    SUSPENSION_REASON_MAX_LENGTH,
    AccountStatusConflict,
    NotPermitted,
    StaffAccount,
    StaffAccountDetail,
    StaffAccountPage,
    StaffAccounts,
    SuspensionInvalid,
)
from fairground.contracts.accounts.users import (
    CLOSED_ACCOUNT_NAME,
    AccountInUse,
    AccountStatus,
    EmailTaken,
    EmailUnchanged,
    EmailUnfit,
    EmailUnverified,
    HasherBusy,
    LastAdmin,
    LinkUnusable,
    LiveBooking,
    NameUnfit,
    NotForStaff,
    OpenedSession,
    OwnAccount,
    PasswordUnfit,
    PendingEmail,
    PhoneUnfit,
    Role,
    RoleNotOffered,
    Session,
    SessionKind,
    SessionNotFound,
    SignInSuspended,
    TooManyAttempts,
    TooManyTokens,
    User,
    UserNotFound,
    WrongCredentials,
)
from fairground.kernel.errors import Invalid
from fairground.kernel.messages import Event

__all__ = [
    "CLOSED_ACCOUNT_NAME",
    "SEARCH_MAX_LENGTH",
    "SUSPENSION_REASON_MAX_LENGTH",
    "AccountClosed",
    "AccountInUse",
    "AccountObligations",
    "AccountRestored",
    "AccountStatus",
    "AccountStatusConflict",
    "AccountSuspended",
    "Accounts",
    "EmailChanged",
    "EmailTaken",
    "EmailUnchanged",
    "EmailUnfit",
    "EmailUnverified",
    "EmailVerified",
    "HasherBusy",
    "LastAdmin",
    "LinkUnusable",
    "LiveBooking",
    "NameUnfit",
    "NotForStaff",
    "NotPermitted",
    "OpenedSession",
    "OwnAccount",
    "OwnAccounts",
    "PasswordUnfit",
    "PendingEmail",
    "PhoneUnfit",
    "Role",
    "RoleNotOffered",
    "Session",
    "SessionKind",
    "SessionNotFound",
    "SignInSuspended",
    "StaffAccount",
    "StaffAccountDetail",
    "StaffAccountPage",
    "StaffAccounts",
    "SuspensionInvalid",
    "TooManyAttempts",
    "TooManyTokens",
    "User",
    "UserNotFound",
    "UserRegistered",
    "WrongCredentials",
]


class UserRegistered(Event):
    topic: ClassVar = "accounts.registered.v1"
    user_id: UUID
    role: Role


class EmailVerified(Event):
    topic: ClassVar = "accounts.email_verified.v1"
    user_id: UUID


class EmailChanged(Event):
    """An account has another address, which is confirmed."""

    topic: ClassVar = "accounts.email_changed.v1"
    user_id: UUID


class _StatusChanged(Event):
    """An account has another status. The version only grows, so that late and double delivery do no harm."""

    user_id: UUID
    version: int


class AccountSuspended(_StatusChanged):
    topic: ClassVar = "accounts.suspended.v1"


class AccountRestored(_StatusChanged):
    """A suspension has ended."""

    topic: ClassVar = "accounts.restored.v1"


class AccountClosed(_StatusChanged):
    """An account was closed by its user."""

    topic: ClassVar = "accounts.closed.v1"


class Accounts(Protocol):
    """`client` is the address the limits count by: an IPv4 address, or the /64 of an IPv6 one."""

    def check_registration(self, *, email: str | None, password: str | None, name: str | None) -> list[Invalid]:
        """Return why `register` would refuse these fields, all reasons at once; None is a field that is not given."""
        ...

    async def register(
        self, *, email: str, password: str, name: str, role: Role, client: str, next_path: str = ""
    ) -> User:
        """Create a user and mail a link that verifies the address.

        Args:
            next_path: The page of this site to which the page of that link leads on.

        Raises:
            EmailTaken: The address has an account already.
            PasswordUnfit: Shorter than 8 or longer than 128 characters, or among the well-known ones.
            EmailUnfit, NameUnfit: Not an address; an empty or too long name.
            RoleNotOffered: Neither customer nor provider.
            TooManyAttempts: The client registered too often; counted before any hash is computed.
        """
        ...

    async def create_user(
        self, *, email: str, password: str, name: str, role: Role, email_verified: bool = True
    ) -> User:
        """Create a user of any role, for operators: no limits, no mail.

        Raises:
            EmailTaken, EmailUnfit, NameUnfit, PasswordUnfit: As for `register`.
        """
        ...

    async def create_users_in_bulk(self, *, users: list[tuple[str, str, Role]], password: str) -> list[User]:
        """Create verified users `(email, name, role)` that share one password, hashed once. For the demo only.

        Raises:
            EmailTaken: One of the addresses has an account; no user was created.
        """
        ...

    async def sign_in(
        self, *, email: str, password: str, kind: SessionKind, name: str, client: str, replaces: str | None = None
    ) -> OpenedSession:
        """Open a session.

        Args:
            name: The name in the list of sessions, such as the User-Agent of the browser.
            replaces: The secret that this browser has until now, if any; its session ends.

        Raises:
            WrongCredentials: Unknown address or wrong password; both take the same time.
            SignInSuspended: The password is right, and the account is suspended.
            TooManyAttempts: Too many attempts for the account from this client, from this client for all accounts, or
                for the account in all; counted before any hash is computed.
            HasherBusy: Too many passwords wait to be verified; the attempt is not counted.
        """
        ...

    async def find_session(self, *, secret: str) -> tuple[Session, User] | None:
        """Return the session and its user, or None if it is unknown, expired or revoked.

        Marks it as seen if the database can write now.
        """
        ...

    async def create_token(self, *, user_id: UUID, name: str) -> OpenedSession:
        """Create an API token that lives for a year, or 30 days for an admin, unless it is revoked.

        Raises:
            UserNotFound
            SignInSuspended: The account is suspended.
            TooManyTokens: The user has 100 already.
        """
        ...

    async def list_sessions(self, *, user_id: UUID) -> list[Session]:
        """Return the live sessions, newest first; there are at most 100 of each kind."""
        ...

    async def revoke_session(self, *, user_id: UUID, session_id: UUID) -> None:
        """End a session.

        Raises:
            SessionNotFound: No such session, or it belongs to another user.
        """
        ...

    async def get_user(self, *, user_id: UUID) -> User:
        """Raise UserNotFound when there is none."""
        ...

    async def find_user_by_email(self, *, email: str) -> User | None: ...

    async def find_users(self, *, user_ids: Collection[UUID]) -> dict[UUID, User]:
        """Return the users that exist, by id."""
        ...

    async def list_users(self, *, role: Role | None, limit: int) -> list[User]:
        """Return the newest users first."""
        ...

    async def list_staff(self, *, limit: int) -> list[User]:
        """Return active accounts of staff and admins, the newest of each role first."""
        ...

    async def count_users(self) -> int: ...

    async def send_verification(self, *, user_id: UUID, next_path: str = "") -> None:
        """Mail a fresh link that verifies the address; does nothing when it is verified. `next_path`: as `register`.

        Raises:
            TooManyAttempts: Requested too often.
        """
        ...

    async def verify_email(self, *, token: str) -> User:
        """Verify the address of a mailed link's user; raise LinkUnusable if the link cannot be used."""
        ...

    async def request_password_reset(self, *, email: str, client: str) -> None:
        """Mail a link that sets a new password. Returns the same way whether or not the address is known.

        Raises:
            TooManyAttempts: Too many requests of the client, for this address or in all.
        """
        ...

    async def reset_password(self, *, token: str, password: str) -> User:
        """Set a new password, end every session of the account, and clear its count of wrong passwords.

        Raises:
            LinkUnusable, PasswordUnfit
        """
        ...

    async def set_password(self, *, user_id: UUID, password: str) -> None:
        """Set a new password and end every session, for operators: no limits, no mail.

        Raises:
            UserNotFound, PasswordUnfit
        """
        ...

    async def change_password(self, *, user_id: UUID, session_id: UUID, current: str, new: str) -> OpenedSession:
        """Set a new password, end every session, and open a new one in place of the given.

        Raises:
            WrongCredentials: `current` is not the password.
            PasswordUnfit: As for `register`.
            SessionNotFound: No such session, or it belongs to another user.
            TooManyAttempts: Too many wrong passwords in this session, or for the account in all, sign-in included.
        """
        ...


class OwnAccounts(Protocol):
    """What users do with their own account. `session_id` is the session in which a password is entered."""

    async def get_own_account(self, *, user_id: UUID) -> OwnAccount:
        """Raise UserNotFound when there is none."""
        ...

    async def change_details(self, *, user_id: UUID, changes: Mapping[str, str | None]) -> OwnAccount:
        """Change `name` and `phone`, as far as they are named; no `phone` removes the number.

        Raises:
            NameUnfit, PhoneUnfit, UserNotFound
        """
        ...

    async def become_provider(self, *, user_id: UUID) -> OwnAccount:
        """Give a customer's account the role provider, with which it can still book; a provider's stays as it is.

        Raises:
            NotForStaff, UserNotFound
        """
        ...

    async def request_email_change(self, *, user_id: UUID, session_id: UUID, email: str, password: str) -> OwnAccount:
        """Mail a link to the new address and a notice to the old one. Nothing changes until the link is used.

        A request replaces the one before it.

        Raises:
            WrongCredentials: `password` is not the password.
            EmailUnfit, EmailTaken, EmailUnchanged
            TooManyAttempts: Too many wrong passwords, as for `change_password`, or too many mails.
        """
        ...

    async def cancel_email_change(self, *, user_id: UUID) -> OwnAccount:
        """Forget the new address; its link can no longer be used."""
        ...

    async def confirm_email_change(self, *, token: str) -> User:
        """Give the account the new address, confirmed. Links that were mailed to the old one can no longer be used.

        Raises:
            LinkUnusable: It has expired, was used or cancelled, or never existed.
            EmailTaken: Another account has the address since; nothing has changed.
        """
        ...

    async def close_account(self, *, user_id: UUID, session_id: UUID, password: str) -> None:
        """End sessions and tokens, erase name, address and telephone, and withdraw the provider's page.

        Bookings and reviews stay, under a neutral name. The address can be used for a new account.

        Raises:
            WrongCredentials, TooManyAttempts: As for `change_password`.
            AccountInUse: There are future bookings on either side.
            LastAdmin: No other account is an admin's.
        """
        ...


class AccountObligations(Protocol):
    """Implemented by booking, which is built after accounts and therefore looked up at each call."""

    async def list_live_bookings(self, *, user_id: UUID) -> list[LiveBooking]:
        """Return the bookings of either side that are held, requested or confirmed and have not ended; at most 100."""
        ...
