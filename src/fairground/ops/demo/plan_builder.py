"""Builds the plan of the demo.

Each customer and provider has its own seed, so a change to one text or one provider does not change the others.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random

from fairground.ops.demo import profiles
from fairground.ops.demo.bookings import (
    Offer,
    ReviewWriter,
    draw_bookings,
    draw_busy_bookings,
    draw_days_off,
    draw_messages,
)
from fairground.ops.demo.plan import (
    DemoCalendar,
    DemoCustomer,
    DemoPicture,
    DemoPlan,
    DemoProfile,
    DemoProvider,
    DemoService,
    ProviderState,
)
from fairground.ops.demo.profiles import Namer, Person, initials
from fairground.ops.demo.vocabulary import City, Vocabulary, load_vocabulary
from fairground.verticals.loader import Verticals
from fairground.verticals.schema import Vertical

SEED = 1  # unless another one is given
CUSTOMERS = 80
PROVIDERS = 300
WEIGHTS: Mapping[str, int] = {"artists": 9, "chefs": 5, "tutors": 6}  # artists have the most categories
# Of every fifty providers these are not approved, so that staff have some to decide on.
UNAPPROVED: Mapping[int, ProviderState] = {17: "submitted", 33: "rejected", 41: "draft"}
HUE_SPREAD_DEGREES = 55  # a page of neighbours is varied, and still shows which vertical it is


def build_plan(*, seed: int, verticals: Verticals, provider_count: int = PROVIDERS) -> DemoPlan:
    """Return the same plan for the same arguments.

    Packs for which no words ship are left out, and so are words for which a pack has no category.
    """
    builder = PlanBuilder(seed=seed, verticals=verticals, vocabulary=load_vocabulary())
    return DemoPlan(
        seed=seed,
        providers=tuple(builder.draw_provider(index) for index in range(provider_count)),
        customers=tuple(builder.draw_customer(index) for index in range(CUSTOMERS)),
    )


class PlanBuilder:
    def __init__(self, *, seed: int, verticals: Verticals, vocabulary: Vocabulary) -> None:
        self._seed = seed
        self._vocabulary = vocabulary
        self._namer = Namer(vocabulary)
        self._packs = [pack for pack in verticals if pack.key in WEIGHTS]
        self._numbers: Counter[str] = Counter()

    def draw_customer(self, index: int) -> DemoCustomer:
        given, family = self._namer.draw_person(self._chance("customer", index), city=None)
        return DemoCustomer(name=f"{given} {family}", email=f"customer-{index + 1}@example.org")

    def draw_provider(self, index: int) -> DemoProvider:
        """Return the next provider. Its number and its business name depend on those drawn before."""
        chance = self._chance("provider", index)
        pack = chance.choices(self._packs, weights=[WEIGHTS[pack.key] for pack in self._packs])[0]
        city = chance.choices(self._vocabulary.cities, weights=[city.weight for city in self._vocabulary.cities])[0]
        person = self._namer.draw_person(chance, city=city)
        number = self._numbers[pack.key] = self._numbers[pack.key] + 1
        profile = self._draw_profile(chance, pack=pack, city=city, person=person, turn=number)
        services = profiles.draw_services(
            chance, categories=profile.categories, words=self._vocabulary.verticals[pack.key], city=city, pack=pack
        )
        state = UNAPPROVED.get(index % 50, "approved")
        # The first of each vertical is the one whose account the README names.
        is_busy = number == 1
        if is_busy:
            services = tuple(service.model_copy(update={"booking_mode": "request"}) for service in services)
        calendar = self._draw_calendar(
            chance, pack=pack, city=city, services=services, given=person[0], state=state, is_busy=is_busy
        )
        return DemoProvider(
            owner_name=" ".join(person),
            email=f"{pack.key}-{number}@example.org",
            profile=profile,
            services=services,
            calendar=self._add_messages(
                calendar,
                index=index,
                vertical=pack.key,
            ),
            picture=_draw_picture(chance, pack=pack, business_name=profile.business_name),
            state=state,
            rejection_reason=chance.choice(self._vocabulary.rejections) if state == "rejected" else "",
        )

    def _draw_profile(self, chance: Random, *, pack: Vertical, city: City, person: Person, turn: int) -> DemoProfile:
        words = self._vocabulary.verticals[pack.key]
        categories = profiles.draw_categories(chance, pack=pack, words=words, turn=turn)
        trade = words.categories[categories[0]]
        return DemoProfile(
            vertical=pack.key,
            business_name=self._namer.name_business(chance, trade.names, words=words, person=person, city=city),
            custom_subtitle=chance.choice(trade.subtitles),
            bio=profiles.write_bio(chance, trade, words=words, city=city),
            place=city.place(lat_offset=chance.uniform(-0.03, 0.03), lng_offset=chance.uniform(-0.03, 0.03)),
            address=profiles.draw_address(chance, names=self._vocabulary.names[city.names], city=city),
            meeting_details=f"https://meet.example.org/{pack.key}-{turn}",
            categories=categories,
        )

    def _draw_calendar(
        self,
        chance: Random,
        *,
        pack: Vertical,
        city: City,
        services: Sequence[DemoService],
        given: str,
        state: ProviderState,
        is_busy: bool,
    ) -> DemoCalendar:
        words, rules = self._vocabulary.verticals[pack.key], pack.booking
        hours = profiles.draw_hours(chance, words=words, services=services, step_minutes=rules.slot_minutes)
        if state != "approved":
            return DemoCalendar(hours=hours, days_off=(), bookings=())
        names = self._vocabulary.names[city.names]
        offer = Offer(
            services=services,
            hours=hours,
            rules=rules,
            draw_address=lambda: profiles.draw_address(chance, names=names, city=city),
            customers=CUSTOMERS,
            notes=self._vocabulary.notes,
        )
        reviews = ReviewWriter(chance, self._vocabulary.reviews, vertical=pack.key, given=given)
        draw = draw_busy_bookings if is_busy else draw_bookings
        bookings = draw(chance, offer, reviews=reviews)
        return DemoCalendar(hours=hours, days_off=draw_days_off(chance, offer, bookings=bookings), bookings=bookings)

    def _add_messages(self, calendar: DemoCalendar, *, index: int, vertical: str) -> DemoCalendar:
        # Drawn with a seed of their own, so that a new thread changes no booking.
        bookings = draw_messages(
            self._chance("messages", index), calendar.bookings, threads=self._vocabulary.threads[vertical]
        )
        return calendar.model_copy(update={"bookings": bookings})

    def _chance(self, *name: object) -> Random:
        # Chance here is for variety, and must be the same on every machine.
        return Random(":".join(map(str, (self._seed, *name))))  # noqa: S311


def _draw_picture(chance: Random, *, pack: Vertical, business_name: str) -> DemoPicture:
    hue = (pack.picture.hue + chance.randint(-HUE_SPREAD_DEGREES, HUE_SPREAD_DEGREES)) % 360
    return DemoPicture(seed=business_name, initials=initials(business_name), hue=hue, motif=pack.picture.motif)
