"""Bookings as rows, and rows as bookings."""

from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import structlog

from fairground.contracts.booking import BookingStatus
from fairground.contracts.providers import BookingMode
from fairground.kernel.addresses import Address
from fairground.kernel.zones import get_zone
from fairground.modules.booking.deals.domain.machine import Actor
from fairground.modules.booking.deals.domain.record import BookingRecord, StaffDecision
from fairground.modules.booking.time.allocations import Allocation
from fairground.verticals.cancellation_policy import CancellationPolicy
from fairground.verticals.pricing import PriceModel

log = structlog.get_logger(__name__)

_KEPT_ELSEWHERE: Final = frozenset({"lapses_at", "changed_by", "decided_refund_minor"})
BOOKING_COLUMNS: Final = tuple(field.name for field in fields(BookingRecord) if field.name not in _KEPT_ELSEWHERE)


class UnreadableBooking(Exception):
    """The row of a booking is none that this version understands; the cause says why."""

    def __init__(self, booking_id: UUID) -> None:
        super().__init__(f"The row of booking {booking_id} cannot be read.")
        self.booking_id = booking_id


class ListedBooking(NamedTuple):
    """A booking of a page; without a record where its row cannot be read."""

    id: UUID
    starts_at: datetime
    record: BookingRecord | UnreadableBooking


def booking_row(record: BookingRecord) -> dict[str, Any]:
    wall = record.starts_at.astimezone(get_zone(record.timezone))
    return {name: getattr(record, name) for name in BOOKING_COLUMNS} | {
        "status": record.status.value,
        "booking_mode": record.booking_mode.value,
        "price_model": record.price_model.value,
        "address": record.address.as_row() if record.address else None,
        "cancellation": record.cancellation.model_dump(mode="json"),
        "starts_wall": wall.replace(tzinfo=None).isoformat(timespec="minutes"),
        "starts_fold": wall.fold,
    }


def change_row(
    record: BookingRecord, *, actor: Actor, from_status: BookingStatus | None, decision: StaffDecision | None = None
) -> dict[str, Any]:
    row = {
        "booking_id": record.id,
        "version": record.version,
        "actor": actor.value,
        "from_status": None if from_status is None else from_status.value,
        "to_status": record.status.value,
        "changed_at": record.changed_at,
    }
    if decision is None:
        return row
    return row | {
        "acted_by": decision.staff_id,
        "on_behalf_of": decision.on_behalf_of.value,
        "reason": decision.reason,
        "refund_minor": decision.refund_minor,
    }


def record_of(row: Any) -> BookingRecord:
    """Return the record of a row of `select_bookings`; raise UnreadableBooking."""
    try:
        return BookingRecord(
            **{name: getattr(row, name) for name in BOOKING_COLUMNS}
            | {
                "status": BookingStatus(row.status),
                "booking_mode": BookingMode(row.booking_mode),
                "price_model": PriceModel(row.price_model),
                "address": Address.read(row.address),
                # What a newer version has stored besides is ignored, so that going back to this one leaves bookings
                # readable.
                "cancellation": CancellationPolicy.model_validate(row.cancellation, extra="ignore"),
                "lapses_at": row.lapses_at,
                "changed_by": Actor(row.changed_by),
                "decided_refund_minor": row.decided_refund_minor,
            }
        )
    except ValueError as error:
        raise UnreadableBooking(row.id) from error


def read_or_refuse(row: Any) -> BookingRecord | UnreadableBooking:
    try:
        return record_of(row)
    except UnreadableBooking as error:
        return error


def allocation_of(record: BookingRecord) -> Allocation:
    """Return the time that a booking takes, as it is claimed and released."""
    return Allocation(
        booking_id=record.id,
        provider_id=record.provider_id,
        provider_slug=record.provider_slug,
        starts_at=record.starts_at,
        ends_at=record.ends_at,
    )


def readable(records: Iterable[BookingRecord | UnreadableBooking]) -> list[BookingRecord]:
    """Return the records that can be read. A row that cannot is logged and left out, and hides no other booking."""
    readable = []
    for record in records:
        if isinstance(record, UnreadableBooking):
            log.error("booking.unreadable", booking_id=str(record.booking_id), exc_info=record)
        else:
            readable.append(record)
    return readable
