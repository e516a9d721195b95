"""Reviews of completed bookings, by both sides."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final, Protocol
from uuid import UUID

from fairground.contracts.dto import DTO
from fairground.kernel.errors import Conflict, Invalid
from fairground.kernel.messages import Event, Priority, Queue

RATING_MIN: Final = 1
RATING_MAX: Final = 5
REVIEW_MAX_LENGTH: Final = 4_000


class ReviewSide(StrEnum):
    CUSTOMER = "customer"
    PROVIDER = "provider"


class Review(DTO):
    id: UUID
    booking_id: UUID
    provider_id: UUID
    side: ReviewSide
    """The side that wrote it."""
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
    """Return the cache tag of the reviews of a provider, by its id or its slug."""
    return f"reviews:{provider}"


class ReviewExists(Conflict):
    code = "reviews.exists"


class NotCompleted(Conflict):
    code = "reviews.not_completed"
    hint = "A booking can be reviewed once it is completed."


class ReviewInvalid(Invalid):
    code = "reviews.invalid"


class ProviderRated(Event):
    """The provider's new totals. `rating_count` only grows and is the version, so late and double delivery is safe."""

    topic: ClassVar = "reviews.provider_rated.v1"
    queue: ClassVar = Queue.DISCOVERY
    provider_id: UUID
    rating_sum: int
    rating_count: int
    review_id: UUID | None = None
    """None in events that were stored before `PastReviewsRecorded`, of which no provider is notified."""


class ReviewWritten(Event):
    """One side of a booking has reviewed it; each side does so once, so double delivery is safe."""

    topic: ClassVar = "reviews.written.v1"
    priority: ClassVar = Priority.HIGH
    review_id: UUID
    booking_id: UUID
    provider_id: UUID
    side: ReviewSide


class PastReviewsRecorded(Event):
    """Up to 500 reviews came along with their bookings. `ratings` are totals, so double delivery is safe."""

    topic: ClassVar = "reviews.past_recorded.v1"
    queue: ClassVar = Queue.DISCOVERY
    ratings: dict[UUID, tuple[int, int]]
    """By provider, the sum and number of all its ratings by customers."""
    booking_ids: dict[ReviewSide, list[UUID]]
    """The reviewed bookings by the side that has reviewed them."""


class Reviews(Protocol):
    async def write_review(self, *, author_id: UUID, booking_id: UUID, rating: int, text: str) -> Review:
        """Review a completed booking from the author's side, once.

        Raises:
            BookingNotFound: No such booking, or the author is on neither side.
            NotCompleted, ReviewExists
            ReviewInvalid: The rating is not RATING_MIN to RATING_MAX, or `kernel.text` refuses the text.
        """
        ...

    async def list_booking_reviews(self, *, booking_id: UUID, viewer_id: UUID) -> list[Review]:
        """Return both sides' reviews; raise BookingNotFound if the viewer is on neither side."""
        ...

    async def find_review(self, *, review_id: UUID) -> Review | None: ...

    async def list_provider_reviews(
        self, *, provider_id: UUID, page: int = 1, limit: int, cursor: str | None = None
    ) -> ReviewPage:
        """Return reviews by customers, the newest first.

        Args:
            cursor: `next_cursor` of a page of the same provider; `page` is then ignored.

        Raises:
            PageTooDeep: The page begins after the first 10,000 reviews; a cursor leads further.
            CursorInvalid
        """
        ...

    async def record_past_reviews(self, *, reviews: list[PastReview]) -> None:
        """Store up to 500 reviews with their own dates, and notify none; a review that exists already is skipped.

        Raises:
            BookingNotFound, NotCompleted, ReviewInvalid: None was stored.
        """
        ...
