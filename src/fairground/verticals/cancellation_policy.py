"""What a customer gets back when they cancel. A provider who cancels always gives back everything."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fairground.kernel.money import share_of

_WHOLE: Final = 100  # percent


class RefundStep(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    at_least_hours: int = Field(ge=0, le=8760, description="Hours left before the start, 0 to 8760 (one year).")
    refund_percent: int = Field(ge=0, le=100, description="Percent of the amount paid that is given back, 0 to 100.")


@dataclass(frozen=True, slots=True)
class Term:
    """What a customer who cancels before `until` gets back; the last term, without one, holds from then on."""

    until: datetime | None
    refund_percent: int
    refund_minor: int
    is_grace: bool = False
    """Whether the term is the grace period after the confirmation."""


class CancellationPolicy(BaseModel):
    """Steps from the earliest cancellation to the latest; later than the last step, nothing is given back."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: tuple[RefundStep, ...] = Field(
        max_length=10, description="Refund steps, the most hours first; an empty list refunds nothing."
    )
    grace_minutes: int = Field(
        default=0,
        ge=0,
        le=1440,
        description="Grace period: minutes after the confirmation in which cancelling gives everything back, 0 to 1440"
        " (one day); 0, which is none, if unset.",
    )
    grace_min_hours_ahead: int = Field(
        default=0,
        ge=0,
        le=8760,
        description="Hours that must be left before the start for the grace period to hold, 0 to 8760; 0 if unset.",
    )

    @model_validator(mode="after")
    def _waiting_never_pays(self) -> Self:
        for earlier, later in pairwise(self.steps):
            if earlier.at_least_hours <= later.at_least_hours:
                raise ValueError("steps must go from the most hours to the fewest; reorder them")
            if earlier.refund_percent <= later.refund_percent:
                raise ValueError("a later cancellation must refund less than an earlier one; lower its refund_percent")
        return self

    def grace_until(self, *, starts_at: datetime, confirmed_at: datetime | None) -> datetime | None:
        """Return the end of the grace period; None before the confirmation, and for a booking that has none."""
        if confirmed_at is None:
            return None
        until = min(
            confirmed_at + timedelta(minutes=self.grace_minutes),
            starts_at - timedelta(hours=self.grace_min_hours_ahead),
        )
        return until if until > confirmed_at else None

    def grace_minutes_ahead(self, *, starts_at: datetime, now: datetime) -> int:
        """Return how many minutes of grace a booking would have that was confirmed now.

        0 where a step gives everything back for at least as long.
        """
        until = self.grace_until(starts_at=starts_at, confirmed_at=now)
        if until is None or self._is_free_at(until, starts_at=starts_at):
            return 0
        return (until - now) // timedelta(minutes=1)

    def _is_free_at(self, moment: datetime, *, starts_at: datetime) -> bool:
        return self.refund_percent(before_start=starts_at - moment) == _WHOLE

    def refund_percent(self, *, before_start: timedelta) -> int:
        """Return the percent given back by the steps when a customer cancels so long before the start.

        Negative after the start. The grace period comes on top: see `grace_until`.
        """
        for step in self.steps:
            if before_start >= timedelta(hours=step.at_least_hours):
                return step.refund_percent
        return 0

    def refund_minor(
        self,
        amount_minor: int,
        *,
        starts_at: datetime,
        now: datetime,
        confirmed_at: datetime | None = None,
        step_minor: int = 1,
    ) -> int:
        """Return what is given back of the amount paid when a customer cancels now, in its minor units.

        Args:
            confirmed_at: None before the confirmation, when there is no grace period.
            step_minor: What the card processor's refunds are multiples of; the refund is rounded down to it.
        """
        grace_until = self.grace_until(starts_at=starts_at, confirmed_at=confirmed_at)
        is_in_grace = grace_until is not None and now <= grace_until
        percent = _WHOLE if is_in_grace else self.refund_percent(before_start=starts_at - now)
        return share_of(amount_minor, percent, step_minor=step_minor)

    def terms(
        self,
        total_minor: int,
        *,
        step_minor: int,
        starts_at: datetime,
        now: datetime,
        confirmed_at: datetime | None = None,
    ) -> list[Term]:
        """Return the policy as dates and amounts, the best term first, without those that are over.

        A grace period comes first, unless a step gives everything back for at least as long. Steps that give nothing
        back are part of the last term. It is the only one when the booking cannot be refunded any more, or never could.
        """
        steps = [
            Term(
                until=starts_at - timedelta(hours=step.at_least_hours),
                refund_percent=step.refund_percent,
                refund_minor=share_of(total_minor, step.refund_percent, step_minor=step_minor),
            )
            for step in self.steps
        ]
        grace_until = self.grace_until(starts_at=starts_at, confirmed_at=confirmed_at)
        if grace_until is not None and grace_until > now and not self._is_free_at(grace_until, starts_at=starts_at):
            whole = share_of(total_minor, _WHOLE, step_minor=step_minor)
            grace = Term(until=grace_until, refund_percent=_WHOLE, refund_minor=whole, is_grace=True)
            steps = [grace, *(step for step in steps if step.until is not None and step.until > grace_until)]
        ahead = [term for term in steps if term.refund_minor > 0 and term.until is not None and term.until > now]
        return [*ahead, Term(until=None, refund_percent=0, refund_minor=0)]
