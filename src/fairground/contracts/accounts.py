"""Accounts: users, their sessions and API tokens, verification and passwords."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol
from uuid import UUID

from fairground.contracts.dto import DTO
from fairground.kernel.errors import Conflict, Forbidden, Invalid, LimitExceeded, NotFound, Unauthenticated, Unavailable
from fairground.kernel.messages import Event


class Role(StrEnum):
    CUSTOMER = "customer"
    PROVIDER = "provider"
    ADMIN = "admin"


class User(DTO):
    id: UUID
    email: str
    name: str
    role: Role
    email_verified: bool
    created_at: datetime


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
    hint = "Sign in instead, or ask for a new password with POST /api/v1/auth/password-reset."


class WrongCredentials(Unauthenticated):
    code = "accounts.wrong_credentials"
    hint = "Check e-mail and password; POST /api/v1/auth/password-reset sends a link for a new one."


class PasswordUnfit(Invalid):
    code = "accounts.password_unfit"
    hint = "Choose 8 to 128 characters that are not a well-known password; a few words make a good one."


class EmailUnfit(Invalid):
    code = "accounts.email_unfit"
    hint = "Write it as name@example.org, the whole address and nothing else."


class NameUnfit(Invalid):
    code = "accounts.name_unfit"
    hint = "Write 1 to 100 characters on one line."


class RoleNotOffered(Invalid):
    code = "accounts.role_not_offered"
    hint = "Register as customer or provider; `fairground users create --role admin` makes an admin."


class LinkUnusable(Invalid):
    """A mailed link that has expired, was used before, or never existed."""

    code = "accounts.link_unusable"
    hint = "Ask for a new link."


class EmailUnverified(Forbidden):
    code = "accounts.email_unverified"
    hint = "Follow the link in the mail we sent; POST /api/v1/auth/verify-email/send sends another one."


class SessionNotFound(NotFound):
    code = "accounts.session_not_found"


class UserNotFound(NotFound):
    code = "accounts.user_not_found"


class TooManyAttempts(LimitExceeded):
    code = "accounts.too_many_attempts"


class TooManyTokens(Conflict):
    code = "accounts.too_many_tokens"
    hint = "End one that is not needed with DELETE /api/v1/me/sessions/{id}; GET /api/v1/me/tokens lists them."


class HasherBusy(Unavailable):
    code = "accounts.hasher_busy"
    hint = "Many people sign in at this moment; try again in a few seconds."


class UserRegistered(Event):
    topic: ClassVar = "accounts.registered.v1"
    user_id: UUID
    role: Role


class EmailVerified(Event):
    topic: ClassVar = "accounts.email_verified.v1"
    user_id: UUID


class Accounts(Protocol):
    """`client` is the address the limits count by: an IPv4 address, or the /64 of an IPv6 one."""

    async def register(self, *, email: str, password: str, name: str, role: Role, client: str) -> User:
        """Create a user and mail a link that verifies the address.

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

    async def become_provider(self, *, user_id: UUID) -> User:
        """Make a customer a provider, who can book as before; a user of another role stays as they are.

        Raises:
            UserNotFound
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

    async def find_users(self, *, user_ids: Collection[UUID]) -> dict[UUID, User]:
        """Return the users that exist, by id."""
        ...

    async def list_users(self, *, role: Role | None, limit: int) -> list[User]:
        """Return the newest users first."""
        ...

    async def count_users(self) -> int: ...

    async def send_verification(self, *, user_id: UUID) -> None:
        """Mail a fresh link that verifies the address; does nothing when it is verified.

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

    async def change_password(self, *, user_id: UUID, session_id: UUID, current: str, new: str) -> OpenedSession:
        """Set a new password, end every session, and open a new one in place of the given.

        Raises:
            WrongCredentials: `current` is not the password.
            PasswordUnfit: As for `register`.
            SessionNotFound: No such session, or it belongs to another user.
            TooManyAttempts: Too many wrong passwords in this session, or for the account in all, sign-in included.
        """
        ...
