"""Receipts: what a customer has paid for a booking, and got back since."""

from typing import Final
from uuid import UUID

from fairground.contracts.accounts import Accounts
from fairground.contracts.booking import Receipt, ReceiptLine, ReceiptNotFound
from fairground.contracts.payments import PaymentReceipt, Payments
from fairground.modules.booking.deals import store
from fairground.modules.booking.deals.domain.machine import Actor
from fairground.modules.booking.deals.domain.record import BookingRecord
from fairground.platform.db.database import Database
from fairground.verticals.pricing import PriceModel

_DIGITS: Final = 12  # of a payment's id, the last ones of which are random


class Receipts:
    def __init__(self, *, db: Database, accounts: Accounts, payments: Payments) -> None:
        self._db = db
        self._accounts = accounts
        self._payments = payments

    async def get_receipt(self, *, user_id: UUID, booking_id: UUID) -> Receipt:
        async with self._db.read() as tx:
            record, _ = await store.get_booking(tx, booking_id=booking_id)
        if record.side_of(user_id) is not Actor.CUSTOMER:
            raise ReceiptNotFound("The receipt of a booking is its customer's.")
        paid = await self._payments.find_receipt(reference_id=booking_id)
        if paid is None:
            raise ReceiptNotFound(f"No money was taken for booking {booking_id}.")
        customers = await self._accounts.find_users(user_ids={user_id})
        return _receipt(record, paid, customer_name=customers[user_id].name if user_id in customers else "")


def _receipt(record: BookingRecord, paid: PaymentReceipt, *, customer_name: str) -> Receipt:
    people = record.party_size if record.price_model is PriceModel.PERSON else None
    line = ReceiptLine(
        words=record.service_name,
        quantity=people or 1,
        unit_price_minor=record.price_minor if people else record.total_minor,
        total_minor=record.total_minor,
    )
    return Receipt(
        number=receipt_number(paid.payment_id),
        booking_id=record.id,
        provider_name=record.provider_name,
        customer_name=customer_name,
        service_name=record.service_name,
        starts_at=record.starts_at,
        ends_at=record.ends_at,
        timezone=record.timezone,
        place=record.place,
        lines=[line],
        currency=paid.currency,
        captured_minor=paid.captured_minor,
        captured_at=paid.captured_at,
        card=paid.card,
        refunds=paid.refunds,
        refunded_minor=paid.refunded_minor,
        net_minor=paid.captured_minor - paid.refunded_minor,
    )


def receipt_number(payment_id: UUID) -> str:
    digits = payment_id.hex[-_DIGITS:].upper()
    return "-".join(("R", digits[:4], digits[4:8], digits[8:]))
