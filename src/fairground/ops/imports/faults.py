"""What is wrong with a file, a map, or a row."""

from dataclasses import dataclass


class ImportRefused(ValueError):
    """The whole import cannot be done; the message says what to change."""


@dataclass
class RowFault(Exception):
    """Why a row was not taken, and how to mend it."""

    column: str
    reason: str
    mend: str
