"""The tile server of maps; there is none unless an operator names one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MapTiles:
    """A tile server and its attribution.

    None is built in: a tile server learns which visitor looks at which place, and free ones such as OpenStreetMap
    cannot serve every marketplace.
    """

    url: str
    """With {z}, {x} and {y} for zoom, column and row."""
    attribution: str
    """The credit that the makers of the map require; may contain a link, as HTML."""
