"""The JSON-LD of a provider's page."""

from typing import Any

import pytest

from fairground.contracts.providers import BookingMode, ProviderDetail, Service
from fairground.kernel.ids import uuid7
from fairground.web.linked_data import describe_provider

URL = "https://fair.example"


def provider(**changes: Any) -> ProviderDetail:
    provider_id = uuid7()
    service = Service(
        id=uuid7(),
        provider_id=provider_id,
        name="Algebra",
        category="mathematics",
        price_minor=5050,
        currency="EUR",
        duration_minutes=60,
        booking_mode=BookingMode.INSTANT,
        description=None,
        places=["online"],
    )
    usual: dict[str, Any] = {
        "id": provider_id,
        "slug": "maya",
        "business_name": "Maya </script>",
        "profile_picture_url": "/pictures/1.svg",
        "custom_subtitle": None,
        "location": "Oslo",
        "service_categories": ["mathematics"],
        "price_from_minor": 5050,
        "currency": "EUR",
        "rating": None,
        "rating_count": 0,
        "book_count": 0,
        "vertical": "tutors",
        "bio": None,
        "lat": None,
        "lng": None,
        "timezone": "Europe/Oslo",
        "services": [service],
        "is_claimed": True,
    }
    return ProviderDetail(**(usual | changes))


def test_addresses_are_whole_and_prices_are_in_major_units() -> None:
    described = describe_provider(provider(), public_url=URL)
    assert described["url"] == f"{URL}/p/maya"
    assert described["image"] == f"{URL}/pictures/1.svg"
    assert described["makesOffer"][0]["price"] == "50.50"
    assert "aggregateRating" not in described


@pytest.mark.parametrize(("rating", "count"), [(4.5, 12), (5.0, 1)])
def test_rating_is_there_after_the_first_review(rating: float, count: int) -> None:
    described = describe_provider(provider(rating=rating, rating_count=count), public_url=URL)
    assert described["aggregateRating"] == {"@type": "AggregateRating", "ratingValue": rating, "reviewCount": count}
