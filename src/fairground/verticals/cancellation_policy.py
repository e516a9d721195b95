"""What a customer gets back when they cancel. A provider who cancels always gives back everything."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fairground.kernel.money import share_of


class RefundStep(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    at_least_hours: int = Field(ge=0, le=8760, description="Minimum hours before the start, 0 to 8760 (one year).")
    refund_percent: int = Field(ge=0, le=100, description="Percent of the paid amount to refund, 0 to 100.")


@dataclass(frozen=True, slots=True)
class Term:
    """What a customer who cancels before `until` gets back; the last term, without one, holds from then on."""

    until: datetime | None
    refund_percent: int
    refund_minor: int


class CancellationPolicy(BaseModel):
    """Steps from the earliest cancellation to the latest; later than the last step, nothing is given back."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: tuple[RefundStep, ...] = Field(
        max_length=10, description="Refund steps, from the most hours to the fewest; an empty list means no refunds."
    )

    @model_validator(mode="after")
    def _waiting_never_pays(self) -> Self:
        for earlier, later in pairwise(self.steps):
            if earlier.at_least_hours <= later.at_least_hours:
                raise ValueError("steps must go from the most hours to the fewest; reorder them")
            if earlier.refund_percent <= later.refund_percent:
                raise ValueError("a later cancellation must refund less than an earlier one; lower its refund_percent")
        return self

    def refund_percent(self, *, before_start: timedelta) -> int:
        """Return the percent given back when a customer cancels so long before the start (negative: after it)."""
        for step in self.steps:
            if before_start >= timedelta(hours=step.at_least_hours):
                return step.refund_percent
        return 0

    def refund_minor(self, amount_minor: int, *, before_start: timedelta, step_minor: int = 1) -> int:
        """Return what is given back of the amount paid, in its minor units.

        Args:
            step_minor: What the card processor's refunds are multiples of; the refund is rounded down to it.
        """
        return share_of(amount_minor, self.refund_percent(before_start=before_start), step_minor=step_minor)

    def terms(self, total_minor: int, *, step_minor: int, starts_at: datetime, now: datetime) -> list[Term]:
        """Return the policy as dates and amounts, the best term first, without those that are over.

        Steps that give nothing back are part of the last term. It is the only one when the booking cannot be refunded
        any more, or never could.
        """
        steps = [
            Term(
                until=starts_at - timedelta(hours=step.at_least_hours),
                refund_percent=step.refund_percent,
                refund_minor=share_of(total_minor, step.refund_percent, step_minor=step_minor),
            )
            for step in self.steps
        ]
        ahead = [term for term in steps if term.refund_minor > 0 and term.until is not None and term.until > now]
        return [*ahead, Term(until=None, refund_percent=0, refund_minor=0)]
