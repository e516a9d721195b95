"""Rules of reviews: who may write one, of which booking, and what it may hold."""

from typing import Final
from uuid import UUID

from fairground.contracts.booking import BookingNotFound, BookingSide, BookingStatus
from fairground.contracts.reviews import NotCompleted, ReviewInvalid, ReviewSide
from fairground.kernel.text import clean_text, refused_as

RATING_MIN: Final = 1
RATING_MAX: Final = 5
TEXT_MAX_LENGTH: Final = 4_000


def side_of(user_id: UUID, sides: BookingSide) -> ReviewSide:
    """Return the user's side of the booking; raise BookingNotFound if the user is on neither."""
    if user_id == sides.customer_id:
        return ReviewSide.CUSTOMER
    if user_id == sides.provider_owner_id:
        return ReviewSide.PROVIDER
    raise not_found()


def author_on(side: ReviewSide, sides: BookingSide) -> UUID:
    return sides.customer_id if side is ReviewSide.CUSTOMER else sides.provider_owner_id


def not_found() -> BookingNotFound:
    """Return one error for unknown bookings and for those of others, so that the caller cannot tell them apart."""
    return BookingNotFound("There is no such booking among yours.")


def check_review(sides: BookingSide, *, rating: int, text: str) -> str:
    """Return the text of a review as it is stored; it may be empty.

    Raises:
        NotCompleted: The booking is not completed.
        ReviewInvalid: The rating is out of range, or `kernel.text` refuses the text.
    """
    if sides.status is not BookingStatus.COMPLETED:
        raise NotCompleted(f"This booking is {sides.status}.")
    if not RATING_MIN <= rating <= RATING_MAX:
        raise ReviewInvalid(f"The rating is {rating}.", hint=f"Give {RATING_MIN} to {RATING_MAX}.")
    with refused_as(ReviewInvalid, "The text", field="text"):
        return clean_text(text, most=TEXT_MAX_LENGTH)


def public_name(name: str) -> str:
    """Return the first name and the initial of the last: 'Anna Berg' signs as 'Anna B.'."""
    first, *rest = name.split() or ["Anonymous"]
    return f"{first} {rest[-1][0]}." if rest else first
