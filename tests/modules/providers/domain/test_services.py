from collections.abc import Iterable
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairground.contracts.providers import (
    NAME_MAX_LENGTH,
    PRICE_MAX_MINOR,
    CategoryUnknown,
    ContactInUse,
    CurrencyUnsupported,
    Service,
    ServiceChanges,
    ServiceIn,
    ServiceInvalid,
)
from fairground.contracts.providers.service_rules import Grounds, check_service, compute_service_total
from fairground.kernel.ids import uuid7
from fairground.kernel.money import find_currency
from fairground.modules.providers.domain.services import (
    apply_changes,
    check_still_served,
    name_copy,
)
from fairground.modules.providers.store.services import price_columns
from fairground.verticals.loader import load_verticals
from fairground.verticals.pricing import PriceModel, compute_total_minor, list_lengths
from fairground.verticals.schema import BookingRules, PartySize, Vertical
from tests.support.providers import a_service

PACKS: Final = {pack.key: pack for pack in load_verticals()}
ALL: Final = Grounds(
    categories=["jazz_ensemble", "italian", "mathematics"],
    has_address=True,
    has_meeting_details=True,
    has_coordinates=True,
)
NONE: Final = Grounds(categories=ALL.categories, has_address=False, has_meeting_details=False, has_coordinates=False)


def a_menu(**changes: Any) -> ServiceIn:
    return a_service(**({"category": "italian", "duration_minutes": 120} | changes))


def a_pack(key: str, **booking: Any) -> Vertical:
    rules = BookingRules.model_validate(PACKS[key].booking.model_dump() | booking)
    return PACKS[key].model_copy(update={"booking": rules})


def check(service: ServiceIn, *, pack: Vertical = PACKS["chefs"], grounds: Grounds = ALL) -> ServiceIn:
    return check_service(pack, service, grounds=grounds, currency=service.currency)


