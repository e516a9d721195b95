"""The schema of a vertical pack. Unknown fields are refused; a field without a stated default is required."""

import re
import unicodedata
from functools import cached_property, partial
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from fairground.kernel.text import require_line
from fairground.verticals.cancellation_policy import CancellationPolicy
from fairground.verticals.pricing import PriceModel

Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=40)]
Word = Annotated[str, Field(min_length=1, max_length=40), AfterValidator(partial(require_line, most=40))]
Text = Annotated[str, Field(min_length=1, max_length=400), AfterValidator(partial(require_line, most=400))]

BookingMode = Literal["instant", "request"]
Place = Literal["customer", "provider", "online"]
Motif = Literal["lights", "plates", "books", "waves"]
Fact = Literal["email_verified", "has_bio", "has_location", "has_picture", "has_service", "has_hours"]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Words(Part):
    """The words of this vertical's pages for the public vocabulary; in lower case, as inside a sentence."""

    provider: Word = Field(description="One who is booked: artist, chef, tutor.")
    providers: Word = Field(description="The plural of provider.")
    customer: Word = Field(description="One who books: client, guest, student.")
    customers: Word = Field(description="The plural of customer.")
    service: Word = Field(description="What is booked: show, menu, lesson.")
    services: Word = Field(description="The plural of service.")
    category: Word = Field(description="What services are sorted by: act, cuisine, subject.")
    categories: Word = Field(description="The plural of category.")


class Category(Part):
    slug: Slug = Field(description="Stable key in the API and the database; lower case words joined by underscores.")
    name: Word = Field(description="As pages show it.")
    description: Text = Field(description="One sentence for the category's page.")
    aliases: tuple[Word, ...] = Field(
        default=(), description="Other words people use for it, in any case, with spaces or hyphens; none by default."
    )

    @property
    def spellings(self) -> frozenset[str]:
        """Every normalised word that means this category, its slug and name included."""
        return frozenset({self.slug, normalise(self.name), *map(normalise, self.aliases)})


class PartySize(Part):
    """How many people one booking may be for, both bounds included."""

    minimum: int = Field(ge=1, le=10_000, description="People, 1 to 10000.")
    maximum: int = Field(ge=1, le=10_000, description="People, 1 to 10000, at least the minimum.")

    @model_validator(mode="after")
    def _bounds_are_ordered(self) -> Self:
        if self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum} exceeds maximum {self.maximum}; swap them")
        return self


class BookingRules(Part):
    slot_minutes: int = Field(ge=5, le=240, description="Minutes between two starts that are offered, 5 to 240.")
    min_notice_hours: int = Field(ge=0, le=720, description="Hours from booking to the earliest start, 0 to 720.")
    horizon_days: int = Field(ge=1, le=730, description="Days from today to the last start that is offered, 1 to 730.")
    duration_minutes: tuple[Annotated[int, Field(ge=5, le=1440)], ...] = Field(
        min_length=1,
        description="Minutes, 5 to 1440, ascending: the durations a provider's form suggests; others remain possible.",
    )
    modes: tuple[BookingMode, ...] = Field(
        min_length=1, description="Booking modes a service may choose, 'instant' or 'request'; the first is suggested."
    )
    answer_due_hours: int = Field(
        default=24,
        ge=1,
        le=120,
        description="Hours a provider has to answer a request, 1 to 120 (5 days); 24 if unset.",
    )
    places: tuple[Place, ...] = Field(
        min_length=1, description="Where it may happen: at the 'customer', at the 'provider' or 'online'; usual first."
    )
    price_models: tuple[PriceModel, ...] = Field(
        default=(PriceModel.BOOKING,),
        min_length=1,
        description="What a price may buy: the whole 'booking', one 'person' or one 'hour'; the first is suggested.",
    )
    party_size: PartySize | None = Field(
        default=None, description="Bounds on the number of people; leave it out where people are not counted."
    )

    @property
    def least_minutes(self) -> int:
        """The least duration of a service: the step between starts, or a shorter one that the pack suggests."""
        return min(self.slot_minutes, self.duration_minutes[0])

    @model_validator(mode="after")
    def _prices_per_person_count_people(self) -> Self:
        if PriceModel.PERSON in self.price_models and self.party_size is None:
            raise ValueError("price_models has 'person', but people are not counted; add party_size")
        return self

    @field_validator("places", "price_models", "modes")
    @classmethod
    def _choices_are_distinct(cls, choices: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(choices)) < len(choices):
            raise ValueError("a choice appears twice; keep one")
        return choices

    @field_validator("duration_minutes")
    @classmethod
    def _durations_ascend(cls, durations: tuple[int, ...]) -> tuple[int, ...]:
        return _ascending(durations)


