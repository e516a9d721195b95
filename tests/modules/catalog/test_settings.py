import pytest
from pydantic import ValidationError

from fairground.modules.catalog.settings import CatalogSettings


def test_the_currency_is_set_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert CatalogSettings().currency == "EUR"
    monkeypatch.setenv("FAIRGROUND_CATALOG_CURRENCY", "NOK")
    assert CatalogSettings().currency == "NOK"


@pytest.mark.parametrize("value", ["ZZZ", "CLF", "XAU", "IQD", "IRR", "BGN"])
def test_currency_that_is_unknown_or_not_chargeable_is_refused_with_those_that_are_offered(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("FAIRGROUND_CATALOG_CURRENCY", value)
    with pytest.raises(ValidationError, match=r"AED, AFN, .* EUR, .* ZMW"):
        CatalogSettings()


@pytest.mark.parametrize("value", ["nok", "KRONE", "", "€"])
def test_a_currency_is_an_iso_code(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("FAIRGROUND_CATALOG_CURRENCY", value)
    with pytest.raises(ValidationError, match="currency"):
        CatalogSettings()
