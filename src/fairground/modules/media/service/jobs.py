"""Work that media asks of itself."""

from typing import ClassVar
from uuid import UUID

from fairground.kernel.messages import Job


class RenderPicture(Job):
    """Make the first sizes of a picture that was taken in."""

    topic: ClassVar = "media.render_picture.v1"
    is_awaited: ClassVar = True
    picture_id: UUID


class DropLeftovers(Job):
    """Forget pictures that never came, and those that were refused long ago."""

    topic: ClassVar = "media.drop_leftovers.v1"
