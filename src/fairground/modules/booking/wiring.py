"""Puts the booking module together."""

from datetime import timedelta

from fairground.contracts.accounts import Accounts
from fairground.contracts.booking import Bookings
from fairground.contracts.catalog import Catalog, ProviderSchedules
from fairground.contracts.payments import Payments
from fairground.modules.booking import http
from fairground.modules.booking.handlers import BookingHandlers
from fairground.modules.booking.service.booking import BookingService
from fairground.modules.booking.service.jobs import ExpireLapsed
from fairground.modules.booking.service.timezones import ProviderTimezones
from fairground.modules.booking.settings import BookingSettings
from fairground.modules.booking.tables import history
from fairground.platform.db.database import Database
from fairground.platform.links import Links
from fairground.platform.module import Module, Schedule
from fairground.verticals.loader import Verticals


def build(db: Database, links: Links, *, verticals: Verticals, public_url: str, organizer: str) -> Module:
    """Build the module.

    Args:
        public_url: Without a slash at its end.
        organizer: Of the entries in calendar files: the sender of the installation's mails, as `Name <address>`.
    """
    catalog, payments = links.of(Catalog), links.of(Payments)
    service = BookingService(
        db=db,
        catalog=catalog,
        payments=payments,
        verticals=verticals,
        settings=BookingSettings(),
        public_url=public_url,
        accounts=links.of(Accounts),
        organizer=organizer,
    )
    timezones = ProviderTimezones(db)
    links.provide(Bookings, service)
    links.provide(ProviderSchedules, timezones)
    return Module(
        name="booking",
        history=history,
        routers=[http.routes(service, catalog=catalog)],
        handlers=BookingHandlers(service=service, payments=payments, schedules=timezones).table(),
        schedules=[Schedule(job=ExpireLapsed(), every=timedelta(minutes=1), runs_at_start=True)],
        start=service.prove_guard,
    )
