"""What a server answers when it lists objects."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from xml.etree import ElementTree as ET

from fairground.platform.storage.store import StorageUnavailable

# Whatever namespace it has: servers differ.
_ANY: Final = "{*}"


@dataclass(frozen=True, slots=True)
class ListedObject:
    name: str
    size_bytes: int
    stored_at: datetime


@dataclass(frozen=True, slots=True)
class ListPage:
    objects: list[ListedObject]
    next_token: str
    """Empty on the last page."""


def read_page(text: bytes) -> ListPage:
    """Read a ListBucketResult.

    Raises:
        StorageUnavailable: It is something else.
    """
    try:
        # From the operator's own server; expat itself bounds what entities may grow to.
        root = ET.fromstring(text)  # noqa: S314 - see above
        objects = [_read_object(each) for each in root.iterfind(f"{_ANY}Contents")]
    except (ET.ParseError, ValueError) as error:
        raise StorageUnavailable("The object store gave a list that cannot be read.") from error
    return ListPage(objects, next_token=root.findtext(f"{_ANY}NextContinuationToken") or "")


def _read_object(element: ET.Element) -> ListedObject:
    name, size, modified = (element.findtext(f"{_ANY}{tag}") or "" for tag in ("Key", "Size", "LastModified"))
    return ListedObject(name, int(size), datetime.fromisoformat(modified))
