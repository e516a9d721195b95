"""The job table's own outbox, and a shop that takes its messages."""

import pytest

from fairground.platform.jobs.outbox import JobOutbox
from fairground.platform.jobs.routes import Routes
from tests.platform.jobs.shop import CountStock, OrderPaid, PackOrder, Shop


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def routes(shop: Shop) -> Routes:
    routes = Routes()
    routes.add("shop", handlers={PackOrder: shop.take, CountStock: shop.take})
    routes.add("mail", handlers={OrderPaid: shop.take})
    routes.add("ledger", handlers={OrderPaid: shop.take})
    return routes


@pytest.fixture
def outbox(routes: Routes) -> JobOutbox:
    return JobOutbox(routes)
