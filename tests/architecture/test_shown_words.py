"""Texts that people see are in plain words: pages, mails, the command line, problems, settings, packs and guides.

`_WORDS` has what no text may say, with what it says instead. A word that is the right one in a place is in `_ALLOWED`,
with the reason.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from tests.architecture.sources import PACKAGE, ROOT, shown, tree_of

_WORDS: Final = {
    r"(some|any|no|every)body": "someone, anyone, no one, everyone, or name the person",
    r"whoever|whomever": "anyone who, or name the person",
    r"anew": "again",
    r"that which": "what, or name the thing",
    r"mend(s|ed|ing)?": "fix",
    r"e-mails?": "email",
    r"(gives?|given|gave) back": "refund",
    r"paid back|(goes|go|went) back to (the|your) card": "refunded",
    r"let (this|the) time go|take out": "cancel and release, remove",
    r"once more": "again",
    r"lapse[sd]?": "expires, expired",
    r"is no (e-?mail|address|price|category|vertical|source|picture|time zone|number)": "is not a …",
    r"do not belong together": "incorrect",
    r"be there on time|how it stands|are left over": "say it plainly",
    r"present password": "current password",
    r"telephone": "phone",
    r"free of charge": "free",
    r"(is|are) on the way to": "refund in progress",
    r"stands (here|there|on|in)|lies (in|on|at)|lies between": "is",
    r"kind of that": "say it plainly",
    r"desk": "dashboard",
}
_RAW_NAMES: Final = {
    r"[a-z]+_(minor|minutes|at|id|url|size|seconds|on)|requires_action|party_size": "the label of the field",
}
_BANNED: Final = {re.compile(rf"(?<![\w-])(?:{word})(?![\w-])", re.IGNORECASE): way for word, way in _WORDS.items()}
_BANNED_ON_PAGES: Final = {re.compile(rf"\b(?:{word})\b"): way for word, way in _RAW_NAMES.items()}
# One pass over a text finds whether a second one is worth it.
_ANY: Final = re.compile("|".join(_WORDS), re.IGNORECASE)

_ALLOWED: Final[dict[str, str]] = {}

_QUOTED: Final = r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_CALL: Final = re.compile(rf"(?<!\w)(?:_|n?gettext)\(\s*{_QUOTED}(?:\s*,\s*{_QUOTED})?")
_MARKUP: Final = re.compile(r"{#.*?#}|{%.*?%}|{{.*?}}|<script.*?</script>|<style.*?</style>|<[^>]*>", re.DOTALL)
_CODE: Final = re.compile(r"```.*?```|`[^`\n]*`|\]\([^)]*\)", re.DOTALL)
_VERBS: Final = frozenset({"get", "post", "put", "patch", "delete", "command"})


class Text(NamedTuple):
    where: str
    words: str


def test_texts_that_people_see_are_in_plain_words() -> None:
    found = [
        f"{text.where}: “{match[0]}” in “{' '.join(text.words.split())[:120]}”; write: {way}"
        for text in _all_texts()
        for match, way in _find(text.words, is_page="/web/" in text.where)
        if text.where not in _ALLOWED
    ]
    assert found == []


def test_every_exception_is_needed() -> None:
    needed = {text.where for text in _all_texts() if any(_find(text.words, is_page="/web/" in text.where))}
    assert sorted(_ALLOWED.keys() - needed) == []


@pytest.mark.parametrize(
    "source",
    [
        'raise Refused("Somebody has just taken it.")',
        'raise Refused(f"{name} is free.", hint="Look at it once more.")',
        '@router.get(\'/x\')\ndef read():\n    """Say anew what it is."""',
    ],
)
def test_control_text_of_code_is_noticed(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "sample.py"
    file.write_text(source)
    monkeypatch.setattr(f"{__name__}.shown", str)
    assert [match for text in _texts_of_code(file) for match in _find(text.words, is_page=False)]


@pytest.mark.parametrize(
    "source",
    [
        '<p>{{ _("Nobody is waiting.") }}</p>',
        '{{ ngettext("%(num)s day", "Whoever has %(num)s days", days) }}',
        "<title>Your e-mail</title>",
        '<p>{{ _("price_minor is 0.") }}</p>',
        """<p title="{{ _('Mend it.') }}"></p>""",
    ],
)
def test_control_text_of_a_template_is_noticed(source: str) -> None:
    assert [match for text in _texts_of_template("web", source) for match in _find(text.words, is_page=True)]


def test_code_and_comments_are_not_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "sample.py"
    file.write_text('"""Nobody calls it."""\nfoo["e-mail"] = starts_at  # told anew')
    monkeypatch.setattr(f"{__name__}.shown", str)
    assert list(_texts_of_code(file)) == []
    assert [text for text in _texts_of_template("web", "{# Nobody #}{{ starts_at }}") if text.words.strip()] == []


def _find(words: str, *, is_page: bool) -> Iterator[tuple[re.Match[str], str]]:
    if not (_ANY.search(words) or is_page):
        return
    for pattern, way in (_BANNED | _BANNED_ON_PAGES if is_page else _BANNED).items():
        yield from ((match, way) for match in pattern.finditer(words))


@cache
def _all_texts() -> tuple[Text, ...]:
    return tuple(_read_all_texts())


def _read_all_texts() -> Iterator[Text]:
    for file in sorted(PACKAGE.rglob("*.py")):
        if "migrations" not in file.parts and "sandbox" not in file.parts:
            yield from _texts_of_code(file)
    for pattern in ("*.html", "*.txt"):
        for file in sorted(PACKAGE.rglob(pattern)):
            yield from _texts_of_template(shown(file), file.read_text(encoding="utf-8"))
    for file in sorted((PACKAGE / "verticals").glob("*.toml")):
        yield from (Text(shown(file), words) for words in _strings(tomllib.loads(file.read_text(encoding="utf-8"))))
    pages = [ROOT / "README.md", *(ROOT / "docs" / "guides").glob("*.md"), *(PACKAGE / "web" / "texts").glob("*.md")]
    for file in sorted(pages):
        yield Text(shown(file), _CODE.sub("", file.read_text(encoding="utf-8")))


def _texts_of_template(where: str, source: str) -> Iterator[Text]:
    for match in _CALL.finditer(source):
        yield from (Text(where, words) for words in match.groups() if words)
    yield Text(where, _MARKUP.sub(" ", source))


def _texts_of_code(file: Path) -> Iterator[Text]:
    """Yield the strings with a blank in them, and the docstrings of routes and commands; comments are not shown."""
    tree, where = tree_of(file), shown(file)
    silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
            if " " in node.value.strip():
                yield Text(where, node.value)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (_is_route(node) or "cli" in file.parts):
            yield Text(where, ast.get_docstring(node) or "")


def _is_route(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    called = (entry.func for entry in node.decorator_list if isinstance(entry, ast.Call))
    return any(isinstance(func, ast.Attribute) and func.attr in _VERBS for func in called)


def _strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for part in value.values():
                yield from _strings(part)
        case list():
            for part in value:
                yield from _strings(part)
        case _:
            return
