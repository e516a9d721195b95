"""Puts the objects of booking together."""

from dataclasses import dataclass
from functools import cached_property

from fairground.contracts.accounts import Accounts
from fairground.contracts.payments import Payments
from fairground.contracts.providers import Providers
from fairground.modules.booking.deals.cancellation import Cancellation
from fairground.modules.booking.deals.checkout import Checkout
from fairground.modules.booking.deals.completion import Completion
from fairground.modules.booking.deals.decisions import RequestDecisions
from fairground.modules.booking.deals.expiry import Expiry
from fairground.modules.booking.deals.history import BookingHistory
from fairground.modules.booking.deals.holds import Holds
from fairground.modules.booking.deals.queries import BookingQueries
from fairground.modules.booking.deals.settlement import Settlement
from fairground.modules.booking.deals.transitions import Transitions
from fairground.modules.booking.deals.zone_changes import ZoneChanges
from fairground.modules.booking.service import BookingService, ScheduleService
from fairground.modules.booking.settings import BookingSettings
from fairground.modules.booking.time.allocations import Allocations
from fairground.modules.booking.time.rules import Rules
from fairground.modules.booking.time.slots import Slots
from fairground.modules.booking.time.summary import AvailabilitySummaries
from fairground.platform.db.database import Database
from fairground.verticals.loader import Verticals


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Every object of the module, built once; the two contracts are facades over them."""

    rules: Rules
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
    zone_changes: ZoneChanges

    @cached_property
    def service(self) -> BookingService:
        return BookingService(
            slots=self.slots,
            rules=self.rules,
            holds=self.holds,
            checkout=self.checkout,
            decisions=self.decisions,
            cancellation=self.cancellation,
            completion=self.completion,
            history=self.history,
            queries=self.queries,
        )

    @cached_property
    def schedules(self) -> ScheduleService:
        return ScheduleService(rules=self.rules, zone_changes=self.zone_changes)


def assemble(
    *,
    db: Database,
    accounts: Accounts,
    catalog: Providers,
    payments: Payments,
    verticals: Verticals,
    settings: BookingSettings,
    public_url: str,
    organizer: str,
) -> Parts:
    rules, allocations = Rules(db=db, catalog=catalog), Allocations(db)
    transitions = Transitions(allocations=allocations, settings=settings)
    settlement = Settlement(db=db, payments=payments, transitions=transitions)
    expiry = Expiry(db=db, transitions=transitions)
    return Parts(
        rules=rules,
        slots=Slots(db=db, catalog=catalog, verticals=verticals),
        allocations=allocations,
        summaries=AvailabilitySummaries(db=db, catalog=catalog, verticals=verticals, rules=rules),
        holds=Holds(
            db=db,
            catalog=catalog,
            payments=payments,
            verticals=verticals,
            allocations=allocations,
            expiry=expiry,
            settings=settings,
        ),
        checkout=Checkout(db=db, payments=payments, settlement=settlement, public_url=public_url),
        decisions=RequestDecisions(db=db, payments=payments, settlement=settlement, transitions=transitions),
        cancellation=Cancellation(db=db, payments=payments, transitions=transitions),
        completion=Completion(db=db, payments=payments, transitions=transitions),
        expiry=expiry,
        history=BookingHistory(db=db, catalog=catalog, verticals=verticals),
        queries=BookingQueries(db=db, accounts=accounts, payments=payments, public_url=public_url, organizer=organizer),
        zone_changes=ZoneChanges(db),
    )
