import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from fairground.entrypoints.environment import (
    explain,
    find_unknown_settings,
    load_settings,
    name_of,
    read_settings,
    settings_classes,
)
from fairground.entrypoints.settings import Risk, Settings, SettingsError
from fairground.platform.settings import CurrencySettings


def test_without_settings_everything_is_private_and_in_one_folder() -> None:
    settings = Settings()
    assert settings.database == "sqlite:///var/fairground.db"
    assert settings.address == "http://127.0.0.1:8000"
    assert all(settings.allows(risk) for risk in Risk)


@pytest.mark.parametrize(
    "open_to_others", [{"http_host": "192.0.2.7"}, {"http_host": "::"}, {"public_url": "https://fair.example"}]
)
def test_public_server_takes_a_risk_only_by_name(open_to_others: dict[str, str]) -> None:
    assert not any(Settings.model_validate(open_to_others).allows(risk) for risk in Risk)
    allowed = Settings.model_validate(open_to_others | {"allow": "mail-page, demo-accounts"})
    assert [risk for risk in Risk if allowed.allows(risk)] == [Risk.MAIL_PAGE, Risk.DEMO_ACCOUNTS]


def test_the_database_has_a_second_name_and_the_first_one_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQLALCHEMY_DATABASE_URL", "sqlite:///second.db")
    assert load_settings().database == "sqlite:///second.db"
    monkeypatch.setenv("FAIRGROUND_DATABASE_URL", "sqlite:///first.db")
    assert load_settings().database == "sqlite:///first.db"


def test_the_address_has_no_slash_at_its_end_and_brackets_where_they_belong() -> None:
    assert Settings(public_url="https://fair.example/").address == "https://fair.example"
    assert Settings(http_host="::1", http_port=81).address == "http://[::1]:81"


@pytest.mark.parametrize("url", ["fair.example", "ftp://fair.example", "https://", "https://fair.example/shop"])
def test_a_public_url_with_a_path_or_without_a_host_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("FAIRGROUND_PUBLIC_URL", url)
    with pytest.raises(SettingsError, match=r"FAIRGROUND_PUBLIC_URL is .* Change it, or unset it\.$"):
        load_settings()


