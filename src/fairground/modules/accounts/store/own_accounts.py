"""What users change of their own account: details, the address with the wait for its link, and its end."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from fairground.contracts.accounts import (
    CLOSED_ACCOUNT_NAME,
    AccountStatus,
    EmailTaken,
    OwnAccount,
    PendingEmail,
    Role,
    User,
)
from fairground.modules.accounts import domain
from fairground.modules.accounts.store import (
    USER,
    delete_all_links_of,
    delete_sessions_of,
    insert_words,
    to_user,
)
from fairground.modules.accounts.tables import EmailChangeRow, UserRow, UserWordRow
from fairground.platform.db.database import ReadTx, WriteTx


async def find_own_account(tx: ReadTx, user_id: UUID) -> OwnAccount | None:
    pending = (EmailChangeRow.user_id == UserRow.id) & (EmailChangeRow.expires_at > tx.now())
    columns = (UserRow.phone, EmailChangeRow.email.label("new_email"), EmailChangeRow.expires_at)
    statement = select(*USER, *columns).join(EmailChangeRow, pending, isouter=True).where(UserRow.id == user_id)
    row = await tx.one_or_none(statement)
    if row is None:
        return None
    pending_email = None if row.new_email is None else PendingEmail(email=row.new_email, expires_at=row.expires_at)
    return OwnAccount(**dict(to_user(row)), phone=row.phone, pending_email=pending_email)


async def change_user(tx: WriteTx, user_id: UUID, values: Mapping[str, Any]) -> None:
    await tx.execute(update(UserRow).where(UserRow.id == user_id).values(**values))


async def replace_words(tx: WriteTx, user: User) -> None:
    await delete_words(tx, user.id)
    await insert_words(tx, [user])


async def delete_words(tx: WriteTx, user_id: UUID) -> None:
    await tx.execute(delete(UserWordRow).where(UserWordRow.user_id == user_id))


async def put_email_change(tx: WriteTx, user_id: UUID, *, email: str, expires_at: Any) -> None:
    row = {"user_id": user_id, "email": email, "expires_at": expires_at}
    await tx.upsert(EmailChangeRow, [row], key=["user_id"], update=["email", "expires_at"])


async def find_new_email(tx: ReadTx, user_id: UUID) -> str | None:
    """Return the address that waits for its link."""
    waiting = (EmailChangeRow.user_id == user_id) & (EmailChangeRow.expires_at > tx.now())
    email: str | None = await tx.scalar(select(EmailChangeRow.email).where(waiting))
    return email


async def delete_email_change(tx: WriteTx, user_id: UUID) -> None:
    await tx.execute(delete(EmailChangeRow).where(EmailChangeRow.user_id == user_id))


async def replace_email(tx: WriteTx, user_id: UUID, *, email: str) -> None:
    """Give a user another address, confirmed; raise EmailTaken if another account has it. End the transaction then."""
    changed = update(UserRow).where(UserRow.id == user_id).values(email=email, email_verified_at=tx.now())
    try:
        await tx.execute(changed)
    except IntegrityError:
        raise EmailTaken("Another account now uses this address.") from None


async def count_active_admins(tx: WriteTx) -> int:
    """Count them, and keep others from changing them until this transaction ends."""
    admins = (UserRow.role == Role.ADMIN.value) & (UserRow.status == AccountStatus.ACTIVE.value)
    return len(await tx.lock(select(UserRow.id).where(admins).order_by(UserRow.id)))


async def close(tx: WriteTx, user_id: UUID) -> int:
    """Erase what says who a locked user was, end all access, and return the version of the status."""
    await delete_sessions_of(tx, user_id)
    await delete_all_links_of(tx, user_id)
    await delete_email_change(tx, user_id)
    await delete_words(tx, user_id)
    erased = {
        "email": domain.closed_email(user_id),
        "name": CLOSED_ACCOUNT_NAME,
        "phone": None,
        "password_hash": "",
        "email_verified_at": None,
    }
    await change_user(tx, user_id, erased)
    return await set_status(tx, user_id, AccountStatus.CLOSED)


async def set_status(tx: WriteTx, user_id: UUID, status: AccountStatus) -> int:
    """Set the status of a locked user and return its version."""
    values = {"status": status.value, "status_version": UserRow.status_version + 1}
    await change_user(tx, user_id, values)
    version: int = await tx.scalar(select(UserRow.status_version).where(UserRow.id == user_id))
    return version
