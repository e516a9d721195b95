"""A file has 40 to 400 lines and a function at most 40.

What is longer has more than one subject. A shorter file with one importer is a part of its subject.
"""

import ast
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

import pytest

from tests.architecture.sources import ROOT, python_files, shown, text_of, tree_of
from tools.affected import ImportGraph, graph_of

FILE_LINES: Final = 400
FUNCTION_LINES: Final = 40

# Longer ones, with their lengths. These lists may only shrink: a new entry needs a reviewer's word and a reason.
LONG_FILES: Final[dict[str, int]] = {}
LONG_FUNCTIONS: Final[dict[str, int]] = {}

SHORT_LINES: Final = 40
# Files that each module, area of pages or group of commands has by these names, whatever their length.
OF_EVERY_PART: Final = (
    "*/__init__.py",
    "*/migrations/*",
    "src/fairground/modules/*/http.py",
    "src/fairground/modules/*/settings.py",
    "src/fairground/modules/*/tables.py",
    "*/module.py",
    "src/fairground/web/pages/*",
    "src/fairground/entrypoints/cli/*",
)
# Shorter ones with one importer, each with its reason. This list may only shrink.
SHORT_FILES: Final[dict[str, str]] = {}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def test_files_are_short() -> None:
    lengths = {shown(file): text_of(file).count("\n") for file in python_files()}
    assert _too_long(lengths, FILE_LINES) == LONG_FILES


def test_functions_are_short() -> None:
    lengths = {
        f"{shown(file)}:{function.name}": _length(function)
        for file in python_files()
        if "migrations/versions" not in file.as_posix()  # a list of columns is as long as it is
        for function in _functions(tree_of(file))
    }
    assert _too_long(lengths, FUNCTION_LINES) == LONG_FUNCTIONS


def test_short_file_with_one_importer_has_a_reason() -> None:
    graph = graph_of(ROOT)
    short = {name for name in graph.files if name.startswith("src/") and _is_crumb(graph, name)}
    assert short == set(SHORT_FILES), "Move the content into the importer, or give the reason."


@pytest.mark.parametrize(
    ("importers", "is_found"), [(("one",), True), (("one", "two"), False)], ids=["one importer", "two importers"]
)
def test_short_file_is_found_by_its_importers(tmp_path: Path, importers: tuple[str, ...], *, is_found: bool) -> None:
    folder = tmp_path / "src" / "fairground"
    folder.mkdir(parents=True)
    (folder / "crumb.py").write_text("VALUE = 1\n")
    for name in importers:
        (folder / f"{name}.py").write_text("from fairground.crumb import VALUE\n" * (SHORT_LINES + 1))
    assert _is_crumb(ImportGraph(tmp_path), "src/fairground/crumb.py") == is_found


def test_length_leaves_out_the_docstring_and_functions_inside(tmp_path: Path) -> None:
    file = tmp_path / "sample.py"
    file.write_text(
        'def outer():\n    """One.\n\n    Two.\n    """\n    def inner():\n        return 1\n    return inner\n'
    )
    assert {function.name: _length(function) for function in _functions(tree_of(file))} == {"outer": 2, "inner": 2}


def test_nothing_hides_in_a_file_of_leftovers() -> None:
    leftovers = {"utils.py", "util.py", "helpers.py", "helper.py", "misc.py", "common.py"}
    assert [shown(file) for file in python_files() if file.name in leftovers] == []


def test_the_sources_were_found() -> None:
    assert ROOT / "src" / "fairground" / "kernel" / "errors.py" in python_files()


def _is_crumb(graph: ImportGraph, name: str) -> bool:
    importers = [user for user in graph.users(name) if user.startswith("src/")]
    is_short = len(importers) == 1 and graph.text_of(name).count("\n") < SHORT_LINES
    return is_short and not any(fnmatch(name, pattern) for pattern in OF_EVERY_PART)


def _too_long(lengths: dict[str, int], limit: int) -> dict[str, int]:
    return {name: length for name, length in lengths.items() if length > limit}


def _functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def _length(function: Function) -> int:
    """Count the lines of a function itself: neither its docstring nor the functions inside it, which count alone."""
    lines = _span(function)
    if ast.get_docstring(function) is not None:
        lines -= _span(function.body[0])
    return lines - sum(_span(inner) for inner in _directly_inside(function))


def _directly_inside(node: ast.AST) -> Iterator[Function]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function):
            yield child
        else:
            yield from _directly_inside(child)


def _span(node: ast.stmt) -> int:
    decorators = node.decorator_list if isinstance(node, Function) else []
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    return (node.end_lineno or node.lineno) - first + 1
