"""A booking's life, driven at random on a real database, beside a model that only knows the table of transitions."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import text

from fairground.contracts.booking import BookingStatus, BookingView, NextStep
from fairground.contracts.payments import PaymentAuthorised, PaymentStatus
from fairground.contracts.providers import BookingMode
from fairground.kernel.errors import Conflict, DomainError
from fairground.kernel.ids import uuid7
from fairground.modules.booking.deals.domain.machine import TRANSITIONS
from fairground.modules.booking.deals.transitions import CompleteBooking, ExpireBooking, RefundPayment, ReleasePayment
from fairground.platform.db.database import Database
from tests.doubles.payments import ASKING_CARD, DECLINED_CARD, GOOD_CARD
from tests.modules.booking.rig import Rig, make_rig
from tests.support.databases import copy_of
from tests.support.outbox import RecordingOutbox
from tests.support.postgres import empty
from tests.support.proofs import IS_FULL

Result = TypeVar("Result")
LIVE = {BookingStatus.HELD, BookingStatus.REQUESTED, BookingStatus.CONFIRMED, BookingStatus.COMPLETED}
WITH_MONEY = {BookingStatus.REQUESTED, BookingStatus.CONFIRMED, BookingStatus.COMPLETED}


class Lifecycle(RuleBasedStateMachine):
    """One booking after another of the same time; everything may be tried at any moment."""

    fresh_url: Callable[[], str]
    """Gives the address of a database without rows."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.booking: BookingView | None = None
        self.undelivered: set[UUID] = set()
        """Bookings whose payment was authorised, by an event that was not delivered yet."""

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self.loop.run_until_complete(work)

    @initialize(mode=st.sampled_from(BookingMode), reached=st.sampled_from(["held", "asked", "paid", "accepted"]))
    def begin(self, mode: BookingMode, reached: str) -> None:
        """Begin somewhere on the way, for most random walks do not get far."""
        outbox = RecordingOutbox()
        self.db = Database(type(self).fresh_url(), outbox=outbox)
        self.rig: Rig = make_rig(self.db, outbox)
        self.offer = self.run(self.rig.offer(mode=mode))
        self.starts_at = self.run(self.rig.tomorrow())
        self.hold()
        if reached != "held":
            self.pay(ASKING_CARD if reached == "asked" else GOOD_CARD)
        if reached == "accepted":
            self.accept(refuses=False)

    def try_to(self, work: Coroutine[Any, Any, object]) -> None:
        """Do it; a refusal is fine, any other error is not."""
        try:
            self.run(work)
        except DomainError:
            return

    @property
    def service(self) -> Any:
        return self.rig.service

    def side(self, side: str) -> Any:
        assert self.booking is not None
        return self.booking.customer_id if side == "customer" else self.offer.owner_id

    @rule()
    def hold(self) -> None:
        try:
            self.booking = self.run(self.rig.hold(self.offer, customer_id=uuid7(), starts_at=self.starts_at))
        except DomainError:
            return

    @rule(card=st.sampled_from([GOOD_CARD, ASKING_CARD, DECLINED_CARD]))
    def pay(self, card: str) -> None:
        if self.booking:
            self.try_to(self.rig.pay(self.booking, card=card))

    @rule()
    def prove_identity(self) -> None:
        """The bank is satisfied; the customer may or may not come back to tell."""
        payment = self.rig.payments.payments.get(self.booking.id) if self.booking else None
        if payment is not None and payment.status is PaymentStatus.REQUIRES_ACTION:
            self.rig.payments.put(payment.reference_id, status=PaymentStatus.AUTHORISED)
            self.undelivered.add(payment.reference_id)

    @rule()
    def come_back(self) -> None:
        if self.booking:
            self.try_to(self.service.settle_payment(customer_id=self.booking.customer_id, booking_id=self.booking.id))

    @rule()
    def hear_of_payment(self) -> None:
        if self.booking:
            self._deliver(self.booking.id)

    def _deliver(self, booking_id: UUID) -> None:
        event = PaymentAuthorised(payment_id=uuid7(), reference_id=booking_id, amount_minor=1, currency="EUR")
        self.run(self.rig.parts.checkout.follow_payment(event))
        self.undelivered.discard(booking_id)

    @rule(refuses=st.booleans())
    def accept(self, refuses: bool) -> None:  # noqa: FBT001 - hypothesis passes it by name
        if self.booking:
            self.rig.payments.refuses_capture = refuses
            self.try_to(self.service.accept(owner_id=self.offer.owner_id, booking_id=self.booking.id))
            self.rig.payments.refuses_capture = False

    @rule()
    def decline(self) -> None:
        if self.booking:
            self.try_to(self.service.decline(owner_id=self.offer.owner_id, booking_id=self.booking.id, reason=None))

    @rule(side=st.sampled_from(["customer", "provider"]))
    def cancel(self, side: str) -> None:
        if self.booking:
            self.try_to(self.service.cancel(user_id=self.side(side), booking_id=self.booking.id))

    @rule(side=st.sampled_from(["customer", "provider"]))
    def complete(self, side: str) -> None:
        if self.booking:
            self.try_to(self.service.complete(user_id=self.side(side), booking_id=self.booking.id))

    @rule(minutes=st.sampled_from([1, 9, 11, 31, 60 * 25, 60 * 24 * 4]))
    def pass_time(self, minutes: int) -> None:
        self.rig.pass_time(minutes=minutes)

    @rule()
    def run_jobs(self) -> None:
        try:
            self.run(self.rig.run_jobs(ExpireBooking, CompleteBooking, ReleasePayment, RefundPayment))
        except Conflict:
            return  # a job that comes before its time, which the worker would not do

    @rule()
    def sweep(self) -> None:
        self.run(self.rig.parts.expiry.expire_lapsed())

    @invariant()
    def every_change_is_one_of_the_table(self) -> None:
        rows = self._rows("SELECT actor, from_status, to_status FROM booking_change WHERE from_status IS NOT NULL")
        assert {tuple(row) for row in rows} <= {tuple(str(part) for part in move) for move in _as_rows()}

    @invariant()
    def the_time_is_taken_exactly_while_a_booking_lives(self) -> None:
        rows = self._rows(
            "SELECT b.status, a.state FROM booking_booking b JOIN booking_allocation a ON a.booking_id = b.id"
        )
        for status, state in rows:
            expected = {"held": "held", "requested": "held", "confirmed": "confirmed", "completed": "confirmed"}
            assert state == expected.get(status, "released")
        assert sum(status in LIVE for status, _ in rows) <= 1

    @invariant()
    def the_log_leads_to_where_the_booking_is(self) -> None:
        rows = self._rows(
            "SELECT b.version, b.status, c.to_status FROM booking_booking b"
            " JOIN booking_change c ON c.booking_id = b.id AND c.version = b.version"
        )
        assert all(status == to_status for _, status, to_status in rows)
        assert len(rows) == self._rows("SELECT count(*) FROM booking_booking")[0][0]

    @invariant()
    def reached_statuses_are_those_of_the_log(self) -> None:
        if self.booking is None:
            return
        view = self.run(self.service.get_booking(user_id=self.booking.customer_id, booking_id=self.booking.id))
        # Of several bookings the newest one is looked at; ids grow with time.
        rows = self._rows(
            "SELECT to_status FROM booking_change WHERE booking_id ="
            " (SELECT id FROM booking_booking ORDER BY id DESC LIMIT 1) ORDER BY version"
        )
        assert [str(status) for status in view.reached] == [row[0] for row in rows]
        assert (view.ended_at is None) == (view.status in LIVE - {BookingStatus.COMPLETED})

    @invariant()
    def what_is_shown_as_possible_is_possible(self) -> None:
        """A next step that the booking shows never meets a status conflict (checked for cancelling, which ends it)."""
        if self.booking is None:
            return
        view = self.run(self.service.get_booking(user_id=self.booking.customer_id, booking_id=self.booking.id))
        assert (NextStep.CANCEL in view.next_steps) == (view.cancellation is not None)
        assert (view.expires_at is not None) == (view.status is BookingStatus.HELD)
        assert (view.answer_due_at is not None) == (view.status is BookingStatus.REQUESTED)

    def teardown(self) -> None:
        """When every event was delivered and every job has run, no money is left where no booking stands behind it."""
        try:
            if self.booking is not None:
                self._settle_everything()
                self._check_money()
        finally:
            self.run(self.db.close())
            self.loop.close()

    def _settle_everything(self) -> None:
        for booking_id in list(self.undelivered):
            self._deliver(booking_id)
        self.rig.pass_time(days=6)
        self.run(self.rig.parts.expiry.expire_lapsed())
        self.run(self.rig.run_jobs(ReleasePayment, RefundPayment))

    def _check_money(self) -> None:
        for booking_id, payment in self.rig.payments.payments.items():
            status = self.run(self.service.describe_booking(booking_id=booking_id)).status
            if payment.status is PaymentStatus.AUTHORISED:
                assert status in WITH_MONEY
            if payment.status is PaymentStatus.CAPTURED and status not in WITH_MONEY:
                cancelled = self._rows(
                    "SELECT 1 FROM booking_change WHERE from_status = 'confirmed' AND to_status = 'cancelled'"
                )
                assert payment.refunded_minor == payment.captured_minor or cancelled

    def _rows(self, sql: str) -> list[Any]:
        async def read() -> list[Any]:
            async with self.db.read() as tx:
                return list(await tx.all(text(sql)))

        return self.run(read())


