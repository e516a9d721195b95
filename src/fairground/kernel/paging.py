"""Pages of lists that are ordered by an instant: by number while that is cheap, by cursor without a limit."""

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self
from uuid import UUID

from fairground.kernel.errors import Invalid

CURSOR_MAX_LENGTH: Final = 128  # characters; the ones written here have 95 at most


PAGED_AT_MOST: Final = 10_000
"""Items that can be reached by page number; for every page the database reads all items before it."""


class PageTooDeep(Invalid):
    code = "page_too_deep"
    hint = "Follow `next_cursor`, which leads as far as there is anything."


class CursorInvalid(Invalid):
    code = "cursor_invalid"
    hint = "Send `next_cursor` as it came, or leave it out."


@dataclass(frozen=True, kw_only=True)
class TimeCursor:
    """The instant and the id of the last item of a page; the next page begins after both."""

    at: datetime
    id: UUID

    def write(self) -> str:
        text = json.dumps([self.at.isoformat(), self.id.hex], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, word: str) -> Self:
        """Return the cursor that `write` made.

        Raises:
            CursorInvalid: It is not one.
        """
        try:
            at, item_id = json.loads(base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)))
            cursor = cls(at=datetime.fromisoformat(at), id=UUID(item_id))
            if cursor.at.utcoffset() is None:
                raise ValueError(at)
        except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
            raise CursorInvalid(f"{word[:40]!r} is not a cursor of this list.", field="cursor") from None
        return cursor


def offset_of(*, page: int, limit: int) -> int:
    """Return how many items come before a page, the first page being 1.

    Raises:
        PageTooDeep: The page begins after the first 10,000 items.
    """
    offset = (page - 1) * limit
    if offset >= PAGED_AT_MOST:
        raise PageTooDeep(f"Page {page} of {limit} begins behind the first {PAGED_AT_MOST} items.", field="page")
    return offset
