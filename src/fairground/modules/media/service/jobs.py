"""Work that media asks of itself."""

from typing import ClassVar
from uuid import UUID

from fairground.kernel.messages import Job, Priority, Queue


class RenderPicture(Job):
    """Make the first sizes of a picture that was taken in."""

    topic: ClassVar = "media.render_picture.v1"
    queue: ClassVar = Queue.PICTURES
    priority: ClassVar = Priority.HIGH
    picture_id: UUID


class DropLeftovers(Job):
    """Forget pictures that never came, and those that were refused long ago."""

    topic: ClassVar = "media.drop_leftovers.v1"
