import sys
from pathlib import Path

import pytest

from tools import bootstrap


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIP_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_CERT", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_FIND_LINKS", "UV_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(bootstrap, "PIP_FILES", ())


def test_an_index_set_up_for_pip_is_used_by_uv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "pip.conf"
    file.write_text("[global]\nindex-url = https://mirror.example/simple\nfind-links = /one /two\n")
    monkeypatch.setattr(bootstrap, "PIP_FILES", (str(file),))
    assert bootstrap.uv_settings() == {
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "UV_FIND_LINKS": "/one,/two",
    }


def test_the_environment_beats_the_file_of_pip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "pip.conf"
    file.write_text("[global]\nindex-url = https://mirror.example/simple\n")
    monkeypatch.setattr(bootstrap, "PIP_FILES", (str(file),))
    monkeypatch.setenv("PIP_INDEX_URL", "https://nearer.example/simple")
    assert bootstrap.uv_settings() == {"UV_DEFAULT_INDEX": "https://nearer.example/simple"}


@pytest.mark.parametrize("variable", ["UV_DEFAULT_INDEX", "UV_INDEX_URL"])
def test_settings_of_uv_override_those_of_pip(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example/simple")
    monkeypatch.setenv(variable, "https://uv.example/simple")
    assert bootstrap.uv_settings() == {}


def test_a_python_without_pip_uses_the_wheel_of_ensurepip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bootstrap, "is_importable", lambda name: name != "pip")
    command = bootstrap.find_pip(tmp_path)
    assert command[0] == sys.executable
    assert Path(command[1]).parent.suffix == ".whl"


def test_an_environment_made_for_developers_serves_the_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    monkeypatch.setattr(bootstrap, "VENV", tmp_path)
    monkeypatch.setattr(bootstrap, "STAMP", tmp_path / "installed")
    assert not bootstrap.is_installed("run")
    bootstrap.STAMP.write_text(bootstrap.stamp_of("dev"))
    assert bootstrap.is_installed("run")
    assert bootstrap.is_installed("dev")
    bootstrap.STAMP.write_text(bootstrap.stamp_of("run"))
    assert not bootstrap.is_installed("dev")
