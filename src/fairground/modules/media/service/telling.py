"""What others are told of a picture that can be shown."""

from fairground.contracts.media import PictureReady
from fairground.modules.media.store import KeptPicture


def ready(kept: KeptPicture) -> PictureReady:
    picture = kept.picture
    look = picture.model_dump(include={"width_px", "height_px", "colour", "placeholder", "url"})
    return PictureReady(picture_id=picture.id, owner_id=kept.owner_id, **look)
