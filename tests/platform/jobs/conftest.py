"""The outbox of the job table, and a shop that handles its messages."""

import pytest

from fairground.platform.jobs.outbox import JobOutbox, Routes
from tests.platform.jobs.shop import JOBS, OrderPaid, Shop


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def routes(shop: Shop) -> Routes:
    routes = Routes()
    routes.add("shop", handlers=dict.fromkeys(JOBS, shop.take))
    routes.add("mail", handlers={OrderPaid: shop.take})
    routes.add("ledger", handlers={OrderPaid: shop.take})
    return routes


@pytest.fixture
def outbox(routes: Routes) -> JobOutbox:
    return JobOutbox(routes)
