"""JSON routes of reviews."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from fairground.contracts.booking import BookingNotFound
from fairground.contracts.providers import ALL_PROVIDERS, ProviderNotFound, ProviderPath, Providers, provider_tag
from fairground.contracts.reviews import (
    HIDING_REASON_MAX_LENGTH,
    RATING_MAX,
    RATING_MIN,
    REVIEW_MAX_LENGTH,
    NotCompleted,
    Review,
    ReviewExists,
    ReviewInvalid,
    ReviewNotFound,
    ReviewPage,
    Reviews,
    ReviewVisibilityConflict,
    StaffReview,
    StaffReviewPage,
    StaffReviews,
    reviews_tag,
)
from fairground.kernel.inputs import CURSOR_MAX_LENGTH, CursorInvalid, Input, PageTooDeep, text_field
from fairground.platform.cache.policy import CachePolicy, cached
from fairground.platform.cache.settings import Life
from fairground.platform.http.identity import SignedIn, Staff
from fairground.platform.http.openapi import refuses
from fairground.platform.http.routing import api_router


class ReviewIn(Input):
    booking_id: UUID
    rating: int = Field(ge=RATING_MIN, le=RATING_MAX)
    text: str = text_field(most=REVIEW_MAX_LENGTH)


class ReviewListQuery(BaseModel):
    model_config = ConfigDict(frozen=True)

    page: int = Field(default=1, ge=1, le=100_000)
    limit: int = Field(default=20, ge=1, le=100)
    cursor: str | None = Field(
        default=None,
        max_length=CURSOR_MAX_LENGTH,
        description="`next_cursor` of an answer of the same provider: go on behind it, whatever `page` says.",
    )


class StaffReviewQuery(BaseModel):
    provider_id: UUID | None = None
    is_hidden: bool | None = Field(default=None, description="Hidden ones alone, or shown ones alone.")
    limit: int = Field(default=20, ge=1, le=100)
    cursor: str | None = Field(default=None, max_length=CURSOR_MAX_LENGTH)


class HidingIn(Input):
    reason: Annotated[
        str, Field(min_length=1), text_field(most=HIDING_REASON_MAX_LENGTH, description="The author reads it.")
    ]


def _review_tags(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    provider = parameters["id_or_slug"]
    return ALL_PROVIDERS, provider_tag(provider), reviews_tag(provider)


def routes(reviews: Reviews, providers: Providers) -> APIRouter:
    router = api_router(tags=["reviews"])

    @router.post("/reviews", status_code=201)
    @refuses(BookingNotFound, NotCompleted, ReviewExists, ReviewInvalid)
    async def write_review(review: ReviewIn, caller: SignedIn) -> Review:
        """Review a completed booking. Each side can do this once."""
        return await reviews.write_review(
            author_id=caller.user_id, booking_id=review.booking_id, rating=review.rating, text=review.text
        )

    @router.get("/bookings/{booking_id}/reviews")
    @refuses(BookingNotFound)
    async def list_booking_reviews(booking_id: UUID, caller: SignedIn) -> list[Review]:
        """List the reviews of one of your bookings."""
        return await reviews.list_booking_reviews(booking_id=booking_id, viewer_id=caller.user_id)

    @router.get("/service-provider-profiles/{id_or_slug}/reviews")
    @cached(
        CachePolicy(route="reviews", life=Life.REVIEWS, path=ProviderPath, query=ReviewListQuery, tags=_review_tags)
    )
    @refuses(ProviderNotFound, PageTooDeep, CursorInvalid)
    async def list_provider_reviews(id_or_slug: str, query: Annotated[ReviewListQuery, Query()]) -> ReviewPage:
        """List customer reviews of a provider, newest first; page numbers end at 10,000 reviews."""
        provider = await providers.get_provider(id_or_slug=id_or_slug)
        return await reviews.list_provider_reviews(
            provider_id=provider.id, page=query.page, limit=query.limit, cursor=query.cursor
        )

    return router


def admin_routes(staff_reviews: StaffReviews) -> APIRouter:
    router = api_router(tags=["admin"])

    @router.get("/admin/reviews")
    @refuses(CursorInvalid)
    async def list_all_reviews(caller: Staff, query: Annotated[StaffReviewQuery, Query()]) -> StaffReviewPage:
        """List the reviews of both sides, hidden or not, the newest first."""
        return await staff_reviews.list_reviews(staff_id=caller.user_id, **query.model_dump())

    @router.post("/admin/reviews/{review_id}/hide")
    @refuses(ReviewNotFound, ReviewInvalid, ReviewVisibilityConflict)
    async def hide_review(caller: Staff, review_id: UUID, body: HidingIn) -> StaffReview:
        """Show and count a review no longer. Its author is mailed the reason."""
        return await staff_reviews.hide_review(staff_id=caller.user_id, review_id=review_id, reason=body.reason)

    @router.post("/admin/reviews/{review_id}/restore")
    @refuses(ReviewNotFound, ReviewVisibilityConflict)
    async def restore_review(caller: Staff, review_id: UUID) -> StaffReview:
        """Show and count a hidden review again."""
        return await staff_reviews.restore_review(staff_id=caller.user_id, review_id=review_id)

    return router
