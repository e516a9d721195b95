"""Draws people and providers: names, categories, descriptions, services with prices, and weekly hours."""

import re
from collections.abc import Sequence
from math import inf
from random import Random

from fairground.kernel.addresses import Address
from fairground.ops.demo.bookings import starts_within
from fairground.ops.demo.plan import DemoHours, DemoService
from fairground.ops.demo.vocabulary import CategoryWords, City, Names, ServiceWords, VerticalWords, Vocabulary
from fairground.verticals.pricing import PriceModel
from fairground.verticals.schema import BookingMode, Vertical

LOCAL_SHARE = 0.75  # people with a name of the place where they live
BUSINESS_NAME_DRAWS = 20  # before a business is numbered; a plan of 300 needs a handful
SMALL_WORDS = frozenset({"The", "Dr", "DJ"})

CURRENCY = "EUR"
# Below the first figure people name prices in steps of the second, both in euros.
PRICE_STEPS = ((50, 1), (300, 5), (inf, 10))
SECOND_CATEGORY_SHARE = 0.4
SHORT_OFFER_SHARE = 0.3
USUAL_MODE_FIRST = (2, 1)

Person = tuple[str, str]
"""A given and a family name."""


class Namer:
    """Draws names for one plan; no business name occurs twice."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._tables = vocabulary.names
        self._taken: set[str] = set()

    def draw_person(self, chance: Random, *, city: City | None) -> Person:
        """Return two names that belong together, and to the city in most cases."""
        is_local = city is not None and chance.random() < LOCAL_SHARE
        table = self._tables[city.names if city and is_local else chance.choice(list(self._tables))]
        return chance.choice(table.given), chance.choice(table.family)

    def name_business(
        self, chance: Random, patterns: Sequence[str], *, words: VerticalWords, person: Person, city: City
    ) -> str:
        """Fill one of the patterns; if every draw is a name that is taken, add a number."""
        for _ in range(BUSINESS_NAME_DRAWS):
            name = _fill(chance.choice(patterns), chance=chance, words=words, person=person, city=city)
            if name not in self._taken:
                break
        else:
            name = f"{person[0]} {person[1]} No. {len(self._taken) + 1}"
        self._taken.add(name)
        return name


def initials(business_name: str) -> str:
    """Return one or two capitals: AT for 'The Amber Tides', L for 'DJ Lena', GH for 'Greta Hofer, voice'."""
    name, *_trade = business_name.split(",")
    words = [str(word) for word in re.findall(r"[^\W\d_]+", name) if word not in SMALL_WORDS]
    capitals = [word[0] for word in words if word[0].isupper()] or [word[0].upper() for word in words]
    return "".join(capitals[:1] + capitals[1:][-1:])


def draw_address(chance: Random, *, names: Names, city: City) -> Address:
    """Return an invented address in the city."""
    return city.address(chance.choice(names.streets).format(number=chance.randint(1, 98)))


def draw_categories(chance: Random, *, pack: Vertical, words: VerticalWords, turn: int) -> tuple[str, ...]:
    """Return the category whose turn it is, so that none is empty, and sometimes a related one."""
    slugs = [category.slug for category in pack.categories if category.slug in words.categories]
    own = slugs[turn % len(slugs)]
    related = [slug for slug in words.categories[own].also if slug in slugs]
    if related and chance.random() < SECOND_CATEGORY_SHARE:
        return own, chance.choice(related)
    return (own,)


def write_bio(chance: Random, trade: CategoryWords, *, words: VerticalWords, city: City) -> str:
    voice = words.voices[trade.voice]
    middle = chance.sample(trade.bio, k=len(trade.bio))
    ending = chance.sample(voice.closers, k=min(2, len(voice.closers)))
    return " ".join([chance.choice(voice.openers), *middle, *ending]).format(
        years=chance.randint(3, 24), city=city.name
    )


def draw_services(
    chance: Random, *, categories: Sequence[str], words: VerticalWords, city: City, pack: Vertical
) -> tuple[DemoService, ...]:
    """Return what the first category offers, in most cases all of it, and one thing of any other."""
    first, *others = categories
    offered = [(first, service) for service in words.categories[first].services]
    if chance.random() < SHORT_OFFER_SHARE:
        offered.pop()
    offered += [(other, words.categories[other].services[0]) for other in others]
    # Few people offer both ways; one who trusts the calendar trusts it for everything.
    mode = chance.choices(pack.booking.modes, weights=USUAL_MODE_FIRST[: len(pack.booking.modes)])[0]
    # Dear or cheap is a trait of the provider: a long service must not cost less than their short one.
    dearness = chance.random()
    return tuple(
        _draw_service(service, category=category, words=words, city=city, pack=pack, mode=mode, dearness=dearness)
        for category, service in offered
    )


def draw_hours(
    chance: Random, *, words: VerticalWords, services: Sequence[DemoService], step_minutes: int
) -> tuple[DemoHours, ...]:
    """Return a week in which every service fits into every window, so that no free hour is too short for a service."""
    longest = max(service.duration_minutes for service in services)
    weeks = [week.hours() for week in words.hours]
    fitting = [
        week
        for week in weeks
        if all(starts_within(window, minutes=longest, step_minutes=step_minutes) for window in week)
    ]
    return chance.choice(fitting)


def _draw_service(
    service: ServiceWords,
    *,
    category: str,
    words: VerticalWords,
    city: City,
    pack: Vertical,
    mode: BookingMode,
    dearness: float,
) -> DemoService:
    lowest, highest = service.price
    price = (lowest + (highest - lowest) * dearness) * city.price_percent / 100
    # A pack of the operator's own may lack what the words say.
    model = service.per if service.per in pack.booking.price_models else pack.booking.price_models[0]
    places = tuple(place for place in service.places or words.places if place in pack.booking.places)
    places = places or pack.booking.places[:1]
    least, most = _people(service, words=words, pack=pack)
    return DemoService(
        name=service.name,
        category=category,
        description=service.text,
        price_model=model,
        price_minor=_round_as_people_do(price) * 100,
        currency=CURRENCY,
        duration_minutes=max(service.minutes, pack.booking.slot_minutes),
        max_duration_minutes=service.longest if model is PriceModel.HOUR else None,
        min_people=least,
        max_people=most,
        places=places,
        travel_radius_km=words.travel_km if "customer" in places else None,
        booking_mode=mode,
    )


def _people(service: ServiceWords, *, words: VerticalWords, pack: Vertical) -> tuple[int, int | None]:
    """Return the fewest and the most people, within the bounds of the pack."""
    bounds, people = pack.booking.party_size, service.people or words.people
    if bounds is None:
        return 1, None
    least, most = people or (bounds.minimum, None)
    least = min(max(least, bounds.minimum), bounds.maximum)
    return least, None if most is None else min(max(most, least), bounds.maximum)


def _round_as_people_do(price: float) -> int:
    step = next(step for below, step in PRICE_STEPS if price < below)
    return max(step, round(price / step) * step)


def _fill(pattern: str, *, chance: Random, words: VerticalWords, person: Person, city: City) -> str:
    name = pattern.format(
        given=person[0],
        family=person[1],
        city=city.name,
        adjective=chance.choice(words.adjectives),
        noun=chance.choice(words.nouns),
    )
    return name[0].upper() + name[1:]
