"""Which tests a change names: too few would hide a fault, and all of them would take the whole suite's time."""

from pathlib import Path

import pytest

from tools.affected import graph_of, select_tests
from tools.bootstrap import ROOT


@pytest.fixture(scope="module")
def everything() -> set[str]:
    return {name for name in graph_of(ROOT).files if Path(name).name.startswith("test_")}


def selected(*changed: str) -> set[str]:
    return set(select_tests(changed))


def test_a_leaf_names_the_tests_that_reach_it_and_leaves_others_out(everything: set[str]) -> None:
    named = selected("src/fairground/platform/storage/s3/signing.py")
    assert "tests/platform/storage/test_s3.py" in named
    assert "tests/architecture/test_words.py" in named, "these read every file"
    assert "tests/kernel/test_money.py" not in named
    assert len(named) < len(everything)


def test_the_kernel_names_the_tests_of_every_module() -> None:
    named = selected("src/fairground/kernel/money.py")
    assert {"tests/kernel/test_money.py", "tests/web/test_journeys.py", "tests/entrypoints/test_compose.py"} <= named


def test_a_module_that_is_built_by_its_name_names_the_tests_of_the_program() -> None:
    assert "tests/entrypoints/test_compose.py" in selected("src/fairground/modules/reviews/store.py")


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ("src/fairground/web/templates/base.html", "tests/web/test_rendering.py"),
        ("src/fairground/verticals/chefs.toml", "tests/verticals/test_cancellation_policy.py"),
        ("src/fairground/modules/reviews/migrations/versions/1000_reviews.py", "tests/modules/reviews/test_service.py"),
        ("tests/support/pointer.js", "tests/web/test_pointer.py"),
        ("tests/web/conftest.py", "tests/web/test_journeys.py"),
        ("src/fairground/entrypoints/cli/server.py", "tests/entrypoints/test_server.py"),
        ("docs/guides/run-it.md", "tests/docs/test_docs.py"),
    ],
)
def test_a_changed_file_names_the_test_that_needs_it(changed: str, named: str, everything: set[str]) -> None:
    assert (ROOT / changed).exists()
    assert named in everything
    assert named in selected(changed)


@pytest.mark.parametrize("changed", ["pyproject.toml", "requirements/dev.txt", "Makefile"])
def test_file_that_every_test_depends_on_names_all_tests(changed: str) -> None:
    assert select_tests([changed]) == ["tests"]


def test_without_a_change_nothing_is_named() -> None:
    assert select_tests([]) == []
