"""The service of payments: a facade over one object for each subject.

A call to the processor has one write transaction before it, and one after it.
"""

from dataclasses import dataclass

from fairground.contracts.payments import CardFields
from fairground.modules.payments.gateways.processor import PaymentProcessor
from fairground.modules.payments.service.intents import Intents
from fairground.modules.payments.service.operation_executor import OperationExecutor
from fairground.modules.payments.service.queries import PaymentQueries
from fairground.modules.payments.service.refunds import Refunds
from fairground.platform.db.database import Database


@dataclass(frozen=True, kw_only=True)
class BrowserAccess:
    """What of the processor a customer's browser uses; the contract `Payments` describes the fields."""

    is_sandbox: bool
    bank_origin: str
    card_fields: CardFields | None = None


class PaymentService:
    """The contract `Payments`."""

    def __init__(self, *, intents: Intents, refunds: Refunds, queries: PaymentQueries, browser: BrowserAccess) -> None:
        self.is_sandbox = browser.is_sandbox
        self.bank_origin = browser.bank_origin
        self.card_fields = browser.card_fields
        self.authorise = intents.authorise
        self.capture = intents.capture
        self.release = refunds.release
        self.refund = refunds.refund
        self.find_payment = queries.find_payment
        self.find_payments = queries.find_payments
        self.find_receipt = queries.find_receipt
        self.refresh = queries.refresh


def build_service(
    *, db: Database, processor: PaymentProcessor, executor: OperationExecutor, browser: BrowserAccess
) -> PaymentService:
    return PaymentService(
        intents=Intents(db=db, executor=executor),
        refunds=Refunds(db=db, executor=executor),
        queries=PaymentQueries(db=db, processor=processor, executor=executor),
        browser=browser,
    )
