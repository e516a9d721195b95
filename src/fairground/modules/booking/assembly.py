"""Puts the objects of booking together."""

from dataclasses import dataclass
from datetime import timedelta

from fairground.contracts.accounts import Accounts
from fairground.contracts.catalog import Catalog
from fairground.contracts.payments import Payments
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
    """The two contracts, and the objects that take messages."""

    service: BookingService
    schedules: ScheduleService
    allocations: Allocations
    summaries: AvailabilitySummaries
    checkout: Checkout
    cancellation: Cancellation
    completion: Completion
    expiry: Expiry


def assemble(
    *,
    db: Database,
    accounts: Accounts,
    catalog: Catalog,
    payments: Payments,
    verticals: Verticals,
    settings: BookingSettings,
    public_url: str,
    organizer: str,
) -> Parts:
    """Build every object once."""
    rules, allocations = Rules(db=db, catalog=catalog), Allocations(db)
    complete_after = timedelta(hours=settings.complete_after_hours)
    transitions = Transitions(allocations=allocations, complete_after=complete_after)
    settlement = Settlement(db=db, payments=payments, transitions=transitions)
    checkout = Checkout(db=db, payments=payments, settlement=settlement, public_url=public_url)
    cancellation = Cancellation(db=db, payments=payments, transitions=transitions)
    completion = Completion(db=db, payments=payments, transitions=transitions)
    expiry = Expiry(db=db, transitions=transitions)
    service = BookingService(
        slots=Slots(db=db, catalog=catalog, verticals=verticals),
        rules=rules,
        holds=Holds(
            db=db,
            catalog=catalog,
            payments=payments,
            verticals=verticals,
            allocations=allocations,
            expiry=expiry,
            settings=settings,
        ),
        checkout=checkout,
        decisions=RequestDecisions(db=db, payments=payments, settlement=settlement, transitions=transitions),
        cancellation=cancellation,
        completion=completion,
        history=BookingHistory(db=db, catalog=catalog, verticals=verticals),
        queries=BookingQueries(db=db, accounts=accounts, payments=payments, public_url=public_url, organizer=organizer),
    )
    return Parts(
        service=service,
        schedules=ScheduleService(rules=rules, zone_changes=ZoneChanges(db)),
        allocations=allocations,
        summaries=AvailabilitySummaries(db=db, catalog=catalog, verticals=verticals, rules=rules),
        checkout=checkout,
        cancellation=cancellation,
        completion=completion,
        expiry=expiry,
    )
