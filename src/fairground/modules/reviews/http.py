"""JSON routes of reviews."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from fairground.contracts.catalog import Catalog
from fairground.contracts.reviews import Review, ReviewPage, Reviews
from fairground.modules.reviews.domain import RATING_MAX, RATING_MIN, TEXT_MAX_LENGTH
from fairground.platform.http.bodies import Body
from fairground.platform.http.identity import SignedIn
from fairground.platform.http.routing import api_router


class ReviewIn(Body):
    booking_id: UUID
    rating: int = Field(ge=RATING_MIN, le=RATING_MAX)
    text: str = Field(max_length=TEXT_MAX_LENGTH)


def routes(reviews: Reviews, catalog: Catalog) -> APIRouter:
    router = api_router(tags=["reviews"])

    @router.post("/reviews", status_code=201)
    async def write_review(review: ReviewIn, caller: SignedIn) -> Review:
        """Review a completed booking, once from each side."""
        return await reviews.write_review(
            author_id=caller.user_id, booking_id=review.booking_id, rating=review.rating, text=review.text
        )

    @router.get("/bookings/{booking_id}/reviews")
    async def list_booking_reviews(booking_id: UUID, caller: SignedIn) -> list[Review]:
        """List what both sides wrote of a booking of yours."""
        return await reviews.list_booking_reviews(booking_id=booking_id, viewer_id=caller.user_id)

    @router.get("/service-provider-profiles/{id_or_slug}/reviews")
    async def list_provider_reviews(
        id_or_slug: str,
        page: Annotated[int, Query(ge=1, le=100_000)] = 1,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> ReviewPage:
        """List what customers wrote of a provider, the newest first."""
        provider = await catalog.get_provider(id_or_slug=id_or_slug)
        return await reviews.list_provider_reviews(provider_id=provider.id, page=page, limit=limit)

    return router
