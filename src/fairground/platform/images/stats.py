"""What is counted of pictures: how requests for them end, and how those who bring some fare."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from fairground.kernel.errors import DomainError


class Shown(StrEnum):
    """How a request for a picture ended."""

    KEPT = "kept"
    """From what was made before."""
    RENDERED = "rendered"
    """Made for this request, or for one that it waited for."""
    NOT_MODIFIED = "not_modified"
    REDIRECTED = "redirected"
    """A CDN has it."""
    REFUSED = "refused"
    """There is no such picture, or none of such a size."""
    BUSY = "busy"
    """503: too many are being made, or a part does not answer."""
    FAILED = "failed"


@dataclass
class PictureStats:
    """Counts since the start of the process."""

    shown: Counter[Shown] = field(default_factory=Counter)
    shown_bytes: int = 0
    brought: Counter[str] = field(default_factory=Counter)
    """Uploads by `taken`, or the code of the problem that they were refused with."""

    @contextmanager
    def bringing(self) -> Iterator[None]:
        """Count an upload by how the block ends."""
        try:
            yield
        except DomainError as error:
            self.brought[error.code] += 1
            raise
        self.brought["taken"] += 1
