"""Builds booking."""

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
from fairground.platform.links import Links
from fairground.platform.module import Module, Schedule
from fairground.runtime import Runtime


def build(runtime: Runtime, links: Links) -> Module:
    db, catalog, payments = runtime.db, links.of(Catalog), links.of(Payments)
    service = BookingService(
        db=db,
        catalog=catalog,
        payments=payments,
        verticals=runtime.verticals,
        settings=runtime.settings.of(BookingSettings),
        public_url=runtime.public_url,
        accounts=links.of(Accounts),
        organizer=runtime.mail_from,
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
