"""Loads the packs: every *.toml beside this file, and those in the operator's folder.

An operator's pack of the same name replaces the one that ships, so a policy or a text is changed without a fork.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from fairground.verticals.schema import Vertical


class PackError(Exception):
    """A pack cannot be used. The message names the file, the field and the correction, for an operator."""


@dataclass(frozen=True, kw_only=True)
class Verticals:
    packs: tuple[Vertical, ...]
    """Sorted by key."""

    def __iter__(self) -> Iterator[Vertical]:
        return iter(self.packs)

    def find(self, key: str) -> Vertical | None:
        return next((pack for pack in self.packs if pack.key == key), None)

    def has_category(self, word: str, *, vertical: str | None = None) -> bool:
        """Return whether a slug, name or alias means a category, of one vertical or of any."""
        packs = self.packs if vertical is None else [pack for pack in self.packs if pack.key == vertical]
        return any(pack.find_category(word) is not None for pack in packs)


def load_verticals(*, extra_dir: Path | None = None) -> Verticals:
    """Return the packs that ship, with those of `extra_dir` added or put in the place of their namesakes.

    Raises:
        PackError: A file cannot be read or does not fit the schema, or `extra_dir` is not a folder.
    """
    if extra_dir is not None and not extra_dir.is_dir():
        raise PackError(f"{extra_dir}: this folder does not exist. Create it, or unset FAIRGROUND_VERTICALS_DIR.")
    folders = [Path(__file__).parent, *([extra_dir] if extra_dir else [])]
    files = {file.stem: file for folder in folders for file in folder.glob("*.toml")}
    return Verticals(packs=tuple(_load_pack(files[key]) for key in sorted(files)))


def _load_pack(file: Path) -> Vertical:
    try:
        pack = Vertical.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PackError(f"{file}: this is not valid TOML: {error}.") from error
    except OSError as error:
        raise PackError(f"{file}: can't read the file: {error.strerror}. Check its permissions.") from error
    except ValidationError as error:
        raise PackError("\n".join(f"{file}: {_explain(each)}" for each in error.errors())) from error
    if pack.key != file.stem:
        raise PackError(f"{file}: key is {pack.key!r}. Name the file {pack.key}.toml, or set key = {file.stem!r}.")
    return pack


def _explain(error: ErrorDetails) -> str:
    field = ".".join(map(str, error["loc"]))
    named = [part for part in error["loc"] if isinstance(part, str)]
    *above, name = named or [""]
    table = _model_at(above)
    if error["type"] == "extra_forbidden":
        close = get_close_matches(name, table.model_fields, n=1)
        return f"{field}: unknown field. " + (f"Did you mean {close[0]!r}?" if close else "Remove it.")
    owner = table.model_fields.get(name)
    expected = f" {owner.description}" if owner and owner.description else ""
    if error["type"] == "missing":
        return f"{field}: missing. Add it.{expected}"
    problem = error["msg"].removeprefix("Value error, ")
    given = "" if isinstance(error["input"], BaseModel | dict | list) else f" (it is {error['input']!r})"
    return f"{field}: {problem}{given}.{expected}"


def _model_at(path: list[str]) -> type[BaseModel]:
    """Return the model that the table at this path of a pack must fit, e.g. Category for ['categories']."""
    model: type[BaseModel] = Vertical
    for name in path:
        if field := model.model_fields.get(name):
            model = next(_models_in(field.annotation), model)
    return model


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)