class ChecklistItem(Part):
    """One condition of approval, shown to the provider and to staff."""

    key: Fact = Field(description="The fact that the program checks.")
    text: Text = Field(description="What the provider is to do, as a sentence.")
    required: bool = Field(default=False, description="Whether submitting is refused without it; false if unset.")


class Prices(Part):
    per: Word = Field(description="What one price buys, in words: 'per show'.")
    bands: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        min_length=2,
        max_length=20,
        description="Upper edges of the price histogram in major units, ascending; a last band above them is open.",
    )

    @field_validator("bands")
    @classmethod
    def _bands_ascend(cls, bands: tuple[int, ...]) -> tuple[int, ...]:
        return _ascending(bands)


class PageText(Part):
    headline: Text = Field(description="The heading of the vertical's first page.")
    lead: Text = Field(description="One or two sentences below the heading; also the page's description.")
    empty_title: Text = Field(description="The heading of a search without results.")
    empty_text: Text = Field(description="What to try next after a search without results.")


class PictureHints(Part):
    """How generated pictures look, until a provider has one of their own."""

    hue: int = Field(ge=0, le=359, description="Degrees on the colour wheel, 0 to 359.")
    motif: Motif = Field(description="What is drawn; 'waves' suits any vertical.")


class Vertical(Part):
    """One pack: everything that makes artists differ from tutors."""

    key: str = Field(
        pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
        max_length=40,
        description="The public path, e.g. 'artists' for /artists; also the name of the file, without .toml.",
    )
    title: Word = Field(description="The name of the vertical in menus.")
    words: Words = Field(description="The table of words shown on pages.")
    booking: BookingRules = Field(description="The table of rules for times, modes and places.")
    cancellation: CancellationPolicy = Field(description="The table that says what a customer's cancellation refunds.")
    checklist: tuple[ChecklistItem, ...] = Field(min_length=1, description="The approval checklist, in page order.")
    prices: Prices = Field(description="The table of price words and histogram bands.")
    page: PageText = Field(description="The table of page copy.")
    picture: PictureHints = Field(description="The table of hints for generated pictures.")
    categories: tuple[Category, ...] = Field(min_length=1, description="The categories, in page order.")

    @field_validator("categories")
    @classmethod
    def _every_word_means_one_category(cls, categories: tuple[Category, ...]) -> tuple[Category, ...]:
        meanings: dict[str, str] = {}
        for category in categories:
            for spelling in category.spellings:
                other = meanings.setdefault(spelling, category.slug)
                if other != category.slug:
                    raise ValueError(
                        f"{spelling!r} means both {other!r} and {category.slug!r}; take it from one of them"
                    )
        if len({category.slug for category in categories}) < len(categories):
            raise ValueError("two categories have the same slug; merge them")
        return categories

    @field_validator("checklist")
    @classmethod
    def _facts_are_distinct(cls, checklist: tuple[ChecklistItem, ...]) -> tuple[ChecklistItem, ...]:
        if len({item.key for item in checklist}) < len(checklist):
            raise ValueError("a key appears twice; keep one")
        return checklist

    @cached_property
    def _category_by_spelling(self) -> dict[str, Category]:
        return {spelling: category for category in self.categories for spelling in category.spellings}

    def find_category(self, word: str) -> Category | None:
        """Return the category that a slug, name or alias means; 'DJ ' and 'Disc-Jockey' both mean dj."""
        return self._category_by_spelling.get(normalise(word))


def normalise(word: str) -> str:
    """Fold case and join the words with underscores: ' Hip-Hop  DJ' becomes 'hip_hop_dj'."""
    folded = unicodedata.normalize("NFKC", word).casefold()
    return re.sub(r"[\s_\-\u2010-\u2013]+", "_", folded.replace("&", " and ")).strip("_")


def _ascending(numbers: tuple[int, ...]) -> tuple[int, ...]:
    for lower, upper in pairwise(numbers):
        if lower >= upper:
            raise ValueError(f"{lower} stands before {upper}; list each number once, the smallest first")
    return numbers