def _as_rows() -> Iterator[tuple[str, str, str]]:
    return ((actor.value, current.value, to.value) for actor, current, to in TRANSITIONS)


def lifecycle_on(fresh_url: Callable[[], str]) -> type[Lifecycle]:
    return type("LifecycleOnThisDatabase", (Lifecycle,), {"fresh_url": staticmethod(fresh_url)})


def settings_for(examples: int) -> settings:
    # Twenty steps read well enough as they are; making them fewer on a real database takes minutes.
    return settings(
        max_examples=examples,
        stateful_step_count=20,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.proof
@pytest.mark.timeout(900)
def test_a_life_on_sqlite_follows_the_table(sqlite_template: Path, tmp_path: Path) -> None:
    machine = lifecycle_on(lambda: copy_of(sqlite_template, tmp_path))
    run_state_machine_as_test(machine, settings=settings_for(500 if IS_FULL else 40))


@pytest.mark.proof
@pytest.mark.timeout(900)
@pytest.mark.parametrize("dialect", ["postgres"], indirect=True)
def test_a_life_on_a_server_follows_the_table(migrated_url: str) -> None:
    def fresh_url() -> str:
        empty(migrated_url)
        return migrated_url

    run_state_machine_as_test(lifecycle_on(fresh_url), settings=settings_for(100 if IS_FULL else 8))
