"""The operator log: who did what to the installation by hand and when, recorded in the transaction of the action."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select

from fairground.kernel.ids import uuid7
from fairground.platform.db.common.tables import OperatorActionRow
from fairground.platform.db.database import ReadTx, WriteTx


@dataclass(frozen=True)
class OperatorAction:
    acted_at: datetime
    actor: str
    details: dict[str, Any]


async def record_operator_action(tx: WriteTx, *, action: str, actor: str, details: dict[str, Any]) -> None:
    """Add an action to the log; `details` is JSON without names of people."""
    entry = {"id": uuid7(), "acted_at": tx.now(), "actor": actor, "act": action, "details": details}
    await tx.execute(insert(OperatorActionRow).values(**entry))


async def list_operator_actions(tx: ReadTx, *, action: str, limit: int) -> list[OperatorAction]:
    """Return the latest actions of one kind, the last one first."""
    columns = (OperatorActionRow.acted_at, OperatorActionRow.actor, OperatorActionRow.details)
    latest = select(*columns).where(OperatorActionRow.act == action).order_by(OperatorActionRow.acted_at.desc())
    return [OperatorAction(row.acted_at, row.actor, row.details) for row in await tx.all(latest.limit(limit))]
