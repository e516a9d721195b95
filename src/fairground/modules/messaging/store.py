"""Every SQL statement of the messaging module."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Integer, Select, and_, bindparam, desc, func, insert, select, tuple_, union_all, update

from fairground.contracts.messaging import MessageSide, SubjectKind, ThreadMessage
from fairground.kernel.inputs import TimeCursor
from fairground.modules.messaging.domain import ConversationRecord
from fairground.modules.messaging.tables import ConversationRow, MessageRow
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.platform.db.dialect.base import SQLOps
from fairground.platform.db.dialect.prepared import Prepared
from fairground.platform.db.types import among, constant

_CONVERSATION: Final = tuple(field.name for field in fields(ConversationRecord))
_MESSAGE: Final = tuple(ThreadMessage.model_fields)


async def insert_conversation(tx: WriteTx, record: ConversationRecord) -> bool:
    """Insert a conversation. Return False if its subject has one already, also one that is just being committed."""
    return await tx.insert_ignore(ConversationRow, [_conversation_row(record)]) == 1


def _conversation_row(record: ConversationRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in _CONVERSATION} | {"subject_kind": record.subject_kind.value}


async def find_conversation(tx: ReadTx, *, kind: SubjectKind, subject_id: UUID) -> ConversationRecord | None:
    return _record(await tx.one_or_none(_conversation(tx.ops), {"kind": kind.value, "subject": subject_id}))


async def lock_conversation(tx: WriteTx, *, kind: SubjectKind, subject_id: UUID) -> ConversationRecord | None:
    """Do the same, and keep others from changing the conversation until this transaction ends."""
    return _record(await tx.one_or_none(_conversation_lock(tx.ops), {"kind": kind.value, "subject": subject_id}))


@lru_cache(maxsize=2)  # one for each dialect
def _conversation(_ops: SQLOps) -> Prepared:
    return Prepared(_of_subject())


@lru_cache(maxsize=2)
def _conversation_lock(ops: SQLOps) -> Prepared:
    return Prepared(ops.lock_rows(_of_subject()))


def _of_subject() -> Select[Any]:
    return _select_conversations().where(
        ConversationRow.subject_kind == bindparam("kind"), ConversationRow.subject_id == bindparam("subject")
    )


def _select_conversations() -> Select[Any]:
    return select(*(ConversationRow.__table__.c[name] for name in _CONVERSATION))


def _record(row: Any) -> ConversationRecord | None:
    if row is None:
        return None
    values = {name: getattr(row, name) for name in _CONVERSATION}
    return ConversationRecord(**values | {"subject_kind": SubjectKind(row.subject_kind)})


async def get_conversation(tx: ReadTx, conversation_id: UUID) -> ConversationRecord | None:
    return _record(await tx.one_or_none(_select_conversations().where(ConversationRow.id == conversation_id)))


async def find_sent(
    tx: ReadTx, *, conversation_id: UUID, sender_id: UUID, client_message_id: UUID
) -> ThreadMessage | None:
    """Return the message that its sender gave this id."""
    values = {"conversation": conversation_id, "sender": sender_id, "client": client_message_id}
    row = await tx.one_or_none(_sent(tx.ops), values)
    return None if row is None else _message(row)


@lru_cache(maxsize=2)
def _sent(_ops: SQLOps) -> Prepared:
    return Prepared(
        _select_messages().where(
            MessageRow.conversation_id == bindparam("conversation"),
            MessageRow.sender_id == bindparam("sender"),
            MessageRow.client_message_id == bindparam("client"),
        )
    )


def _select_messages() -> Select[Any]:
    return select(*(MessageRow.__table__.c[name] for name in _MESSAGE))


def _message(row: Any) -> ThreadMessage:
    return ThreadMessage(**{name: getattr(row, name) for name in _MESSAGE})


async def insert_message(tx: WriteTx, message: ThreadMessage, *, conversation_id: UUID, sender_id: UUID) -> None:
    row = message_row(message, conversation_id=conversation_id, sender_id=sender_id)
    await tx.execute(_insert_message(tx.ops, tuple(row)), row)


def message_row(message: ThreadMessage, *, conversation_id: UUID, sender_id: UUID) -> dict[str, Any]:
    own = {"side": message.side.value, "conversation_id": conversation_id, "sender_id": sender_id}
    return message.model_dump() | own


@lru_cache(maxsize=2)
def _insert_message(_ops: SQLOps, names: tuple[str, ...]) -> Prepared:
    return Prepared(insert(MessageRow).values({name: bindparam(name) for name in names}))


async def note_message(tx: WriteTx, message: ThreadMessage, *, conversation_id: UUID) -> None:
    """Make a message the last one of its conversation, and count it as unread for the other side."""
    values = {"conversation": conversation_id, "sequence": message.sequence, "at": message.created_at}
    await tx.execute(_note_message(tx.ops, message.side), values)


@lru_cache(maxsize=4)
def _note_message(_ops: SQLOps, side: MessageSide) -> Prepared:
    unread = ConversationRow.__table__.c[f"{side.other}_unread_count"]
    return Prepared(
        update(ConversationRow)
        .where(ConversationRow.id == bindparam("conversation"))
        .values(
            {
                "last_sequence": bindparam("sequence"),
                "last_message_at": bindparam("at"),
                unread.name: unread + constant(1),
            }
        )
    )


async def list_messages(tx: ReadTx, *, conversation_id: UUID, after: int, limit: int) -> list[ThreadMessage]:
    values = {"conversation": conversation_id, "after": after, "limit": limit}
    return [_message(row) for row in await tx.all(_messages(tx.ops), values)]


@lru_cache(maxsize=2)
def _messages(_ops: SQLOps) -> Prepared:
    return Prepared(
        _select_messages()
        .where(MessageRow.conversation_id == bindparam("conversation"), MessageRow.sequence > bindparam("after"))
        .order_by(MessageRow.sequence)
        .limit(bindparam("limit", type_=Integer()))
    )


async def set_read_sequence(tx: WriteTx, *, conversation_id: UUID, side: MessageSide, sequence: int) -> int:
    """Store up to where a side of a locked conversation has read; return how much it has not."""
    unread: int = await tx.scalar(
        select(func.count())
        .select_from(MessageRow)
        .where(
            MessageRow.conversation_id == conversation_id,
            MessageRow.sequence > sequence,
            MessageRow.side == side.other.value,
        )
    )
    values = {f"{side}_read_sequence": sequence, f"{side}_unread_count": unread}
    await tx.execute(update(ConversationRow).where(ConversationRow.id == conversation_id).values(values))
    return unread


async def count_unread(tx: ReadTx, *, user_id: UUID) -> int:
    """Return the number of unread messages in all conversations of a user."""
    count: int = await tx.scalar(_unread(tx.ops), {"user": user_id})
    return count


@lru_cache(maxsize=2)
def _unread(_ops: SQLOps) -> Prepared:
    table = ConversationRow.__table__.c
    counts = union_all(
        *(
            # The condition is that of the partial index, to the letter.
            select(unread.label("unread")).where(owner == bindparam("user"), unread > constant(0))
            for owner, unread in (
                (table.customer_id, table.customer_unread_count),
                (table.provider_owner_id, table.provider_unread_count),
            )
        )
    ).subquery()
    return Prepared(select(func.coalesce(func.sum(counts.c.unread), constant(0), type_=Integer())))


async def list_conversations(
    tx: ReadTx, *, user_id: UUID, after: TimeCursor | None, limit: int
) -> list[tuple[ConversationRecord, ThreadMessage]]:
    """Return conversations of the user on either side with their last messages, the newest message first."""
    values: dict[str, Any] = {"user": user_id, "limit": limit}
    if after is not None:
        values |= {"after_at": after.at, "after_id": after.id}
    page = await tx.all(_page(tx.ops, is_behind=after is not None), values)
    ids = [entry.id for entry in page]
    rows = await tx.all(_conversations(tx.ops), {"ids": ids}) if ids else []
    found = {row.id: row for row in rows}
    return [(record, _message(found[each])) for each in ids if (record := _record(found[each])) is not None]


@lru_cache(maxsize=4)
def _page(_ops: SQLOps, *, is_behind: bool) -> Prepared:
    # One select for each side, because an OR of two columns is answered from no ordered index; each reads a page at
    # most, whatever the planner makes of their union. No user is on both sides of a booking.
    page = bindparam("limit", type_=Integer())
    branches = []
    for column in (ConversationRow.customer_id, ConversationRow.provider_owner_id):
        own = select(ConversationRow.id, ConversationRow.last_message_at).where(column == bindparam("user"))
        if is_behind:
            last = tuple_(
                bindparam("after_at", type_=ConversationRow.last_message_at.type),
                bindparam("after_id", type_=ConversationRow.id.type),
            )
            own = own.where(tuple_(ConversationRow.last_message_at, ConversationRow.id) < last)
        newest = own.order_by(ConversationRow.last_message_at.desc(), ConversationRow.id.desc()).limit(page)
        branches.append(select(newest.subquery()))
    return Prepared(union_all(*branches).order_by(desc("last_message_at"), desc("id")).limit(page))


@lru_cache(maxsize=2)
def _conversations(_ops: SQLOps) -> Prepared:
    is_last = and_(
        MessageRow.conversation_id == ConversationRow.id, MessageRow.sequence == ConversationRow.last_sequence
    )
    columns = [MessageRow.__table__.c[name] for name in _MESSAGE]
    return Prepared(
        _select_conversations()
        .add_columns(*columns)
        .join(MessageRow, is_last)
        .where(among(ConversationRow.id, bindparam("ids")))
    )


async def find_subjects(tx: ReadTx, *, kind: SubjectKind, subject_ids: Collection[UUID]) -> set[UUID]:
    """Return those of the subjects that have a conversation."""
    known = select(ConversationRow.subject_id).where(
        ConversationRow.subject_kind == kind.value, among(ConversationRow.subject_id, subject_ids)
    )
    return set(await tx.scalars(known))


async def insert_threads(
    tx: WriteTx, *, conversations: Sequence[ConversationRecord], messages: Sequence[Mapping[str, Any]]
) -> bool:
    """Insert new conversations with all of their messages. Return False if one exists, and the caller rolls back."""
    rows = [_conversation_row(record) for record in conversations]
    if await tx.insert_many(ConversationRow, rows) != len(rows):
        return False
    await tx.insert_many(MessageRow, messages)
    return True
