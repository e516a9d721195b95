"""The service of accounts, in parts: each file is one subject, and the class here is all of them."""

from dataclasses import dataclass

from fairground.modules.accounts import store
from fairground.modules.accounts.service.directory import Directory
from fairground.modules.accounts.service.passwords import Passwords
from fairground.modules.accounts.service.registration import Registration
from fairground.modules.accounts.service.sessions import Sessions
from fairground.modules.accounts.service.verification import Verification


@dataclass(frozen=True)
class AccountService(Registration, Sessions, Passwords, Verification, Directory):
    """Implements the contract `Accounts`."""

    async def drop_expired(self) -> None:
        """Delete sessions and links whose time is over."""
        async with self.db.write(ends_job=True) as tx:
            await store.delete_expired(tx)
