"""Chromium, which the tests of the pages use: its path, and the message where there is none."""

import os
import shutil
from typing import Final

import pytest

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
_REQUIREMENT: Final = "FAIRGROUND_TEST_BROWSER"


def find_chromium() -> str:
    """Return its path; skip the test, and say so, where there is none."""
    found = _find()
    if found is None:
        pytest.skip("NOT RUN: there is no Chromium; install it, or name it in FAIRGROUND_TEST_CHROMIUM")
    return found


def refuse_without_required_browser() -> None:
    """End the run before its first test where a browser is required and missing: a skipped test proves nothing.

    Raises:
        pytest.UsageError: There is no Chromium, or the setting has a value that means nothing.
    """
    requirement = os.environ.get(_REQUIREMENT, "")
    if requirement not in {"", "required"}:
        raise pytest.UsageError(f"{_REQUIREMENT} is {requirement!r}; set it to required, or unset it.")
    if requirement and _find() is None:
        raise pytest.UsageError(
            f"{_REQUIREMENT} is required and there is no Chromium: install the package chromium (Debian: apt-get"
            " install chromium), or name the program in FAIRGROUND_TEST_CHROMIUM."
        )


def _find() -> str | None:
    named = os.environ.get("FAIRGROUND_TEST_CHROMIUM", "")
    return next((path for name in (named, *_NAMES) if name and (path := shutil.which(name))), None)
