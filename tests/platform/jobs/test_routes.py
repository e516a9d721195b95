import pytest

from fairground.kernel.ids import uuid7
from fairground.kernel.messages import Message
from fairground.platform.jobs.routes import Routes
from tests.platform.jobs.shop import CountStock, OrderPaid


async def _ignore(_message: Message) -> None: ...


def test_an_event_reaches_every_module_that_takes_it() -> None:
    routes = Routes()
    routes.add("mail", handlers={OrderPaid: _ignore})
    routes.add("ledger", handlers={OrderPaid: _ignore})
    assert routes.subscribers(OrderPaid(order_id=uuid7())) == ["mail:shop.order_paid.v1", "ledger:shop.order_paid.v1"]


def test_a_job_with_two_takers_is_refused() -> None:
    routes = Routes()
    routes.add("shop", handlers={CountStock: _ignore})
    with pytest.raises(ValueError, match="two takers"):
        routes.add("mail", handlers={CountStock: _ignore})


def test_a_module_is_added_once() -> None:
    routes = Routes()
    routes.add("mail", handlers={OrderPaid: _ignore})
    with pytest.raises(ValueError, match="twice"):
        routes.add("mail", handlers={OrderPaid: _ignore})


def test_a_job_nobody_does_is_named() -> None:
    with pytest.raises(LookupError, match=r"shop\.count_stock\.v1"):
        Routes().taker(CountStock())
