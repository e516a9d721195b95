"""The bytes of a list."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from fairground.contracts.discovery import CardField, ListedProvider, PriceBand, ProviderList
from fairground.contracts.media import list_avatar_url
from fairground.modules.discovery import http


@pytest.mark.parametrize("fields", [set(CardField), {CardField.ID, CardField.USER_ID, CardField.CREATED_AT}])
@pytest.mark.parametrize("microsecond", [0, 120])
def test_body_is_what_the_model_writes(fields: set[CardField], microsecond: int) -> None:
    at = datetime(2026, 3, 29, 1, 30, 59, microsecond, tzinfo=UTC)
    card = ListedProvider(
        id=UUID(int=7), slug="é-1", business_name='A "B" \u2028 </script>', profile_picture_url=None,
        custom_subtitle=None, location="Ærø", service_categories=["dj", "band"], price_from_minor=None, currency="EUR",
        rating=4.0, rating_count=3, book_count=2**40, distance_km=1e-07, created_at=at, updated_at=at,
    )  # fmt: skip
    band = PriceBand(min_price=0, max_price=None, count=3)
    found = ProviderList(data=[card, card], total=2, price_distribution=[band], next_cursor="é")
    with_avatar = card.model_copy(update={"profile_picture_url": list_avatar_url(card.id, picture_url=None)})
    model = found.model_copy(update={"data": [with_avatar] * 2})
    include: Any = dict.fromkeys(ProviderList.model_fields, True) | {"data": {"__all__": set(fields)}}
    assert http._body(found, fields) == model.model_dump_json(include=include).encode()
