"""Name the test files that a change can affect, by the graph of imports (`make test-changed`).

    python -m tools.affected [BASE]     the change: all that differs from BASE (HEAD unless given), new files included

A test file is named if it changed, or if it imports, over any number of steps, something that changed. Names of
modules in strings count as imports, because some modules are loaded by name; so does the name of the program in a test
that starts it. The conftest.py of all tests counts when it changes itself: it imports the whole program, and what a
test needs of that it imports too. A file that is no Python belongs to the modules of its folder that name it, or to all
of them. What every test depends on, such as the locks, names all tests.
"""

import ast
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from tools.bootstrap import ROOT

SOURCES: Final = ("src", "tests", "tools", "benchmarks")
EVERY_CONFTEST: Final = "tests/conftest.py"
EVERYTHING: Final = (EVERY_CONFTEST, "Makefile", "pyproject.toml", "requirements/", ".ci/")
ALWAYS: Final = ("tests/architecture/",)  # they read every file
DOCUMENTATION: Final = ("tests/docs/", "tests/tools/test_reference.py")
PROGRAM: Final = "src/fairground/entrypoints/cli/__init__.py"


class ImportGraph:
    """Which file of a checkout depends on which, by paths relative to its root."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.files = {
            file.relative_to(root).as_posix() for folder in SOURCES for file in sorted((root / folder).rglob("*.py"))
        }
        self._users: dict[str, set[str]] = defaultdict(set)
        for name in self.files:
            for used in self._used_by(name):
                self._users[used].add(name)

    def users(self, name: str) -> set[str]:
        """Return the files that import a file."""
        return self._users[name]

    def text_of(self, name: str) -> str:
        return (self._root / name).read_text()

    def affected(self, changed: Iterable[str]) -> set[str]:
        """Return every Python file that depends on one of the changed files, themselves included."""
        found: set[str] = set()
        waiting = [owner for name in changed for owner in self._owners(name)]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting.extend(self._users[name])
        return found

    def _used_by(self, name: str) -> Iterator[str]:
        for node in ast.walk(ast.parse(self.text_of(name))):
            match node:
                case ast.Import(names=names):
                    for alias in names:
                        yield from self._modules(alias.name)
                case ast.ImportFrom(module=str(module), names=names, level=0):
                    for alias in names:
                        yield from self._modules(f"{module}.{alias.name}")
                case ast.Constant(value="fairground") if name.startswith("tests/"):
                    yield PROGRAM
                case ast.Constant(value=str(text)) if text.startswith(("fairground.", "tests.", "tools.")):
                    yield from self._modules(text)
                    yield from self._modules(f"{text}.module")
        if name.startswith("tests/"):
            own = (f"{parent}/conftest.py" for parent in Path(name).parents)
            yield from (conftest for conftest in own if conftest not in {name, EVERY_CONFTEST})

    def _modules(self, dotted: str) -> Iterator[str]:
        """Return the files that importing a name loads: its module, and the packages above it."""
        prefix = "src/" if dotted.partition(".")[0] == "fairground" else ""
        parts = dotted.split(".")
        for end in range(len(parts), 0, -1):
            path = prefix + "/".join(parts[:end])
            yield from (file for file in (f"{path}.py", f"{path}/__init__.py") if file in self.files)

    def _owners(self, name: str) -> list[str]:
        """Return the Python files that a changed file counts as."""
        folder = Path(name).parent
        if "migrations" in folder.parts:
            tables = Path(*folder.parts[: folder.parts.index("migrations")]) / "tables.py"
            return [name, tables.as_posix()]
        if name.endswith(".py"):
            return [name]
        while not (beside := [file for file in self.files if Path(file).parent == folder]) and folder != Path():
            folder = folder.parent
        naming = [file for file in beside if Path(name).name in self.text_of(file)]
        return naming or beside


@cache
def graph_of(root: Path) -> ImportGraph:
    """Return the graph of a checkout, read once in a process."""
    return ImportGraph(root)


def select_tests(changed: Iterable[str], *, root: Path = ROOT) -> list[str]:
    """Return the test files and folders to run for changed files, by paths relative to the root."""
    changed = set(changed)
    if not changed:
        return []
    if any(name.startswith(EVERYTHING) for name in changed):
        return ["tests"]
    graph = graph_of(root)
    found = {name for name in graph.affected(changed) if _is_test(name)}
    if any(name.endswith(".md") for name in changed):
        found |= {name for name in graph.files if name.startswith(DOCUMENTATION) and _is_test(name)}
    found |= {name for name in graph.files if name.startswith(ALWAYS) and _is_test(name)}
    return sorted(found)


def _is_test(name: str) -> bool:
    return name.startswith("tests/") and Path(name).name.startswith("test_")


def changed_since(base: str) -> list[str]:
    """Return the paths that differ from a commit, new files included."""
    listings: Mapping[str, tuple[str, ...]] = {
        "changed": ("git", "diff", "--name-only", "--no-renames", base),
        "new": ("git", "ls-files", "--others", "--exclude-standard"),
    }
    shown = (
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
        for command in listings.values()
    )
    return sorted({name for listing in shown for name in listing.splitlines()})


def main() -> None:
    base = sys.argv[1] if len(sys.argv) > 1 else "HEAD"
    for name in select_tests(changed_since(base)):
        print(name)


if __name__ == "__main__":
    main()
