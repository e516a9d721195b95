"""The parameters that narrow a list and a search alike, and what cached answers depend on by theirs."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Annotated, Any, TypeVar, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from fairground.contracts.discovery import LeanProvider, Near, QueryInvalid, free_tags, list_tag
from fairground.contracts.media import list_avatar_url
from fairground.contracts.providers import ALL_PROVIDERS, ProviderCard
from fairground.verticals.loader import Verticals
from fairground.verticals.schema import normalise


def _in_one_spelling(word: str | None) -> str | None:
    # "Dj", "dj" and " DJ" are one question, and so one answer in the cache.
    return normalise(word) or word if word else None


_Card = TypeVar("_Card", bound=ProviderCard | LeanProvider)
CategoryWord = Annotated[str | None, AfterValidator(_in_one_spelling)]
_Price = Annotated[float | None, Field(ge=0, le=1e9, allow_inf_nan=False)]


def _to_a_hundredth(degrees: float | None) -> float | None:
    # Neighbours ask the same question, and so get the same answer from the cache.
    return None if degrees is None else round(degrees, 2)


class Filters(BaseModel):
    model_config = ConfigDict(frozen=True)

    category: CategoryWord = Field(default=None, description="A category's slug, name or alias, in any spelling.")
    location: str | None = Field(
        default=None, description="Any part of the location; case, accents and spaces do not matter."
    )
    when: date | None = Field(
        default=None, description="A date where the provider is, on which something of theirs can still be booked."
    )
    lat: Annotated[float | None, AfterValidator(_to_a_hundredth)] = Field(
        default=None, ge=-90, le=90, allow_inf_nan=False, description="With `lng`, the middle of a circle, in degrees."
    )
    lng: Annotated[float | None, AfterValidator(_to_a_hundredth)] = Field(
        default=None, ge=-180, le=180, allow_inf_nan=False, description="Rounded to 0.01, as lat."
    )
    distance_km: float = Field(default=50, ge=1, le=200, allow_inf_nan=False, description="The radius of the circle.")
    min_price: _Price = Field(default=None, alias="minPrice", description="Lowest price at least, in major units.")
    max_price: _Price = Field(default=None, alias="maxPrice", description="Lowest price at most, in major units.")
    min_rating: float | None = Field(default=None, ge=1, le=5, allow_inf_nan=False, description="Mean rating at least.")

    def asked(self) -> dict[str, Any]:
        """Return what the contract's queries take of it."""
        return {
            "category": self.category,
            "location": self.location,
            "when": self.when,
            "near": self._near(),
            "min_price": self.min_price,
            "max_price": self.max_price,
            "min_rating": self.min_rating,
        }

    def _near(self) -> Near | None:
        if self.lat is None and self.lng is None:
            return None
        if self.lat is None or self.lng is None:
            raise QueryInvalid("lat and lng come together.", hint="Send both, or neither.", field="lat")
        return Near(lat=self.lat, lng=self.lng, radius_km=self.distance_km)


def unknown_category(verticals: Verticals, *, vertical: str | None = None) -> Callable[[Mapping[str, Any]], bool]:
    """Return what tells that a query names a category that no pack has; with `vertical`, the one its path says."""

    def is_unknown(asked: Mapping[str, Any]) -> bool:
        word = asked["category"]
        return bool(word) and not verticals.has_category(word, vertical=vertical or asked.get("vertical") or None)

    return is_unknown


def list_tags(asked: Mapping[str, Any], *, vertical: str | None = None) -> tuple[str, ...]:
    """Return what a list or a search depends on; with `vertical`, of the one that its path says."""
    return ALL_PROVIDERS, list_tag(vertical or asked["vertical"]), *free_tags(asked.get("when"))


def with_avatar(card: _Card) -> _Card:
    """Return a card of a list whose picture is an address in one size, never a whole picture or a `data:` URL."""
    url = list_avatar_url(card.id, picture_url=card.profile_picture_url)
    return cast("_Card", card.model_copy(update={"profile_picture_url": url}))
