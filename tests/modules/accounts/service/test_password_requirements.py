import pytest

from fairground.contracts.accounts import PasswordUnfit
from fairground.modules.accounts.service.passwords import (
    PASSWORD_MAX_LENGTH,
    PASSWORD_MIN_LENGTH,
    check_password,
    load_well_known_passwords,
    normalise_password,
)

WELL_KNOWN = load_well_known_passwords()


@pytest.mark.parametrize("password", ["correct horse battery", "12ab56cd", "x1" * 64, "p@ss w0rd!", "пароль-и-ещё"])
def test_any_long_enough_password_is_fit_whatever_it_is_made_of(password: str) -> None:
    check_password(password, well_known=WELL_KNOWN)


@pytest.mark.parametrize(
    "password", ["", "1234567", "x1" * 64 + "x", "password", "PassWord", "12345678", "qwertyuiop", "zzzzzzzzzzzz"]
)
def test_a_password_that_is_short_endless_or_well_known_is_refused(password: str) -> None:
    with pytest.raises(PasswordUnfit):
        check_password(password, well_known=WELL_KNOWN)


def test_the_list_of_well_known_passwords_holds_only_what_could_be_chosen() -> None:
    assert len(WELL_KNOWN) > 600
    lengths = range(PASSWORD_MIN_LENGTH, PASSWORD_MAX_LENGTH + 1)
    assert [word for word in WELL_KNOWN if len(word) not in lengths or word != word.casefold()] == []


def test_one_password_typed_on_two_keyboards_is_the_same() -> None:
    assert normalise_password("Zo\u00eb ﬁve") == normalise_password("Zoe\u0308 five")


def test_a_password_longer_than_any_stays_longer_than_any() -> None:
    assert len(normalise_password("x" * 1_000_000)) > PASSWORD_MAX_LENGTH
