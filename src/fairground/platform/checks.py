"""Results of checks: what an operator reads of a part that the program depends on."""

from dataclasses import dataclass
from enum import StrEnum


class CheckStatus(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "wrong"  # commands print this word, and scripts may read it


@dataclass(frozen=True)
class CheckResult:
    status: CheckStatus
    text: str