def an_offered(**changes: Any) -> Service:
    fields = check(a_menu(**changes)).model_dump()
    return Service(id=uuid7(), provider_id=uuid7(), **fields)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"price_minor": 0}, "price_minor"),
        ({"price_minor": PRICE_MAX_MINOR + 1}, "price_minor"),
        ({"duration_minutes": 7}, "duration_minutes"),
        ({"duration_minutes": 29}, "duration_minutes"),
        ({"duration_minutes": 1441}, "duration_minutes"),
        ({"max_duration_minutes": 180}, "max_duration_minutes"),
        ({"price_model": "hour", "max_duration_minutes": 90}, "max_duration_minutes"),
        ({"price_model": "hour", "max_duration_minutes": 125}, "max_duration_minutes"),
        ({"price_model": "hour", "max_duration_minutes": 1470}, "max_duration_minutes"),
        ({"price_model": "person"}, "max_people"),
        ({"min_people": 0}, "min_people"),
        ({"max_people": 201}, "max_people"),
        ({"min_people": 5, "max_people": 4}, "max_people"),
        ({"price_model": "person", "max_people": 200, "price_minor": PRICE_MAX_MINOR // 100}, "price_minor"),
        (
            {"price_model": "hour", "max_duration_minutes": 240, "price_minor": PRICE_MAX_MINOR // 3},
            "price_minor",
        ),
        ({"places": []}, "places"),
        ({"places": ["online", "online"]}, "places"),
        ({"travel_radius_km": 0}, "travel_radius_km"),
        ({"travel_radius_km": 20_001}, "travel_radius_km"),
        ({"travel_radius_km": 10, "places": ["provider"]}, "travel_radius_km"),
        ({"category": "french"}, "category"),
        ({"name": " "}, "name"),
        ({"description": "a\x00b"}, "description"),
    ],
)
def test_refusal_of_a_service_names_the_field(changes: dict[str, Any], field: str) -> None:
    check(a_menu())
    with pytest.raises(ServiceInvalid) as refused:
        check(a_menu(**changes))
    assert refused.value.context["field"] == field


def test_category_or_currency_that_does_not_exist_here_is_refused() -> None:
    with pytest.raises(CategoryUnknown):
        check(a_menu(category="blacksmith"))
    with pytest.raises(CurrencyUnsupported):
        check_service(PACKS["chefs"], a_menu(currency="NOK"), grounds=ALL, currency="EUR")


@pytest.mark.parametrize(("price_minor", "currency"), [(150, "MGA"), (5_124, "KWD")])
def test_price_that_cannot_be_charged_is_refused(price_minor: int, currency: str) -> None:
    with pytest.raises(ServiceInvalid, match="cannot be charged by card") as raised:
        check(a_menu(price_minor=price_minor, currency=currency))
    assert "multiple of" in raised.value.hint


def test_choice_that_the_pack_lacks_is_refused() -> None:
    for changes, words in (
        ({"modes": ("instant",)}, "must be instant, not request"),
        ({"price_models": ("hour",)}, "must be hour, not booking"),
        ({"places": ("online",)}, "customer is not a place for"),
    ):
        with pytest.raises(ServiceInvalid, match=words):
            check(a_menu(places=["customer"]), pack=a_pack("chefs", **changes))


def test_people_are_counted_only_where_the_pack_counts_them() -> None:
    alone = a_pack("chefs", party_size=None, price_models=("booking",))
    assert check(a_menu(), pack=alone).min_people == 1
    for changes in ({"min_people": 2}, {"max_people": 1}, {"max_people": 6}):
        with pytest.raises(ServiceInvalid, match="have no group size"):
            check(a_menu(**changes), pack=alone)


def test_least_number_of_people_is_that_of_the_pack_unless_the_service_has_its_own() -> None:
    pairs = a_pack("chefs", party_size=PartySize(minimum=2, maximum=8))
    assert check(a_menu(), pack=pairs).min_people == 2
    assert check(a_menu(min_people=4, max_people=8), pack=pairs).min_people == 4


def test_lengths_by_the_hour_grow_by_half_hours() -> None:
    service = check(a_menu(price_model="hour", duration_minutes=45, max_duration_minutes=135))
    assert list_lengths(shortest_minutes=service.duration_minutes, longest_minutes=service.max_duration_minutes) == [
        45,
        75,
        105,
        135,
    ]


def test_places_are_kept_in_the_order_of_the_pack() -> None:
    assert check(a_menu(places=["online", "customer"])).places == ["customer", "online"]
    assert check(a_menu()).places == ["customer", "provider", "online"]


@pytest.mark.parametrize(("place", "words"), [("provider", "needs an address"), ("online", "a meeting link or number")])
def test_place_that_the_profile_cannot_serve_is_refused(place: str, words: str) -> None:
    with pytest.raises(ServiceInvalid, match=words) as refused:
        check(a_menu(places=["customer", place]), grounds=NONE)
    assert refused.value.context["field"] == "places"
    assert "How customers reach you" in refused.value.hint


def test_places_left_out_are_those_that_the_profile_can_serve() -> None:
    assert check(a_menu(), grounds=NONE).places == ["customer"]
    with pytest.raises(ServiceInvalid, match="needs an address"):
        check(a_menu(), grounds=NONE, pack=a_pack("chefs", places=("provider",)))


def test_travel_radius_needs_a_place_on_the_map() -> None:
    assert check(a_menu(travel_radius_km=25)).travel_radius_km == 25
    with pytest.raises(ServiceInvalid, match="needs your place on the map"):
        check(a_menu(travel_radius_km=25), grounds=NONE)


def test_highest_total_may_be_the_bound_itself() -> None:
    assert check(a_menu(price_model="person", max_people=10, price_minor=PRICE_MAX_MINOR // 10)).max_people == 10
    with pytest.raises(ServiceInvalid, match=r"would cost 1000000\.10 EUR\. The maximum is 1000000\.00 EUR"):
        check(a_menu(price_model="person", max_people=10, price_minor=PRICE_MAX_MINOR // 10 + 1))


def test_changes_touch_only_the_fields_that_they_name() -> None:
    before = an_offered(description="Four courses.")
    changed = apply_changes(before, ServiceChanges(price_minor=1, description=None))
    assert changed == check(a_menu(price_minor=1, description=None))


@pytest.mark.parametrize("name", sorted(ServiceChanges.model_fields))
def test_required_field_of_a_service_cannot_be_emptied(name: str) -> None:
    emptied = ServiceChanges(**{name: None})
    if name in {"description", "max_duration_minutes", "max_people", "travel_radius_km"}:
        assert getattr(apply_changes(an_offered(), emptied), name) is None
    else:
        with pytest.raises(ServiceInvalid, match="can't be empty"):
            apply_changes(an_offered(), emptied)


def test_profile_keeps_what_its_services_need() -> None:
    studio = an_offered(name="At the studio", places=["provider"])
    call = an_offered(name="By video", places=["online"])
    visit = an_offered(name="Visit", places=["customer"], travel_radius_km=5)
    for field, names in (("address", ["At the studio"]), ("meeting_details", ["By video"]), ("lat", ["Visit"])):
        lost = {"address": "has_address", "meeting_details": "has_meeting_details", "lat": "has_coordinates"}[field]
        after = Grounds(**{**vars(ALL), lost: False})
        with pytest.raises(ContactInUse) as refused:
            check_still_served([studio, call, visit], before=ALL, after=after)
        assert (refused.value.context["field"], refused.value.context["services"]) == (field, names)
    # A service of before these rules may lack an address all along; other changes of the profile are free.
    check_still_served([studio, call, visit], before=NONE, after=NONE)


def test_name_of_a_copy_is_never_too_long() -> None:
    assert name_copy("Evening set") == "Evening set (copy)"
    assert len(name_copy("x" * NAME_MAX_LENGTH)) == NAME_MAX_LENGTH


def every_total(service: ServiceIn) -> Iterable[int]:
    """Yield the total of every booking that the service allows."""
    for people in range(service.min_people, (service.max_people or service.min_people) + 1):
        for minutes in list_lengths(
            shortest_minutes=service.duration_minutes, longest_minutes=service.max_duration_minutes
        ):
            yield compute_total_minor(
                service.price_model,
                service.price_minor,
                people=people,
                minutes=minutes,
                step_minor=find_currency(service.currency).step_minor,
            )


@st.composite
def services(draw: st.DrawFn) -> ServiceIn:
    model = draw(st.sampled_from(PriceModel))
    currency = draw(st.sampled_from(["EUR", "JPY", "KWD", "MGA"]))
    step_minor = find_currency(currency).step_minor
    shortest = draw(st.integers(30, 300))
    least = draw(st.integers(1, 30))
    return a_menu(
        price_model=model,
        price_minor=draw(st.integers(1, 3_000)) * step_minor,
        currency=currency,
        duration_minutes=shortest,
        max_duration_minutes=shortest + 30 * draw(st.integers(0, 6)) if model is PriceModel.HOUR else None,
        min_people=least,
        max_people=least + draw(st.integers(0, 20)),
        is_paused=draw(st.booleans()),
    )


@given(services())
def test_lowest_total_is_the_least_of_all_bookings(service: ServiceIn) -> None:
    totals = list(every_total(check(service)))
    assert compute_service_total(service) == min(totals)
    assert max(totals) <= PRICE_MAX_MINOR


@given(st.lists(services(), max_size=6))
def test_price_of_a_provider_is_the_least_of_what_is_not_paused(offered: list[ServiceIn]) -> None:
    offered = [service.model_copy(update={"currency": "EUR"}) for service in offered]
    totals = [total for service in offered if not service.is_paused for total in every_total(service)]
    expected = (min(totals), "EUR") if totals else (None, None)
    assert tuple(price_columns(offered).values()) == expected