def test_number_out_of_bounds_is_refused_with_bounds_and_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRGROUND_HTTP_PORT", "70000")
    expected = "FAIRGROUND_HTTP_PORT is '70000'; it must be a number from 0 to 65535. Change it, or unset it for 8000."
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert str(refused.value) == expected


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        (
            "STORAGE_TAKES_DIRECT_UPLOADS",
            "ja",
            " is 'ja'; it must be true or false. Change it, or unset it for true.",
        ),
        (
            "HTTP_PORT",
            "80.5",
            " is '80.5'; it must be a whole number from 0 to 65535. Change it, or unset it for 8000.",
        ),
        ("HTTP_PORT", "9" * 5000, f" is '{'9' * 60}…'; it must be a number from 0 to 65535."),
        ("DATABASE_SLOW_SECONDS", "soon", " is 'soon'; it must be a number from 0.001 to 60."),
        ("DATABASE_SLOW_SECONDS", "nan", " is 'nan'; it must be a number from 0.001 to 60."),
        ("PUBLIC_URL", "http://[", " is 'http://['; it must be http:// or https:// with a host and no path, such as"),
        ("STORAGE_CDN_URL", "http://[", " is 'http://['; it must be http:// or https:// with a host, such as"),
        ("ALLOW", "money", " is 'money'; it must be one or more of sandbox-money, mail-page and demo-accounts, with"),
        ("ALLOW", "mail-page,money", " is 'money'; it must be one or more of sandbox-money, mail-page and demo-"),
        ("DATA_DIR", "", " is ''; it must be a folder."),
        (
            "CACHE_NAMESPACE",
            "a/b",
            " is 'a/b'; it must be 1 to 64 letters of A to Z, digits, dots, colons, hyphens and",
        ),
    ],
)
def test_value_that_cannot_be_read_is_refused_in_plain_words(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(f"FAIRGROUND_{variable}", value)
    with pytest.raises(ValidationError) as refused:
        _read_all()
    assert str(explain(refused.value)).startswith(f"FAIRGROUND_{variable}{said}")


def _read_all() -> None:
    for settings in settings_classes():
        settings()


def test_no_text_of_a_library_reaches_the_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    for settings in settings_classes():
        for field in settings.model_fields:
            for value in ("", "ja", "1.5", "-7", "nan", "9" * 30, "http://[", "http://a:b", "é", "x" * 5000):
                with monkeypatch.context() as patched:
                    patched.setenv(name_of(settings, field), value)
                    try:
                        settings()
                    except ValidationError as refused:
                        sentence = str(explain(refused))
                        words = ("Input", "valid", "pattern", "parse", "IPv6 URL", "urlsplit", "True", "x" * 100)
                        assert not [word for word in words if word in sentence], sentence


@pytest.mark.parametrize(
    "url", ["https://tiles.example/{z}/{x}.png", "//tiles.example/{z}/{x}/{y}", "https://{s}.tiles.example/{z}/{x}/{y}"]
)
def test_the_address_of_a_map_names_one_host_and_a_square(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("FAIRGROUND_MAP_TILES_URL", url)
    monkeypatch.setenv("FAIRGROUND_MAP_ATTRIBUTION", "© the people who drew it")
    with pytest.raises(SettingsError, match=r"FAIRGROUND_MAP_TILES_URL is .* with one host"):
        load_settings()


def test_map_tiles_need_an_attribution(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRGROUND_MAP_TILES_URL", "https://tiles.example/{z}/{x}/{y}.png")
    with pytest.raises(SettingsError, match="FAIRGROUND_MAP_TILES_URL and FAIRGROUND_MAP_ATTRIBUTION go together"):
        load_settings()


@pytest.mark.parametrize(
    ("variable", "nearest"),
    [
        ("FAIRGROUND_HTTP_PROT", "FAIRGROUND_HTTP_PORT"),
        ("FAIRGROUND_PORT", "FAIRGROUND_HTTP_PORT"),
        ("fairground_public_ulr", "FAIRGROUND_PUBLIC_URL"),
        ("FAIRGROUND_CACHE_LIST_SECONDS", "FAIRGROUND_CACHE_LISTS_SECONDS"),
        ("FAIRGROUND_CATALOG_CURENCY", "FAIRGROUND_CURRENCY"),
    ],
)
def test_unknown_setting_is_refused_with_nearest_name(
    monkeypatch: pytest.MonkeyPatch, variable: str, nearest: str
) -> None:
    monkeypatch.setenv(variable, "1")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    expected = f"Unknown setting {variable}. Did you mean {nearest}? See: fairground settings"
    assert str(refused.value) == expected


def test_unknown_setting_like_no_other_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRGROUND_ZZZZZZZZZZZZZZZZZZZZZZZZZZZ", "")
    with pytest.raises(SettingsError, match=r"Unset it\. See: fairground settings$"):
        load_settings()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("FAIRGROUND_TEST_POSTGRES_URL", "postgresql://127.0.0.1/x"),
        ("FAIRGROUND_PROOF_DOSE", "full"),
        ("FAIRGROUND_SERVICE_HOST", "10.0.0.7"),
        ("FAIRGROUND_SERVICE_PORT_HTTP", "80"),
        ("FAIRGROUND_WEB_PORT_8000_TCP_ADDR", "10.0.0.7"),
        ("FAIRGROUND_PORT", "tcp://10.0.0.7:80"),
    ],
)
def test_variables_of_tests_and_of_kubernetes_are_no_settings(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert load_settings().http_port == 8000


def test_running_installation_reads_settings_beside_an_unknown_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRGROUND_HTTP_PROT", "1")
    monkeypatch.setenv("FAIRGROUND_HTTP_PORT", "8100")
    assert read_settings().http_port == 8100
    (warning,) = find_unknown_settings()
    assert "Did you mean FAIRGROUND_HTTP_PORT?" in warning


def test_retired_name_of_the_currency_is_still_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRGROUND_CATALOG_CURRENCY", "NOK")
    load_settings()
    assert CurrencySettings().currency == "NOK"
    monkeypatch.setenv("FAIRGROUND_CURRENCY", "SEK")
    assert CurrencySettings().currency == "SEK"


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_serve_and_worker_warn_of_a_misspelt_setting(tmp_path: Path, command: str) -> None:
    environment = {**os.environ, "FAIRGROUND_HTTP_PROT": "1", "FAIRGROUND_DATA_DIR": str(tmp_path / "none")}
    ended = subprocess.run(
        [sys.executable, "-c", "from fairground.entrypoints.cli import main; main()", command],
        env=environment | {"FAIRGROUND_HTTP_PORT": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    warning, refusal = ended.stderr.splitlines()[0], ended.stderr.splitlines()[-1]
    assert warning.startswith("Warning: Unknown setting FAIRGROUND_HTTP_PROT.")
    assert ended.returncode == 2  # there is no database yet
    assert "fairground db upgrade" in refusal


def test_misspelt_setting_ends_the_program_with_one_sentence(tmp_path: Path) -> None:
    environment = {**os.environ, "FAIRGROUND_HTTP_PROT": "1", "FAIRGROUND_DATA_DIR": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-c", "from fairground.entrypoints.cli import main; main()", "up"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("fairground: Unknown setting FAIRGROUND_HTTP_PROT.")
    assert len(ended.stderr.splitlines()) == 1
