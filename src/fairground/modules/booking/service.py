"""The contracts that booking implements, as facades over the objects that do the work, and how those fit together."""

from dataclasses import dataclass
from functools import cached_property

from fairground.contracts.accounts import Accounts
from fairground.contracts.payments import Payments
from fairground.contracts.providers import Providers
from fairground.modules.booking.deals.cancellation import Cancellation
from fairground.modules.booking.deals.checkout import Checkout, Settlement
from fairground.modules.booking.deals.completion import BookingHistory, Completion
from fairground.modules.booking.deals.contacts import Contacts
from fairground.modules.booking.deals.decisions import RequestDecisions
from fairground.modules.booking.deals.expiry import Expiry
from fairground.modules.booking.deals.holds import Holds
from fairground.modules.booking.deals.queries import BookingQueries
from fairground.modules.booking.deals.receipts import Receipts
from fairground.modules.booking.deals.transitions import Transitions
from fairground.modules.booking.settings import BookingSettings
from fairground.modules.booking.time.allocations import Allocations
from fairground.modules.booking.time.hours import ProviderHours
from fairground.modules.booking.time.slots import Slots
from fairground.modules.booking.time.summary import AvailabilitySummaries
from fairground.platform.db.database import Database
from fairground.verticals.loader import Verticals


class BookingService:
    """The contract `Bookings`."""

    def __init__(
        self,
        *,
        slots: Slots,
        hours: ProviderHours,
        holds: Holds,
        checkout: Checkout,
        decisions: RequestDecisions,
        cancellation: Cancellation,
        completion: Completion,
        history: BookingHistory,
        queries: BookingQueries,
        receipts: Receipts,
    ) -> None:
        self.list_slots = slots.list_slots
        self.get_rules = hours.get_rules
        self.set_rules = hours.set_rules
        self.change_rules = hours.change_rules
        self.add_time_off = hours.add_time_off
        self.remove_time_off = hours.remove_time_off
        self.set_first_rules = hours.set_first_rules
        self.hold = holds.hold
        self.pay = checkout.pay
        self.settle_payment = checkout.settle_payment
        self.accept = decisions.accept
        self.decline = decisions.decline
        self.cancel = cancellation.cancel
        self.complete = completion.complete
        self.record_past_bookings = history.record_past_bookings
        self.get_booking = queries.get_booking
        self.list_bookings = queries.list_bookings
        self.list_bookings_between = queries.list_bookings_between
        self.find_booking_side = queries.find_booking_side
        self.find_booking_sides = queries.find_booking_sides
        self.get_calendar = queries.get_calendar
        self.describe_booking = queries.describe_booking
        self.describe_bookings = queries.describe_bookings
        self.get_receipt = receipts.get_receipt


class ScheduleService:
    """The contract `ProviderSchedules` of providers."""

    def __init__(self, *, hours: ProviderHours, queries: BookingQueries) -> None:
        self.follow_timezone = hours.follow_timezone
        self.list_bookings_at_other_times = queries.list_bookings_at_other_times


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Every object of the module, built once; the two contracts are facades over them."""

    hours: ProviderHours
    slots: Slots
    allocations: Allocations
    summaries: AvailabilitySummaries
    holds: Holds
    checkout: Checkout
    decisions: RequestDecisions
    cancellation: Cancellation
    completion: Completion
    expiry: Expiry
    history: BookingHistory
    queries: BookingQueries
    receipts: Receipts

    @cached_property
    def service(self) -> BookingService:
        return BookingService(
            slots=self.slots,
            hours=self.hours,
            holds=self.holds,
            checkout=self.checkout,
            decisions=self.decisions,
            cancellation=self.cancellation,
            completion=self.completion,
            history=self.history,
            queries=self.queries,
            receipts=self.receipts,
        )

    @cached_property
    def schedules(self) -> ScheduleService:
        return ScheduleService(hours=self.hours, queries=self.queries)


def assemble(
    *,
    db: Database,
    accounts: Accounts,
    providers: Providers,
    payments: Payments,
    verticals: Verticals,
    settings: BookingSettings,
    public_url: str,
    organizer: str,
) -> Parts:
    hours, allocations = ProviderHours(db=db, providers=providers), Allocations(db)
    transitions = Transitions(allocations=allocations, settings=settings)
    settlement = Settlement(db=db, payments=payments, transitions=transitions)
    expiry = Expiry(db=db, transitions=transitions)
    return Parts(
        hours=hours,
        slots=Slots(db=db, providers=providers, verticals=verticals),
        allocations=allocations,
        summaries=AvailabilitySummaries(db=db, providers=providers, verticals=verticals, hours=hours),
        holds=Holds(
            db=db,
            providers=providers,
            payments=payments,
            verticals=verticals,
            allocations=allocations,
            transitions=transitions,
            expiry=expiry,
            settings=settings,
        ),
        checkout=Checkout(db=db, payments=payments, settlement=settlement, public_url=public_url),
        decisions=RequestDecisions(db=db, payments=payments, settlement=settlement, transitions=transitions),
        cancellation=Cancellation(db=db, payments=payments, transitions=transitions),
        completion=Completion(db=db, payments=payments, transitions=transitions),
        expiry=expiry,
        history=BookingHistory(db=db, providers=providers, verticals=verticals),
        queries=_build_queries(db, accounts, providers, payments, public_url=public_url, organizer=organizer),
        receipts=Receipts(db=db, accounts=accounts, payments=payments),
    )


def _build_queries(
    db: Database, accounts: Accounts, providers: Providers, payments: Payments, *, public_url: str, organizer: str
) -> BookingQueries:
    contacts = Contacts(accounts=accounts, providers=providers)
    return BookingQueries(
        db=db, accounts=accounts, contacts=contacts, payments=payments, public_url=public_url, organizer=organizer
    )
