"""What is counted before a password is hashed or a mail is sent."""

import hashlib
from datetime import timedelta
from typing import Final
from uuid import UUID

from fairground.contracts.accounts import TooManyAttempts
from fairground.modules.accounts.settings import AccountsSettings
from fairground.platform.ratelimit import Limit, RateLimiter

_QUARTER_HOUR: Final = timedelta(minutes=15)
_HOUR: Final = timedelta(hours=1)


class Gate:
    """Admits a try, or raises TooManyAttempts.

    The client is counted first, so that one client cannot make the table grow by inventing accounts.
    """

    def __init__(self, limiter: RateLimiter, settings: AccountsSettings) -> None:
        self._limiter = limiter
        # One try comes back after each whole window, which keeps any window of that length within the burst.
        self._sign_in = Limit("accounts.sign_in", burst=settings.sign_in_tries_per_account, interval=_QUARTER_HOUR)
        self._sign_in_client = _per("accounts.sign_in_client", settings.sign_in_tries_per_client, _QUARTER_HOUR)
        self._register_client = _per("accounts.register_client", settings.registrations_per_client, _HOUR)
        self._reset_client = _per("accounts.reset_client", settings.resets_per_client, _HOUR)
        self._reset = _per("accounts.reset", settings.mails_per_account, _HOUR)
        self._verification = _per("accounts.verification", settings.mails_per_account, _HOUR)

    async def admit_sign_in(self, *, email: str, client: str) -> None:
        await self._admit(self._sign_in_client, client, "Too many sign-ins from your address.")
        await self.admit_password(email=email)

    async def admit_password(self, *, email: str) -> None:
        await self._admit(self._sign_in, _private(email), "Too many wrong passwords for this account.")

    async def forget_sign_in(self, *, email: str, client: str) -> None:
        """Uncount a try that turned out to be the holder's; an office behind one address may sign in at will."""
        await self._limiter.give_back(self._sign_in_client, key=client)
        await self.forget_right_password(email=email)

    async def forget_right_password(self, *, email: str) -> None:
        """Uncount a try that turned out to be the holder's; the wrong ones of others stay counted."""
        await self._limiter.give_back(self._sign_in, key=_private(email))

    async def forget_wrong_passwords(self, *, email: str) -> None:
        """Let the holder of a new password in at once, however often the old one was guessed at."""
        await self._limiter.forget(self._sign_in, key=_private(email))

    async def admit_registration(self, *, client: str) -> None:
        await self._admit(self._register_client, client, "Too many registrations from your address.")

    async def admit_reset(self, *, email: str, client: str) -> None:
        await self._admit(self._reset_client, client, "Too many requests for a new password from your address.")
        await self._admit(self._reset, _private(email), "A new password was asked for too often for this account.")

    async def admit_verification(self, *, user_id: UUID) -> None:
        await self._admit(self._verification, str(user_id), "The mail was asked for too often.")

    async def _admit(self, limit: Limit, key: str, detail: str) -> None:
        wait_seconds = await self._limiter.take(limit, key=key)
        if wait_seconds:
            raise TooManyAttempts(
                detail, retry_after_seconds=wait_seconds, hint=f"Try again in {_in_words(wait_seconds)}."
            )


def _per(name: str, count: int, window: timedelta) -> Limit:
    return Limit(name, burst=count, interval=window / count)


def _private(email: str) -> str:
    """Return a key that does not tell the address, which may be nobody's customer."""
    return hashlib.sha256(email.encode(errors="surrogatepass")).hexdigest()


def _in_words(seconds: int) -> str:
    return f"{seconds} seconds" if seconds < 90 else f"{-(-seconds // 60)} minutes"  # noqa: PLR2004 - as people say it
