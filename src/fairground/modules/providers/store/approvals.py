"""Approval: status changes, and the log that says who made them and why."""

from typing import Any
from uuid import UUID

from sqlalchemy import insert, update

from fairground.contracts.providers import ProviderRef, ProviderStatus
from fairground.kernel.ids import uuid7
from fairground.modules.providers.tables import ApprovalRow, ProviderPrivateRow, ProviderRow
from fairground.platform.db.database import WriteTx


async def move_status(
    tx: WriteTx, provider: ProviderRef, to: ProviderStatus, *, actor_id: UUID, reason: str | None = None
) -> None:
    """Set the status of a locked provider and write down who did it and why."""
    values: dict[str, Any] = {"status": to}
    if to is ProviderStatus.SUBMITTED:
        values["submitted_at"] = tx.now()
    await tx.execute(update(ProviderRow).where(ProviderRow.id == provider.id).values(**values))
    entry = {
        "id": uuid7(),
        "provider_id": provider.id,
        "actor_id": actor_id,
        "from_status": provider.status,
        "to_status": to,
        "reason": reason,
        "decided_at": tx.now(),
    }
    await tx.execute(insert(ApprovalRow).values(**entry))


async def set_rejection_reason(tx: WriteTx, provider_id: UUID, reason: str | None) -> None:
    own = ProviderPrivateRow.provider_id == provider_id
    await tx.execute(update(ProviderPrivateRow).where(own).values(rejection_reason=reason))
