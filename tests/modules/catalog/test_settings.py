import pytest
from pydantic import ValidationError

from fairground.modules.catalog.settings import CatalogSettings


def test_the_currency_is_set_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert CatalogSettings().currency == "EUR"
    monkeypatch.setenv("FAIRGROUND_CATALOG_CURRENCY", "NOK")
    assert CatalogSettings().currency == "NOK"


@pytest.mark.parametrize("value", ["nok", "KRONE", "", "€"])
def test_a_currency_is_an_iso_code(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("FAIRGROUND_CATALOG_CURRENCY", value)
    with pytest.raises(ValidationError, match="currency"):
        CatalogSettings()
