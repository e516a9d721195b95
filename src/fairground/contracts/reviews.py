"""Reviews of completed bookings, by both sides."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final, Protocol
from uuid import UUID

from pydantic import Field

from fairground.contracts.dto import DTO
from fairground.kernel.errors import Conflict, Invalid, NotFound
from fairground.kernel.messages import Event, Priority, Queue

RATING_MIN: Final = 1
RATING_MAX: Final = 5
REVIEW_MAX_LENGTH: Final = 4_000
HIDING_REASON_MAX_LENGTH: Final = 1_000


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
    hidden_reason: str | None = None
    """Why staff have hidden it; only its author sees a hidden review. None for one that is shown."""


class StaffReview(Review):
    """A review as staff see it, hidden or not."""

    author_id: UUID


class StaffReviewPage(DTO):
    data: list[StaffReview]
    next_cursor: str | None
    """None when nothing follows."""


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


class ReviewNotFound(NotFound):
    code = "reviews.not_found"
    hint = "GET /api/v1/admin/reviews lists the reviews there are."


class ReviewVisibilityConflict(Conflict):
    code = "reviews.visibility_conflict"


class ReviewHidden(Event):
    """Staff have hidden a review. Hiding it again for another reason has another `occasion`."""

    topic: ClassVar = "reviews.hidden.v1"
    review_id: UUID
    author_id: UUID
    reason: str
    occasion: UUID


class ReviewRestored(Event):
    """Staff show a hidden review again."""

    topic: ClassVar = "reviews.restored.v1"
    review_id: UUID
    author_id: UUID
    occasion: UUID


class ProviderRated(Event):
    """The provider's new totals. The version only grows, so late and double delivery is safe."""

    topic: ClassVar = "reviews.provider_rated.v1"
    queue: ClassVar = Queue.DISCOVERY
    provider_id: UUID
    rating_sum: int
    rating_count: int
    review_id: UUID | None = None
    """The review that was written; None where one was hidden or restored, of which no provider is notified."""
    version: int | None = None
    """None in events that were stored before reviews could be hidden; then the number of ratings is the version."""

    @property
    def totals_version(self) -> int:
        return self.rating_count if self.version is None else self.version


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
    versions: dict[UUID, int] = Field(default_factory=dict)
    """Of the totals, by provider; for one that is missing, as in older events, the number of its ratings."""


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
        """Return both sides' reviews; raise BookingNotFound if the viewer is on neither side.

        A hidden review is shown to its author alone.
        """
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


class StaffReviews(Protocol):
    """Each method raises NotPermitted for an account that may not do this. Every change is in the audit trail."""

    async def list_reviews(
        self,
        *,
        staff_id: UUID,
        provider_id: UUID | None = None,
        is_hidden: bool | None = None,
        cursor: str | None = None,
        limit: int,
    ) -> StaffReviewPage:
        """Return the reviews of both sides, the newest first; raise CursorInvalid for a foreign cursor."""
        ...

    async def hide_review(self, *, staff_id: UUID, review_id: UUID, reason: str) -> StaffReview:
        """Show and count a review no longer; its author is mailed the reason.

        Raises:
            ReviewNotFound
            ReviewInvalid: The reason is empty or too long.
            ReviewVisibilityConflict: It is hidden already.
        """
        ...

    async def restore_review(self, *, staff_id: UUID, review_id: UUID) -> StaffReview:
        """Show and count a review again; raise ReviewNotFound, or ReviewVisibilityConflict when it is shown."""
        ...
