"""Databases with the tables of every module, on both dialects."""

import importlib
import shutil
from functools import cache
from pathlib import Path
from typing import Final

from fairground.entrypoints.settings import MODULES
from fairground.platform.db.dialect import open_backend
from fairground.platform.db.history import History
from fairground.platform.db.migrate import upgrade

SOURCE: Final = Path(__file__).resolve().parents[2] / "src"


@cache
def histories() -> tuple[History, ...]:
    """Find every `tables.py` that has a `history`, in the order in which the program upgrades them."""
    names = [".".join(file.relative_to(SOURCE).with_suffix("").parts) for file in sorted(SOURCE.rglob("tables.py"))]
    tables = map(importlib.import_module, sorted(names, key=_place))
    return tuple(module.history for module in tables if hasattr(module, "history"))


def _place(name: str) -> int:
    """Return the place of a module's tables among all: the platform's come first."""
    return next((place for place, module in enumerate(MODULES) if name.startswith(f"{module}.")), -1)


def migrate(url: str) -> None:
    engine = open_backend(url, pool_size=1, is_secondary=True).migration_engine()
    try:
        with engine.begin() as connection:
            upgrade(connection, histories())
    finally:
        engine.dispose()


def copy_of(template: Path, folder: Path) -> str:
    """Copy a migrated SQLite file, which takes a fraction of a millisecond, and return the URL of the copy."""
    return f"sqlite:///{shutil.copy(template, folder / 'fairground.db')}"
