"""Maps: whose pictures lie below the pins, which is nobody's unless an operator names somebody."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MapTiles:
    """Where the squares of a map come from.

    None are built in: whoever serves them learns who looks at which place, and those that serve them for nothing, as
    OpenStreetMap does, cannot serve every marketplace.
    """

    url: str
    """With {z}, {x} and {y} for zoom, column and row."""
    attribution: str
    """Whom the map's maker wants named beside it; may hold a link, as HTML."""
