"""What a browser says of itself, cut down to what a person recognises."""

from typing import Final

# Asked in this order, because most browsers also claim to be the ones they descend from.
_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
_NAME_MAX_LENGTH: Final = 60


def browser_name(described: str) -> str:
    """Return "Chrome, Linux" for the User-Agent of a browser; other names are returned as they are."""
    found = [
        next((name for mark, name in marks if mark in described), None)
        for marks in (_BROWSERS, _SYSTEMS)
        if described.startswith("Mozilla/")
    ]
    return ", ".join(name for name in found if name) or described[:_NAME_MAX_LENGTH]
