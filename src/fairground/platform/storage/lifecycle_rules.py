"""The effects of a bucket's lifecycle rules on stored objects, and which of them do harm."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from fairground.platform.module import CheckResult, CheckStatus
from fairground.platform.storage.keys import Retention

_ARCHIVE_CLASSES: Final = frozenset({"GLACIER", "DEEP_ARCHIVE"})


class StorageClass(StrEnum):
    """The cheaper storage classes of Amazon S3 whose objects can be read at once."""

    STANDARD_IA = "STANDARD_IA"
    ONEZONE_IA = "ONEZONE_IA"
    INTELLIGENT_TIERING = "INTELLIGENT_TIERING"
    GLACIER_IR = "GLACIER_IR"


@dataclass(frozen=True, slots=True)
class Transition:
    storage_class: str
    when: str
    """Such as `after 30 days`."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a rule does to the current version of an object."""

    name: str
    prefix: str
    is_enabled: bool
    is_for_some: bool
    """It has conditions on tags or sizes beside the prefix."""
    is_for_tagged: bool
    expires: str
    """When it removes objects, such as `after 30 days`; empty if it does not."""
    transitions: tuple[Transition, ...]

    def reaches(self, below: str) -> bool:
        """Return whether the rule may apply to an object whose name begins so."""
        return self.prefix.startswith(below) or below.startswith(self.prefix)

    def covers(self, below: str) -> bool:
        """Return whether the rule applies to every object whose name begins so."""
        return below.startswith(self.prefix) and not self.is_for_some


def check_rules(rules: Iterable[Rule], *, prefix: str) -> list[CheckResult]:
    """Return for each retention class what the rules do to its objects, and what of that does harm.

    Args:
        prefix: Before every key, with a slash at its end; empty when there is none.
    """
    enabled = [rule for rule in rules if rule.is_enabled]
    results: list[CheckResult] = []
    for retention in Retention:
        below = f"{prefix}{retention}/"
        found = [result for rule in enabled if rule.reaches(below) for result in _check_rule(rule, below)]
        results += found or [CheckResult(CheckStatus.OK, f"{below}: no rule removes or moves objects")]
    originals = f"{prefix}{Retention.ORIGINAL}/"
    return [*results, CheckResult(CheckStatus.OK, f"originals {_describe_tier(enabled, originals)}")]


def _check_rule(rule: Rule, below: str) -> Iterator[CheckResult]:
    which = "objects" if rule.covers(below) else "some objects"
    by = f'{below}: the rule "{rule.name}"'
    # This program sets no tags, so such a rule applies only to objects that something else has tagged.
    worst = CheckStatus.WARNING if rule.is_for_tagged else CheckStatus.FAILED
    if rule.expires:
        yield CheckResult(
            worst,
            f"{by} removes {which} {rule.expires}, also those in use. Disable it: servers remove unused files "
            "themselves",
        )
    for transition in rule.transitions:
        moves = f"{by} moves {which} to {transition.storage_class} {transition.when}"
        if transition.storage_class in _ARCHIVE_CLASSES:
            yield CheckResult(worst, f"{moves}, where reading takes hours. Choose {' or '.join(StorageClass)}")
        elif transition.storage_class not in set(StorageClass):
            yield CheckResult(CheckStatus.WARNING, f"{moves}. Use a class with instant access")
        else:
            yield CheckResult(CheckStatus.OK, moves)


def _describe_tier(enabled: Iterable[Rule], originals: str) -> str:
    for rule in enabled:
        if rule.covers(originals) and rule.transitions:
            first = rule.transitions[0]
            return f"move to {first.storage_class} {first.when}"
    return "stay in their storage class; use --cold-after-days 30 to move them to colder storage"
