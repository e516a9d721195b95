"""The source files of the project, read once."""

import ast
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGE: Final = ROOT / "src" / "fairground"
FOLDERS: Final = ("src", "tests", "tools", "benchmarks")


@cache
def python_files() -> tuple[Path, ...]:
    return tuple(sorted(file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")))


@cache
def text_of(file: Path) -> str:
    return file.read_text()


@cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(text_of(file))


def shown(file: Path) -> str:
    """Return the path as a person would write it."""
    return str(file.relative_to(ROOT))
