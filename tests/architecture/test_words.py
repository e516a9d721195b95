"""Words that are allowed only in certain files."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.architecture.sources import PACKAGE, python_files, shown, text_of, tree_of

DIALECT_WORDS: Final = re.compile(r"sqlite|postgres|psycopg", re.IGNORECASE)
DIALECT_HOME: Final = PACKAGE / "platform" / "db" / "dialect"

# Files outside platform/db/dialect that name a database, with the reason. The list may only shrink.
NAMES_A_DATABASE: Final[dict[str, str]] = {
    "src/fairground/sandbox/stripe/store.py": "the fake of another company keeps a file of its own, by the"
    " standard library (ADR 3)",
}


def test_unfinished_work_names_its_issue() -> None:
    unfinished = re.compile(r"\b(TODO|FIXME|XXX)\b(?!\(#\d+\): )")
    itself = Path(__file__)
    found = [
        f"{shown(file)}:{number}"
        for file in python_files()
        if file != itself
        for number, line in enumerate(text_of(file).splitlines(), start=1)
        if unfinished.search(line)
    ]
    assert found == [], "Write TODO(#123): with an open issue, or do it now."


def test_only_the_dialect_package_names_a_database() -> None:
    found = {shown(file): words for file in python_files() if _is_judged(file) if (words := list(_dialect_words(file)))}
    outside = {name: words for name, words in found.items() if name not in NAMES_A_DATABASE}
    assert outside == {}, "Ask tx.ops, or move the difference into platform/db/dialect."
    assert set(NAMES_A_DATABASE) <= set(found), "An exception that is no longer needed must go."


@pytest.mark.parametrize(
    "source",
    [
        "import sqlite3",
        "from psycopg import sql",
        'is_file = name == "sqlite"',
        "def on_postgres(): ...",
        "x.is_sqlite",
    ],
)
def test_a_named_database_is_noticed(source: str, tmp_path: Path) -> None:
    file = tmp_path / "sample.py"
    file.write_text(source)
    assert list(_dialect_words(file))


@pytest.mark.parametrize("source", ['"""SQLite is the default."""', 'raise Stop("One server on SQLite, please.")'])
def test_prose_may_name_a_database(source: str, tmp_path: Path) -> None:
    file = tmp_path / "sample.py"
    file.write_text(source)
    assert list(_dialect_words(file)) == []


def _is_judged(file: Path) -> bool:
    if not file.is_relative_to(PACKAGE) or file.is_relative_to(DIALECT_HOME):
        return False
    # Settings hold the default address.
    return file.name != "settings.py"


def _dialect_words(file: Path) -> Iterator[str]:
    """Find names of databases in the code. A sentence, in a docstring or for a person, may name them."""
    for node in ast.walk(tree_of(file)):
        for word in _words_of(node):
            if DIALECT_WORDS.search(word) and not re.search(r"\s", word):
                yield f"line {getattr(node, 'lineno', '?')}: {word}"


def _words_of(node: ast.AST) -> list[str]:
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name) | ast.arg(arg=name):
            return [name]
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.ImportFrom(module=str(module)):
            return [module]
        case _:
            return []
