from decimal import Decimal

import pytest

from fairground.ops.imports.mapping import ProviderMap
from fairground.ops.imports.numbers import NumberFormat
from fairground.ops.imports.records import RowFault

PLAIN, GERMAN, SWISS, FRENCH = NumberFormat(), NumberFormat(",", "."), NumberFormat(".", "'"), NumberFormat(",", " ")


@pytest.mark.parametrize(
    ("numbers", "text", "minor"),
    [
        *((PLAIN, text, minor) for text, minor in (("1250", 125_000), ("1250.5", 125_050), ("0.99", 99))),
        *((GERMAN, text, minor) for text, minor in (("1.250,50", 125_050), ("1250,5", 125_050), ("12.500", 1_250_000))),
        *((GERMAN, text, minor) for text, minor in (("99", 9_900), ("999.999,99", 99_999_999))),
        *((SWISS, text, minor) for text, minor in (("1'250.50", 125_050), ("1250", 125_000))),
        (FRENCH, "1 250,50", 125_050),
    ],
)
def test_price_is_read_by_the_separators_of_the_map(numbers: NumberFormat, text: str, minor: int) -> None:
    assert numbers.read_price_minor(text, currency="EUR", column="price") == minor


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        *((PLAIN, text) for text in ("1,250", "1.250,50", "1.250", "1 250", "", "-1")),
        *((GERMAN, text) for text in ("1.5", "1.25", "12.50", "1.2500", "1250.50", ".250", "1.250.5", "1,250.50")),
        *((GERMAN, text) for text in ("1,250,50", "1.250,5.0", "1.250,505", "1..250", "1.250,", "a.250", "1'250")),
        *((SWISS, text) for text in ("1'25", "1,250", "1'250.5'0")),
        (NumberFormat(",", ""), "1.250"),
    ],
)
def test_number_in_another_format_is_no_number(numbers: NumberFormat, text: str) -> None:
    with pytest.raises(RowFault) as fault:
        numbers.read_price_minor(text, currency="EUR", column="price")
    assert text in fault.value.reason


def test_hint_is_written_with_the_separators_of_the_map() -> None:
    with pytest.raises(RowFault, match=r".*") as fault:
        GERMAN.read_price_minor("a lot", currency="EUR", column="price")
    assert fault.value.hint == "write it like 1250,50, without other signs"
    with pytest.raises(RowFault, match=r".*") as fault:
        GERMAN.read_decimal("59.91", column="lat", least=-90, most=90)
    assert fault.value.hint == "write it like 1250 or 1250,50, without other signs"


def test_coordinates_have_the_same_separators() -> None:
    assert GERMAN.read_decimal("-59,91", column="lat", least=-90, most=90) == Decimal("-59.91")


@pytest.mark.parametrize("head", [{"decimal": ",", "thousands": ","}, {"decimal": ";"}, {"delimiter": "x"}])
def test_map_with_separators_of_two_meanings_is_refused(head: dict[str, str]) -> None:
    fields = {name: {"column": name} for name in ("external_id", "business_name", "location", "categories")}
    with pytest.raises(ValueError, match=r".+"):
        ProviderMap.model_validate({"source": "x", "currency": "EUR", "fields": fields, **head})
