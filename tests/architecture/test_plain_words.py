"""Words that the glossary bans occur only in the older files of `files_with_old_words.txt`, which may only shrink.

A file that is clean must leave the list. `python -m tests.architecture.test_plain_words` writes the list again, after a
merge for example; a review of its diff sees to it that no file is added.
"""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.architecture.sources import FOLDERS, ROOT

_BANNED: Final = ("whoever", "nobody", "somebody", "everybody", "anew", "told")
_LIST: Final = Path(__file__).with_name("files_with_old_words.txt")
# These files name the words in order to ban them.
_NAMES_THE_WORDS: Final = frozenset(
    {"docs/glossary.md", "tests/architecture/test_shown_words.py", f"tests/architecture/{Path(__file__).name}"}
)

_LOWER: Final = "|".join(_BANNED)
# A word of a sentence, of snake_case, of CamelCase or of a constant; never a part of a longer word.
_WORD: Final = re.compile(
    rf"(?<![A-Za-z])(?:{_LOWER})(?![a-z])"
    rf"|(?:{'|'.join(word.capitalize() for word in _BANNED)})(?![a-z])"
    rf"|(?<![A-Za-z])(?:{_LOWER.upper()})(?![A-Za-z])"
)
_HOW_TO_FIX: Final = (
    "Rewrite the sentence or rename the identifier: subject first, no relative clause as the subject, terms of"
    " docs/glossary.md. Where the file is clean now, run `python -m tests.architecture.test_plain_words`."
)


def test_banned_words_occur_only_in_the_listed_files() -> None:
    found = {name: words for name in _tracked_files() if (words := list(_banned_words(_text_of(name))))}
    listed = set(_listed_files())
    assert {name: words for name, words in found.items() if name not in listed} == {}, _HOW_TO_FIX
    assert sorted(listed - found.keys()) == [], _HOW_TO_FIX


def test_list_is_sorted_without_repetitions() -> None:
    assert _listed_files() == sorted(set(_listed_files()))


def test_code_makefile_and_documentation_are_read() -> None:
    files = set(_tracked_files())
    assert {"Makefile", "README.md", "docs/architecture.md", "src/fairground/kernel/errors.py"} <= files
    assert _NAMES_THE_WORDS.isdisjoint(files)
    assert len(files) > 500


@pytest.mark.parametrize("word", _BANNED)
@pytest.mark.parametrize(
    "form", ["# {} asks.", "# It is {}.", "{}_version = 1", "list_{}()", "is_{}_there", "{}'s row", "x.{}2", "({})"]
)
def test_control_lower_case_word_is_noticed(word: str, form: str) -> None:
    assert list(_banned_words(form.format(word))) == [f"line 1: {word}"]


@pytest.mark.parametrize("word", [word.capitalize() for word in _BANNED])
@pytest.mark.parametrize(
    "form", ['"""{} asks."""', "class {}:", "class {}Knows:", "Is{}There()", "HTTP{}()", "# a\n# {}"]
)
def test_control_capitalised_word_is_noticed(word: str, form: str) -> None:
    assert [found.rpartition(" ")[2] for found in _banned_words(form.format(word))] == [word]


@pytest.mark.parametrize("word", [word.upper() for word in _BANNED])
@pytest.mark.parametrize("form", ["{} = 1", "THE_{}_ID", "# {}!"])
def test_control_upper_case_word_is_noticed(word: str, form: str) -> None:
    assert list(_banned_words(form.format(word))) == [f"line 1: {word}"]


@pytest.mark.parametrize("word", ["untold", "shoulder", "retold", "Toldeo", "UNTOLD", "anewly", "busybody", "canew"])
def test_part_of_a_longer_word_is_not_noticed(word: str) -> None:
    assert list(_banned_words(f"# {word} {word}_id")) == []


def _banned_words(text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), start=1):
        for match in _WORD.finditer(line):
            yield f"line {number}: {match[0]}"


def _tracked_files() -> list[str]:
    """Return the paths of all files that must be free of the words, relative to the root."""
    patterns = ["Makefile", "docs/*.md", ":(glob)*.md", *(f"{folder}/*.py" for folder in FOLDERS)]
    listed = subprocess.run(["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    tracked = (name for name in listed.stdout.split("\0") if name)
    # A file that is deleted but not committed yet is still tracked.
    return sorted(name for name in tracked if name not in _NAMES_THE_WORDS and (ROOT / name).is_file())


def _text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _listed_files() -> list[str]:
    return _LIST.read_text(encoding="utf-8").splitlines()


def _write_list() -> None:
    names = [name for name in _tracked_files() if any(_banned_words(_text_of(name)))]
    _LIST.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")


if __name__ == "__main__":
    _write_list()
