"""A map makes providers of rows, and every value that does not fit is named with its hint."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from fairground.contracts.providers import BookingMode
from fairground.ops.imports.mapping import RowMapper, Rule, check_columns, load_map, map_of_export
from fairground.ops.imports.records import ImportRefused, RowFault
from fairground.verticals.loader import load_verticals
from fairground.verticals.schema import Vertical

OSLO = Path(__file__).parent / "oslo.toml"
ROW = {
    "id": "42932",
    "name": "Charming  apartment,\n Oslo",
    "host_name": "Cecilie",
    "neighbourhood": "Frogner",
    "latitude": "59.91201",
    "longitude": "10.72455",
    "room_type": "Entire home/apt",
    "price": "3400",
}


@pytest.fixture
def mapper() -> RowMapper:
    artists = load_verticals().find("artists")
    assert artists is not None
    return RowMapper(load_map(OSLO), artists)


def test_a_row_becomes_a_provider_by_column_template_and_value(mapper: RowMapper) -> None:
    provider = mapper.provider_of(ROW)
    assert provider.external_id == "42932"
    assert provider.business_name == "Charming apartment, Oslo"
    assert provider.custom_subtitle == "Entire home/apt, hosted by Cecilie"
    assert provider.location == "Frogner, Oslo"
    assert provider.categories == ["photographer"]
    assert provider.price_minor == 340_000
    assert provider.duration_minutes == 480
    assert provider.booking_mode is BookingMode.REQUEST
    assert provider.timezone == "Europe/Oslo"


def test_a_row_without_a_price_is_taken_without_one(mapper: RowMapper) -> None:
    assert mapper.provider_of(ROW | {"price": ""}).price_minor is None


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"id": ""}, "id"),
        ({"id": "x" * 201}, "id"),
        ({"name": " \n "}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"id": "a\x07b"}, "id"),
        ({"name": "a\x1bb"}, "name"),
        ({"neighbourhood": "a\ud800b"}, "neighbourhood"),
        ({"host_name": "x" * 200}, "room_type, host_name"),
        ({"latitude": "91"}, "latitude"),
        ({"latitude": "north"}, "latitude"),
        ({"latitude": ""}, "latitude"),
        ({"longitude": ""}, "longitude"),
        ({"longitude": "-180.1"}, "longitude"),
        ({"room_type": ""}, "room_type"),
        ({"room_type": "Castle"}, "room_type"),
        ({"price": "-1"}, "price"),
        ({"price": "0"}, "price"),
        ({"price": "0.004"}, "price"),
        ({"price": "1e-999999"}, "price"),
        ({"price": "1e999999"}, "price"),
        ({"price": "1,250"}, "price"),
        ({"price": "kr 500"}, "price"),
        ({"price": "NaN"}, "price"),
        ({"price": "99999999"}, "price"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_its_mend(
    mapper: RowMapper, change: dict[str, str], column: str
) -> None:
    with pytest.raises(RowFault) as caught:
        mapper.provider_of(ROW | change)
    assert caught.value.column == column
    assert caught.value.reason
    assert caught.value.hint


def with_categories(rule: str) -> RowMapper:
    artists = load_verticals().find("artists")
    assert artists is not None
    provider_map = load_map(OSLO)
    categories = Rule.model_validate(tomllib.loads(rule))
    fields = provider_map.fields.model_copy(update={"categories": categories})
    return RowMapper(provider_map.model_copy(update={"fields": fields}), artists)


@pytest.mark.parametrize(
    ("rule", "written", "slugs"),
    [
        ('values = {"burger" = "band"}', "dj, burger", ["dj", "band"]),
        ('values = {"burger" = "band"}', "burger", ["band"]),
        ('values = {"burger" = ""}', "dj, burger", ["dj"]),
        ('values = {"dj, burger" = "band"}', "dj, burger", ["band"]),
        ('values = {"burger" = "band, pianist"}', "dj,burger", ["dj", "band", "pianist"]),
        ('values = {"dj" = "band", "band" = "dj"}', "dj, band", ["band", "dj"]),
        ("skip_unknown = true", "dj, burger, band", ["dj", "band"]),
        ('default = "pianist"', " , ", ["pianist"]),
    ],
)
def test_values_apply_to_each_word_of_categories(rule: str, written: str, slugs: list[str]) -> None:
    mapper = with_categories(f'column = "room_type"\n{rule}')
    assert mapper.provider_of(ROW | {"room_type": written}).categories == slugs


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("", "'burger' is no category"),
        ("skip_unknown = true", "'burger' is no category"),
        ('values = {"burger" = "snack"}', "'snack', which values gives for 'burger', is no category"),
    ],
)
def test_unknown_category_is_named_by_the_word_that_is_wrong(rule: str, reason: str) -> None:
    with pytest.raises(RowFault) as caught:
        with_categories(f'column = "room_type"\n{rule}').provider_of(ROW | {"room_type": "burger, chips"})
    assert caught.value.reason == reason


def test_only_categories_may_skip_unknown_words(tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    path.write_text(OSLO.read_text().replace('{ column = "name" }', '{ column = "name", skip_unknown = true }'))
    with pytest.raises(ImportRefused, match="skip_unknown belongs to categories alone, not to business_name"):
        load_map(path)


def test_description_keeps_its_line_breaks() -> None:
    artists = load_verticals().find("artists")
    assert artists is not None
    provider_map = load_map(OSLO)
    fields = provider_map.fields.model_copy(update={"bio": Rule(column="about")})
    mapper = RowMapper(provider_map.model_copy(update={"fields": fields}), artists)
    provider = mapper.provider_of(ROW | {"about": "\n One  line \r\n\r\n another\tline\r"})
    assert provider.bio == "One line\n\nanother line"


@pytest.mark.parametrize("price", ["1.250", "12.345", "3400.000", "0.004"])
def test_price_with_more_decimals_than_its_currency_rejects_the_row(mapper: RowMapper, price: str) -> None:
    with pytest.raises(RowFault) as caught:
        mapper.provider_of(ROW | {"price": price})
    assert caught.value.column == "price"
    assert caught.value.reason == f"{price} has more decimals than NOK has"


@pytest.mark.parametrize("text", ["1e3", "1_000", "\uff11\uff12", "\u0663\u0660", "12,50"])
@pytest.mark.parametrize("column", ["price", "latitude"])
def test_number_in_another_syntax_rejects_the_row(mapper: RowMapper, column: str, text: str) -> None:
    with pytest.raises(RowFault) as caught:
        mapper.provider_of(ROW | {column: text})
    assert (caught.value.column, caught.value.reason) == (column, f"{text!r} is not a number")
    assert caught.value.hint.startswith("write it like 1250")


def test_a_booking_mode_that_the_vertical_does_not_have_is_named() -> None:
    artists = load_verticals().find("artists")
    assert artists is not None
    booking = artists.booking.model_copy(update={"modes": ("instant",)})
    mapper = RowMapper(load_map(OSLO), artists.model_copy(update={"booking": booking}))
    with pytest.raises(RowFault) as caught:
        mapper.provider_of(ROW)
    assert (caught.value.column, caught.value.hint) == ("booking_mode", "write instant")


def test_a_column_that_the_file_does_not_have_is_named() -> None:
    with pytest.raises(ImportRefused, match="names the column 'room_type', which the file does not have"):
        check_columns(load_map(OSLO), [name for name in ROW if name != "room_type"])


def test_columns_of_the_file_are_listed_shortened_and_escaped() -> None:
    columns = ["\x1b[2J", "x" * 500, "  é", *(f"c{number}" for number in range(100))]
    with pytest.raises(ImportRefused) as refused:
        check_columns(load_map(OSLO), columns)
    listed = str(refused.value).partition("It has: ")[2]
    assert listed.startswith(f"\\x1b[2J, {'x' * 39}…,   é, c0, c1, ")
    assert listed.endswith("c26 and 73 more.")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("source =", "sauce ="), "source"),
        (('{ column = "id" }', '{ column = "id", value = 3 }'), "exactly one"),
        (('"{neighbourhood}, Oslo"', '"{neighbourhood, Oslo"'), "location"),
        (('currency = "NOK"', 'currency = "kroner"'), "currency"),
        (("[fields]", "[fields"), "not TOML"),
    ],
)
def test_a_map_that_cannot_be_used_is_refused_with_the_place(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    path = tmp_path / "map.toml"
    path.write_text(OSLO.read_text().replace(*change))
    with pytest.raises(ImportRefused, match=message):
        load_map(path)


def test_a_map_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match="cannot be read"):
        load_map(tmp_path / "none.toml")


@pytest.fixture
def artists() -> Vertical:
    return next(pack for pack in load_verticals() if pack.key == "artists")


def test_all_services_of_a_row_come_from_one_column(artists: Vertical) -> None:
    mapper = RowMapper(map_of_export(currency="EUR"), artists)
    row = {"external_id": "1", "business_name": "Duo", "location": "Oslo", "categories": "dj", "currency": "EUR"}
    two = [
        {"name": "Set", "category": "dj", "price": "90.50", "duration_minutes": 60, "description": "Loud.\n\nLong."},
        {"name": "Night", "category": "DJ", "price": "900", "duration_minutes": 600, "booking_mode": "request"},
    ]
    for written in (json.dumps(two), ",".join(map(json.dumps, two))):
        found = mapper.provider_of(row | {"services": written}).services
        assert [(each.name, each.category, each.price_minor) for each in found] == [
            ("Set", "dj", 9050),
            ("Night", "dj", 90000),
        ]
        assert found[0].description == "Loud.\n\nLong."
    assert mapper.provider_of(row).services == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"category": "plumber"}, "'plumber' is no category"),
        ({"price": "0"}, "0 is no price"),
        ({"price": "1.005"}, "1.005 has more decimals than EUR has"),
        ({"duration_minutes": 4}, "4 minutes are out of range"),
        ({"booking_mode": "maybe"}, "'maybe' is no booking mode here"),
        ({"name": ""}, "a text "),
        ({"duration_minutes": 7}, "Set: duration_minutes is 7; it must be 30 to 1440"),
        ({"price_model": "person", "max_people": 4}, "Set: artists have prices by the booking or hour"),
        ({"max_duration_minutes": 90}, "Set: max_duration_minutes belongs to a price by the hour"),
        ({"places": ["moon"]}, "0 places 0: Input should be 'customer', 'provider' or 'online'"),
        ({"travel_radius_km": 5}, "Set: The distance is measured from your place on the map"),
        ({"colour": "red"}, "0 colour: Extra inputs are not permitted"),
    ],
)
def test_service_that_cannot_be_offered_is_a_fault_of_its_row(
    artists: Vertical, change: dict[str, Any], reason: str
) -> None:
    mapper = RowMapper(map_of_export(currency="EUR"), artists)
    service = {"name": "Set", "category": "dj", "price": "90", "duration_minutes": 60} | change
    row = {"external_id": "1", "business_name": "Duo", "location": "Oslo", "categories": "dj"}
    with pytest.raises(RowFault) as fault:
        mapper.provider_of(row | {"services": json.dumps([service])})
    assert fault.value.column == "services"
    assert fault.value.reason.startswith(reason)


def test_service_of_a_row_has_every_term(artists: Vertical) -> None:
    mapper = RowMapper(map_of_export(currency="EUR"), artists)
    terms: dict[str, Any] = {
        "price_model": "hour",
        "duration_minutes": 60,
        "max_duration_minutes": 180,
        "min_people": 2,
        "max_people": 30,
        "places": ["customer", "online"],
        "travel_radius_km": 25,
        "is_paused": True,
    }
    service = {"name": "Set", "category": "band", "price": "90"} | terms
    row = {"external_id": "1", "business_name": "Duo", "location": "Oslo", "categories": "dj", "lat": "59", "lng": "10"}
    provider = mapper.provider_of(row | {"services": json.dumps([service])})
    assert provider.services[0].model_dump(include=set(terms)) == terms
    assert provider.categories == ["dj", "band"]


def test_services_in_another_currency_are_a_fault_of_their_row(artists: Vertical) -> None:
    mapper = RowMapper(map_of_export(currency="EUR"), artists)
    row = {"external_id": "1", "business_name": "Duo", "location": "Oslo", "categories": "dj", "currency": "NOK"}
    with pytest.raises(RowFault) as fault:
        mapper.provider_of(row)
    assert fault.value.reason == "prices in NOK where the installation's are in EUR"
