"""Price bands: the ranges of prices by which the providers of a list are counted."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from fairground.contracts.discovery import PriceBand
from fairground.kernel.money import minor_from_major
from fairground.verticals.loader import Verticals

# A list over several verticals has no pack with edges of its own; these suit an evening as well as an hour.
_GENERAL_EDGES: Final = (25, 50, 100, 200, 400, 800, 1600)


class PriceScale:
    """The edges of price bands, of each vertical and over all of them.

    Every list is counted in one set of fine bands, so that the same counts give the histogram of a vertical and the
    general one.
    """

    def __init__(self, verticals: Verticals, *, currency: str) -> None:
        self._edges = {pack.key: pack.prices.bands for pack in verticals}
        self._currency = currency
        edges = {0, *_GENERAL_EDGES, *(edge for pack in verticals for edge in pack.prices.bands)}
        self.fine_minor: Final = tuple(sorted(self._minor(edge) for edge in edges))
        """The lower edges of the fine bands, ascending."""

    def histogram(self, counts: Mapping[int, int], *, vertical: str | None) -> list[PriceBand]:
        """Add up the counts, by the lower edges of fine bands, into the bands of the vertical or the general ones."""
        edges = [0, *self._edges.get(vertical or "", _GENERAL_EDGES)]
        return [
            PriceBand(min_price=low, max_price=high, count=count)
            for low, high, count in zip(edges, [*edges[1:], None], self._sums(edges, counts), strict=True)
        ]

    def _sums(self, edges: Sequence[int], counts: Mapping[int, int]) -> Iterable[int]:
        lowest_minor = [self._minor(edge) for edge in edges]
        sums = [0] * len(edges)
        for from_minor, count in counts.items():
            if from_minor >= 0:
                sums[bisect_right(lowest_minor, from_minor) - 1] += count
        return sums

    def _minor(self, edge: int) -> int:
        return minor_from_major(Decimal(edge), self._currency)
