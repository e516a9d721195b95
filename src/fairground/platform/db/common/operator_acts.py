"""The record of what was done to the installation by hand: who, what and when, kept in the act's own transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select

from fairground.kernel.ids import uuid7
from fairground.platform.db.common.tables import OperatorActRow
from fairground.platform.db.database import ReadTx, WriteTx


@dataclass(frozen=True)
class OperatorAct:
    acted_at: datetime
    actor: str
    details: dict[str, Any]


async def write_down_act(tx: WriteTx, *, act: str, actor: str, details: dict[str, Any]) -> None:
    """Add to the record; `details` is JSON without names of people."""
    entry = {"id": uuid7(), "acted_at": tx.now(), "actor": actor, "act": act, "details": details}
    await tx.execute(insert(OperatorActRow).values(**entry))


async def list_latest_acts(tx: ReadTx, *, act: str, limit: int) -> list[OperatorAct]:
    """Return the latest acts of one kind, the last one first."""
    columns = (OperatorActRow.acted_at, OperatorActRow.actor, OperatorActRow.details)
    latest = select(*columns).where(OperatorActRow.act == act).order_by(OperatorActRow.acted_at.desc())
    return [OperatorAct(row.acted_at, row.actor, row.details) for row in await tx.all(latest.limit(limit))]
