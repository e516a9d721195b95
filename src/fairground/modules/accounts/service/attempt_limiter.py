"""Limits on sign-ins, registrations and mails, counted before a password is hashed or a mail is sent."""

import hashlib
from datetime import timedelta
from typing import Final
from uuid import UUID

from fairground.contracts.accounts import TooManyAttempts
from fairground.modules.accounts.settings import AccountsSettings
from fairground.platform.db.common.rate_limits import Limit, RateLimiter

_QUARTER_HOUR: Final = timedelta(minutes=15)
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_RESETS_IN_ALL: Final = 12  # mails an hour to one account


class AttemptLimiter:
    """Admits an attempt, or raises TooManyAttempts.

    The client is counted first, so that one client cannot make the table grow by inventing accounts.
    """

    def __init__(self, limiter: RateLimiter, settings: AccountsSettings) -> None:
        self._limiter = limiter
        # One attempt comes back after each whole window, which keeps any window of that length within the burst.
        self._sign_in = Limit("accounts.sign_in", burst=settings.sign_in_tries_per_account, interval=_QUARTER_HOUR)
        in_all = settings.sign_in_tries_per_account_in_all
        self._sign_in_in_all = _per("accounts.sign_in_in_all", in_all, _DAY)
        self._sign_in_client = _per("accounts.sign_in_client", settings.sign_in_tries_per_client, _QUARTER_HOUR)
        self._register_client = _per("accounts.register_client", settings.registrations_per_client, _HOUR)
        self._reset_client = _per("accounts.reset_client", settings.resets_per_client, _HOUR)
        self._reset = _per("accounts.reset", settings.mails_per_account, _HOUR)
        # One comes back at least every ten minutes, which is the shortest life of a mailed link.
        resets_in_all = max(_RESETS_IN_ALL, settings.mails_per_account)
        self._reset_in_all = _per("accounts.reset_in_all", resets_in_all, _HOUR)
        self._verification = _per("accounts.verification", settings.mails_per_account, _HOUR)
        self._email_change = _per("accounts.email_change", settings.mails_per_account, _HOUR)

    async def admit_sign_in(self, *, email: str, client: str) -> None:
        await self._admit(self._sign_in_client, client, "Too many sign-in attempts from your network.")
        await self.admit_password(email=email, source=client)

    async def admit_password(self, *, email: str, source: str) -> None:
        """Count an attempt by account and source, so that wrong passwords of one source do not lock out the others.

        Args:
            source: The client's address, or the session in which the password is entered.
        """
        detail, hint = "Too many wrong passwords for this account.", "or reset your password"
        await self._admit(self._sign_in, _of_source(email, source), detail, hint=hint)
        try:
            await self._admit(self._sign_in_in_all, _private(email), detail, hint=hint)
        except TooManyAttempts:
            await self._limiter.give_back(self._sign_in, key=_of_source(email, source))
            raise

    async def uncount_sign_in(self, *, email: str, client: str) -> None:
        """Remove a successful sign-in from the counts: an office behind one address may sign in without limit."""
        await self._limiter.give_back(self._sign_in_client, key=client)
        await self.uncount_password(email=email, source=client)

    async def uncount_password(self, *, email: str, source: str) -> None:
        """Remove an attempt with the right password from the counts; wrong ones stay counted."""
        await self._limiter.give_back(self._sign_in, key=_of_source(email, source))
        await self._limiter.give_back(self._sign_in_in_all, key=_private(email))

    async def clear_passwords(self, *, email: str) -> None:
        """Clear the counts of the account, so that a new password can be used at once."""
        await self._limiter.forget_beginning_with(self._sign_in, beginning=_of_source(email, ""))
        await self._limiter.forget(self._sign_in_in_all, key=_private(email))

    async def admit_registration(self, *, client: str) -> None:
        await self._admit(self._register_client, client, "Too many sign-ups from your network.")

    async def admit_reset(self, *, email: str, client: str) -> bool:
        """Admit a request for a reset mail, or raise TooManyAttempts.

        Returns False when the account was sent so many that no further one is needed: the newest is minutes old and
        can be used, so requests of others never keep the holder of the account from a link.
        """
        await self._admit(self._reset_client, client, "Too many password resets from your network.")
        detail = "Too many password resets for this account."
        await self._admit(self._reset, _of_source(email, client), detail)
        return await self._limiter.take(self._reset_in_all, key=_private(email)) == 0

    async def admit_verification(self, *, user_id: UUID) -> None:
        await self._admit(self._verification, str(user_id), "You've requested this email too often.")

    async def admit_email_change(self, *, user_id: UUID) -> None:
        await self._admit(self._email_change, str(user_id), "You've changed your address too often.")

    async def _admit(self, limit: Limit, key: str, detail: str, *, hint: str = "") -> None:
        wait_seconds = await self._limiter.take(limit, key=key)
        if wait_seconds:
            hint = f"Try again in {_in_words(wait_seconds)}{', ' + hint if hint else ''}."
            raise TooManyAttempts(detail, retry_after_seconds=wait_seconds, hint=hint)


def _per(name: str, count: int, window: timedelta) -> Limit:
    return Limit(name, burst=count, interval=window / count)


def _private(email: str) -> str:
    """Return a key that does not reveal the address, which may belong to no account."""
    return hashlib.sha256(email.encode(errors="surrogatepass")).hexdigest()


def _of_source(email: str, source: str) -> str:
    """Return a key that begins with that of the account."""
    return f"{_private(email)}:{source}"


def _in_words(seconds: int) -> str:
    return f"{seconds} seconds" if seconds < 90 else f"{-(-seconds // 60)} minutes"  # noqa: PLR2004 - minutes read better from here on
