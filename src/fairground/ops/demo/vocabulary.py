"""Loads the words and texts of the demo from TOML files in `words/`."""

import tomllib
from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from fairground.kernel.addresses import Address
from fairground.ops.demo.plan import DemoHours, DemoPlace, MessageSide
from fairground.verticals.pricing import PriceModel
from fairground.verticals.schema import Place

Choices = Annotated[tuple[str, ...], Field(min_length=1)]
People = tuple[int, int]
"""The fewest and the most."""
WORDS_DIR = Path(__file__).parent / "words"


class Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class City(Entry):
    name: str
    country: str
    code: str = Field(description="Of the country, ISO 3166-1 alpha-2.")
    lat: float
    lng: float
    timezone: str
    names: str = Field(description="Key of the table of names heard there.")
    price_percent: int = Field(ge=10, le=300, description="Prices compared with Vienna's.")
    weight: int = Field(ge=1, description="How many providers live there, in proportion.")

    def place(self, *, lat_offset: float, lng_offset: float) -> DemoPlace:
        """Return a place at this distance from the centre, in degrees."""
        lat, lng = round(self.lat + lat_offset, 4), round(self.lng + lng_offset, 4)
        return DemoPlace(city=self.name, country=self.country, lat=lat, lng=lng, timezone=self.timezone)

    def address(self, street: str) -> Address:
        return Address(street=street, city=self.name, country=self.code)


class Names(Entry):
    given: Choices
    family: Choices
    streets: Choices = Field(description="Invented ones; {number} is filled in.")


class Voice(Entry):
    """First and last sentences of a description, written in the first person: singular or plural."""

    openers: Choices
    closers: Choices


class Window(Entry):
    weekdays: tuple[int, ...]
    start: time
    end: time


class Week(Entry):
    windows: tuple[Window, ...]

    def hours(self) -> tuple[DemoHours, ...]:
        return tuple(
            DemoHours(weekday=weekday, start=window.start, end=window.end)
            for window in self.windows
            for weekday in window.weekdays
        )


class ServiceWords(Entry):
    name: str
    minutes: int
    price: tuple[int, int] = Field(description="Lowest and highest price in Vienna, in euros.")
    per: PriceModel = PriceModel.BOOKING
    longest: int | None = Field(default=None, description="Minutes, of a service by the hour.")
    people: People | None = Field(default=None, description="Fewest and most; else those of the vertical.")
    places: tuple[Place, ...] | None = Field(default=None, description="Where it takes place; else as the vertical.")
    text: str


class CategoryWords(Entry):
    names: Choices
    subtitles: Choices
    bio: Choices
    services: tuple[ServiceWords, ...]
    voice: str = Field(default="solo", description="Key of the vertical's voices.")
    also: tuple[str, ...] = Field(default=(), description="Categories that the same person may well offer too.")


class VerticalWords(Entry):
    adjectives: Choices
    nouns: Choices
    places: tuple[Place, ...]
    travel_km: int = Field(description="How far providers come to a customer.")
    people: People | None = Field(default=None, description="Fewest and most; None without limits.")
    voices: Mapping[str, Voice]
    hours: tuple[Week, ...]
    categories: Mapping[str, CategoryWords]


class Reviews(Entry):
    by_stars: Mapping[str, Mapping[int, Choices]] = Field(description="Vertical, then stars, then texts.")
    about_customers: Choices


class Thread(Entry):
    lines: Annotated[tuple[tuple[MessageSide, str], ...], Field(min_length=2)]


class Vocabulary(Entry):
    cities: tuple[City, ...]
    names: Mapping[str, Names]
    verticals: Mapping[str, VerticalWords]
    reviews: Reviews
    threads: Mapping[str, Annotated[tuple[Thread, ...], Field(min_length=1)]] = Field(description="By vertical.")
    notes: Choices
    rejections: Choices


def load_vocabulary() -> Vocabulary:
    reviews, notes = _read("reviews"), _read("notes")
    about_customers = reviews.pop("about_customers")
    return Vocabulary.model_validate(
        {
            "cities": _read("cities")["cities"],
            "names": _read("names"),
            "verticals": {key: _read(key) for key in reviews},
            "reviews": {"by_stars": reviews, "about_customers": about_customers},
            "threads": _read("messages"),
            **notes,
        }
    )


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((WORDS_DIR / f"{name}.toml").read_text(encoding="utf-8"))
