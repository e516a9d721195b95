"""Media in memory: pictures by id, as other modules ask for them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from fairground.contracts.media import (
    Picture,
    PictureDeleted,
    PictureDescribed,
    PictureNotFound,
    PictureReady,
    PictureRefused,
    PictureState,
    Refusal,
)
from fairground.kernel.ids import uuid7

_LOOK: Final = {"url", "width_px", "height_px", "colour", "placeholder"}


@dataclass
class FakePictures:
    pictures: dict[UUID, tuple[UUID, Picture]] = field(default_factory=dict)

    def add(self, owner_id: UUID, state: PictureState) -> Picture:
        picture = Picture(id=uuid7(), state=state, alt="", created_at=datetime(2026, 1, 1, tzinfo=UTC))
        if state is PictureState.READY:
            picture = _ready(picture)
        self.pictures[picture.id] = (owner_id, picture)
        return picture

    def make_ready(self, picture: Picture) -> PictureReady:
        """Let it be ready, and return what media would tell."""
        owner_id, _ = self.pictures[picture.id]
        ready = _ready(picture)
        self.pictures[picture.id] = (owner_id, ready)
        return PictureReady.model_validate(
            {"picture_id": picture.id, "owner_id": owner_id, **ready.model_dump(include=_LOOK)}
        )

    def describe(self, picture: Picture, alt: str) -> PictureDescribed:
        """Give it another text, and return what media would tell."""
        owner_id, kept = self.pictures[picture.id]
        described = kept.model_copy(update={"alt": alt, "alt_version": kept.alt_version + 1})
        self.pictures[picture.id] = (owner_id, described)
        version = described.alt_version
        return PictureDescribed(picture_id=picture.id, owner_id=owner_id, alt=alt, alt_version=version)

    def refuse(self, picture: Picture) -> PictureRefused:
        """Let it be refused, and return what media would tell."""
        owner_id, _ = self.pictures[picture.id]
        refusal = Refusal(code="images.broken", detail="It ends early.", hint="Send it again.")
        refused = picture.model_copy(update={"state": PictureState.REFUSED, "refusal": refusal})
        self.pictures[picture.id] = (owner_id, refused)
        return PictureRefused(picture_id=picture.id, owner_id=owner_id, code=refusal.code)

    def delete(self, picture: Picture) -> PictureDeleted:
        """Remove it, and return what media would tell."""
        owner_id, _ = self.pictures.pop(picture.id)
        return PictureDeleted(picture_id=picture.id, owner_id=owner_id)

    async def transfer_pictures(self, *, from_owner_id: UUID, to_owner_id: UUID) -> None:
        self.pictures = {
            picture_id: (to_owner_id if holder == from_owner_id else holder, picture)
            for picture_id, (holder, picture) in self.pictures.items()
        }

    async def get_picture(self, *, owner_id: UUID, picture_id: UUID) -> Picture:
        holder, picture = self.pictures.get(picture_id, (None, None))
        if picture is None or holder != owner_id:
            raise PictureNotFound("This picture does not exist, or is not yours.")
        return picture


def _ready(picture: Picture) -> Picture:
    look = {"width_px": 3, "height_px": 2, "colour": "#808080", "placeholder": "data:image/webp;base64,"}
    url = f"/api/v1/img/{picture.id}?v=1"
    return picture.model_copy(update={"state": PictureState.READY, "url": url, **look})
