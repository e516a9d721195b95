"""Money keeps every minor unit."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairground.kernel.money import major_from_minor, minor_from_major, share_of


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("12.5", "EUR", 1250), ("1200", "JPY", 1200), ("1.2345", "KWD", 1235), ("0.005", "EUR", 1), ("0", "EUR", 0)],
)
def test_major_units_become_the_minor_units_of_their_currency(amount: str, currency: str, minor: int) -> None:
    assert minor_from_major(Decimal(amount), currency) == minor


@given(st.integers(0, 10**15), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_minor_units_survive_the_way_there_and_back(minor: int, currency: str) -> None:
    assert minor_from_major(major_from_minor(minor, currency), currency) == minor


@given(st.integers(0, 10**15), st.integers(0, 100))
def test_a_share_and_its_remainder_make_the_whole(amount_minor: int, percent: int) -> None:
    share = share_of(amount_minor, percent)
    assert 0 <= share <= amount_minor
    assert share + (amount_minor - share) == amount_minor
    assert share_of(amount_minor, 0) == 0
    assert share_of(amount_minor, 100) == amount_minor
