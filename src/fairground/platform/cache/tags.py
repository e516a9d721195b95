"""Tags: names of what answers depend on. Renewing a tag voids every answer that was computed under its old state."""

from collections.abc import Collection, Sequence
from typing import Final

TAGS_MAX: Final = 200_000  # some 30 MB; beyond that everything is voided once and counting starts anew

State = tuple[int, ...]


class LocalTags:
    """The state of every tag as this process knows it. Reading is free, so the memory level checks at every hit.

    A state is read before the answer is computed and kept with it: whoever computes from what was true before a
    renewal stores under a state that nobody will ever read again.
    """

    def __init__(self) -> None:
        self._versions: dict[str, int] = {}
        self._epoch = 0
        self.invalidations = 0
        """Grows with every renewal; while it stands still no state has changed."""

    def read(self, tags: Sequence[str]) -> State:
        versions = self._versions
        return (self._epoch, *(versions.get(tag, 0) for tag in tags))

    def invalidate(self, tags: Collection[str]) -> None:
        self.invalidations += 1
        for tag in tags:
            self._versions[tag] = self.invalidations
        if len(self._versions) > TAGS_MAX:
            self._versions.clear()
            self._epoch = self.invalidations

    def invalidate_all(self) -> None:
        self.invalidations += 1
        self._versions.clear()
        self._epoch = self.invalidations

    # What follows makes it a listener of the shared level.

    def tags_invalidated(self, tags: Collection[str]) -> None:
        self.invalidate(tags)

    def disconnected(self) -> None:
        self.invalidate_all()

    def connected(self) -> None:
        self.invalidate_all()
