from datetime import UTC, datetime, timedelta

import email_validator
import pytest

from fairground.contracts.accounts import EmailUnfit, NameUnfit, Role, SessionKind
from fairground.modules.accounts import domain
from fairground.modules.accounts.settings import AccountsSettings

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("ada@example.org", "ada@example.org"),
        ("  Ada.Lovelace+Fair@Example.ORG ", "ada.lovelace+fair@example.org"),
        ("o'brien@mail.example.co.uk", "o'brien@mail.example.co.uk"),
        ("max@müller.de", "max@xn--mller-kva.de"),
        ("MAX@MÜLLER.DE", "max@xn--mller-kva.de"),
        ("max@mu\u0308ller.de", "max@xn--mller-kva.de"),
        ("max@XN--mller-kva.de", "max@xn--mller-kva.de"),
        ("max@müller。de", "max@xn--mller-kva.de"),
        ("max@faß.de", "max@xn--fa-hia.de"),
        ("José@Example.com", "josé@example.com"),
        ("jose\u0301@example.com", "josé@example.com"),
        ("用户@例子.广告", "用户@xn--fsqu00a.xn--4rr70v"),
        ("ada@mail.test", "ada@mail.test"),
        ("ada@fair.local", "ada@fair.local"),
        ("ada@mail.localhost", "ada@mail.localhost"),
    ],
)
def test_an_address_is_kept_in_one_form(written: str, kept: str) -> None:
    assert domain.get_email(written) == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "@example.org",
        "ada@",
        "ada@localhost",
        "ada@-example.org",
        "ada@example..org",
        ".ada@example.org",
        "a da@example.org",
        "ada@example.org, eve@example.org",
        "ada@example.org\nBcc: eve@example.org",
        "ada@example.org\x00",
        "\u0301da@example.org",
        "a\u200bda@example.org",
        "a\u202eda@example.org",
        "ada@test",
        "ada@exa_mple.org",
        "ada@[127.0.0.1]",
        '"a da"@example.org',
        "Ada <ada@example.org>",
        "ada\uff20example.org",
        "ada@example.org\ud800",
        f"{'a' * 250}@example.org",
    ],
)
def test_what_mail_cannot_be_sent_to_is_refused(text: str) -> None:
    assert domain.find_email(text) is None
    with pytest.raises(EmailUnfit):
        domain.get_email(text)


@pytest.mark.parametrize("text", ["ada@fair.invalid", "ada@10.0.0.1", "ada@ab--cd.example", "ada@xn--99999999.example"])
def test_account_of_an_earlier_rule_is_found_but_none_is_opened(text: str) -> None:
    assert domain.find_email(text.upper()) == text
    with pytest.raises(EmailUnfit):
        domain.get_email(text)


def test_special_names_of_the_library_are_left_as_they_are() -> None:
    before = list(email_validator.SPECIAL_USE_DOMAIN_NAMES)
    domain.get_email("ada@fair.local")
    assert before == email_validator.SPECIAL_USE_DOMAIN_NAMES
    assert "local" in before


@pytest.mark.parametrize("text", ["", "   ", "a\x00b", "a\nb", "x" * 101])
def test_a_name_that_cannot_be_shown_is_refused(text: str) -> None:
    with pytest.raises(NameUnfit):
        domain.get_name(text)


def test_a_name_is_kept_as_it_is_written() -> None:
    assert domain.get_name(" Zoë O’Brien 李 ") == "Zoë O’Brien 李"


def test_secrets_are_256_bits_and_have_one_form() -> None:
    secrets = {domain.new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert all(domain.is_secret(secret) for secret in secrets)
    assert not domain.is_secret("short")
    assert not domain.is_secret(domain.new_secret() + "\n")


@pytest.mark.parametrize(
    ("kind", "role", "absolute", "idle"),
    [
        (SessionKind.BROWSER, Role.CUSTOMER, timedelta(days=90), timedelta(days=14)),
        (SessionKind.BROWSER, Role.PROVIDER, timedelta(days=90), timedelta(days=14)),
        (SessionKind.BROWSER, Role.ADMIN, timedelta(hours=12), timedelta(minutes=30)),
        (SessionKind.TOKEN, Role.CUSTOMER, timedelta(days=365), None),
        (SessionKind.TOKEN, Role.ADMIN, timedelta(days=30), None),
    ],
)
def test_how_long_a_session_lives_depends_on_its_kind_and_its_holder(
    kind: SessionKind, role: Role, absolute: timedelta, idle: timedelta | None
) -> None:
    assert domain.lifetime_of(AccountsSettings(), kind=kind, role=role) == domain.Lifetime(absolute, idle)


def test_a_visit_prolongs_a_session_but_never_beyond_its_end() -> None:
    lifetime = domain.Lifetime(absolute=timedelta(hours=12), idle=timedelta(minutes=30))
    ends_at = NOON + timedelta(hours=12)

    assert lifetime.expires_at(seen_at=NOON, ends_at=ends_at) == NOON + timedelta(minutes=30)
    assert lifetime.expires_at(seen_at=ends_at - timedelta(minutes=1), ends_at=ends_at) == ends_at


def test_a_session_is_listed_by_what_can_be_shown_of_its_name() -> None:
    assert domain.session_name(" Fire\x00fox\r\n") == "Firefox"
    assert domain.session_name("") == "Unnamed"
    assert len(domain.session_name("x" * 5_000)) == 200
