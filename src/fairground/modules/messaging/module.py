"""Builds messaging."""

from fairground.contracts.accounts import Accounts
from fairground.contracts.booking import Bookings
from fairground.contracts.messaging import Messages
from fairground.modules.messaging import http
from fairground.modules.messaging.service import MessageService
from fairground.modules.messaging.service.past_threads import PastThreads
from fairground.modules.messaging.service.queries import MessageQueries
from fairground.modules.messaging.service.sender import MessageSender, MessageStats
from fairground.modules.messaging.tables import history
from fairground.platform.module import Links, Module
from fairground.runtime import Runtime


def build(runtime: Runtime, links: Links) -> Module:
    db, bookings, stats = runtime.db, links.of(Bookings), MessageStats()
    service = MessageService(
        sender=MessageSender(db=db, bookings=bookings, limiter=runtime.limiter, stats=stats),
        queries=MessageQueries(db=db, bookings=bookings, accounts=links.of(Accounts)),
        past=PastThreads(db=db, bookings=bookings),
    )
    links.provide(Messages, service)
    return Module(name="messaging", history=history, routers=[http.routes(service)], measure=stats.measure)
