"""Reviews: what the two sides of a completed booking say of it."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol
from uuid import UUID

from fairground.contracts.dto import DTO
from fairground.kernel.errors import Conflict, Invalid
from fairground.kernel.messages import Event, Priority, Queue


class ReviewSide(StrEnum):
    CUSTOMER = "customer"
    PROVIDER = "provider"


class Review(DTO):
    id: UUID
    booking_id: UUID
    provider_id: UUID
    side: ReviewSide
    """Who wrote it."""
    author_name: str
    rating: int
    text: str
    created_at: datetime


class PastReview(DTO):
    """A review that was written elsewhere, of a booking that is known here."""

    booking_id: UUID
    side: ReviewSide
    rating: int
    text: str
    written_at: datetime


class ReviewPage(DTO):
    data: list[Review]
    total: int
    next_cursor: str | None = None
    """None when nothing follows."""


def reviews_tag(provider: UUID | str) -> str:
    """Name the reviews of a provider, by its id or by its slug, as what cached answers depend on."""
    return f"reviews:{provider}"


class ReviewExists(Conflict):
    code = "reviews.exists"


class NotCompleted(Conflict):
    code = "reviews.not_completed"
    hint = "A booking can be reviewed once it is completed."


class ReviewInvalid(Invalid):
    code = "reviews.invalid"


class ProviderRated(Event):
    """The provider's new figures with a version that only grows, so that late and double delivery do no harm."""

    topic: ClassVar = "reviews.provider_rated.v1"
    queue: ClassVar = Queue.DISCOVERY
    provider_id: UUID
    rating_sum: int
    rating_count: int
    review_id: UUID | None = None
    """The review that was just written; None for one that was written elsewhere, which is no news."""


class ReviewWritten(Event):
    """One side of a booking has reviewed it; each side does so once, so double delivery does no harm."""

    topic: ClassVar = "reviews.written.v1"
    priority: ClassVar = Priority.HIGH
    review_id: UUID
    booking_id: UUID
    provider_id: UUID
    side: ReviewSide


class Reviews(Protocol):
    async def write_review(self, *, author_id: UUID, booking_id: UUID, rating: int, text: str) -> Review:
        """Review a completed booking from the author's side, once.

        Raises:
            BookingNotFound: No such booking, or the author is on neither side.
            NotCompleted, ReviewExists
            ReviewInvalid: The rating is not 1 to 5, or the text is longer than 4,000 characters.
        """
        ...

    async def list_booking_reviews(self, *, booking_id: UUID, viewer_id: UUID) -> list[Review]:
        """Return both sides' reviews; raise BookingNotFound when the viewer is on neither side."""
        ...

    async def find_review(self, *, review_id: UUID) -> Review | None: ...

    async def list_provider_reviews(
        self, *, provider_id: UUID, page: int = 1, limit: int, cursor: str | None = None
    ) -> ReviewPage:
        """Return what customers wrote, the newest first.

        Args:
            cursor: `next_cursor` of a page of the same provider: go on behind it, whatever `page` says.

        Raises:
            PageTooDeep: The page begins behind the first 10,000 reviews; a cursor leads on.
            CursorInvalid
        """
        ...

    async def record_past_reviews(self, *, reviews: list[PastReview]) -> None:
        """Write down up to 500 reviews with the date that they have; one that is there already is passed over.

        Raises:
            BookingNotFound, NotCompleted, ReviewInvalid: Nothing was written.
        """
        ...
