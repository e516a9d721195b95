"""The cancellation rule of a vertical, computed into the dates and amounts of one booking."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from fairground.kernel.money import share_of
from fairground.verticals.cancellation import CancellationPolicy


@dataclass(frozen=True, slots=True)
class Term:
    """What is paid back when somebody cancels before `until`; the last term, without one, holds from then on."""

    until: datetime | None
    refund_percent: int
    refund_minor: int


def terms_of(policy: CancellationPolicy, *, starts_at: datetime, total_minor: int, now: datetime) -> list[Term]:
    """Return the terms that can still apply, the best first. Amounts are minor units, rounded as the policy does."""
    terms = []
    for step in policy.steps:
        until = starts_at - timedelta(hours=step.at_least_hours)
        if until > now:
            terms.append(Term(until, step.refund_percent, share_of(total_minor, step.refund_percent)))
    return [*terms, Term(until=None, refund_percent=0, refund_minor=0)]
