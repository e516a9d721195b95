import pytest
from pydantic import ValidationError

from fairground.platform.settings import CurrencySettings


def test_the_currency_is_set_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert CurrencySettings().currency == "EUR"
    monkeypatch.setenv("FAIRGROUND_CURRENCY", "NOK")
    assert CurrencySettings().currency == "NOK"


@pytest.mark.parametrize("value", ["ZZZ", "CLF", "XAU", "IQD", "IRR", "BGN"])
def test_currency_that_is_unknown_or_not_chargeable_is_refused_with_those_that_are_offered(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("FAIRGROUND_CURRENCY", value)
    with pytest.raises(ValidationError, match=r"AED, AFN, .* EUR, .* ZMW"):
        CurrencySettings()


@pytest.mark.parametrize("value", ["nok", "KRONE", "", "€"])
def test_a_currency_is_an_iso_code(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("FAIRGROUND_CURRENCY", value)
    with pytest.raises(ValidationError, match="CURRENCY"):
        CurrencySettings()
