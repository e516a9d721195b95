"""One name has one answer, whether the API, a form or an import brings it."""

from typing import Final

import pytest

from fairground.contracts.providers import ProfileInvalid
from fairground.kernel.errors import DomainError
from fairground.modules.providers.domain.profiles import check_profile
from fairground.modules.providers.http.profiles import ProviderIn
from fairground.ops.imports.mapping import ProviderMap, RowMapper
from fairground.ops.imports.records import RowFault
from fairground.verticals.loader import load_verticals
from fairground.web.forms import Form
from fairground.web.pages.dashboard_profile import Profile

REFUSED: Final = "refused"
CASES: Final = [
    ("山田\u3000太郎", "山田 太郎"),
    ("\u0639\u0644\u06cc\u200c\u0631\u0636\u0627", "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627"),
    ("അനില്\u200d", "അനില്\u200d"),
    ("Jean\u00a0Dupont", "Jean Dupont"),
    ("👨\u200d👩\u200d👧\u200d👦", "👨\u200d👩\u200d👧\u200d👦"),
    ("Zoe\u0308", "Zo\u00eb"),
    ("e\u0301" * 120, "\u00e9" * 120),
    ("a\u200bb\ufeff", "ab"),
    ("  a \u2003 b ", "a b"),
    ("x" * 121, REFUSED),
    ("\u3164", REFUSED),
    ("\u2800", REFUSED),
    ("\u200b", REFUSED),
    ("\u0301\u0302", REFUSED),
    ("\ufe0f", REFUSED),
    ("\u0301a", REFUSED),
    ("a\u202eb", REFUSED),
    ("a\u2066b", REFUSED),
    ("a\x07b", REFUSED),
    ("a\x00b", REFUSED),
    ("a\ufffeb", REFUSED),
    ("a\U000e0041b", REFUSED),
    ("Z" + "\u0335\u0321" * 10, REFUSED),
    ("", REFUSED),
    ("   ", REFUSED),
]
# The map folds white space before the rule is asked, as its reference says, so a cell on two lines is one line there.
LAYOUT: Final = ["Line one\nLine two", "Line one\tLine two", "Line one\u2028Line two"]
OTHERS: Final = {"location": "Oslo", "timezone": "Europe/Oslo", "categories": ["dj"]}
MAP: Final = {
    "source": "list",
    "currency": "EUR",
    "fields": {
        "external_id": {"column": "id"},
        "business_name": {"column": "name"},
        "location": {"value": "Oslo"},
        "categories": {"value": "dj"},
    },
}


def by_api(name: str) -> str:
    try:
        body = ProviderIn.model_validate({"vertical": "artists", "business_name": name, **OTHERS})
        return str(check_profile(body.model_dump())["business_name"])
    except (ProfileInvalid, ValueError):
        return REFUSED


def by_form(name: str) -> str:
    form = Form(
        values={"business_name": name, "location": "Oslo", "timezone": "Europe/Oslo"}, lists={"categories": ["dj"]}
    )
    try:
        return str(check_profile(form.parse(Profile).model_dump())["business_name"])
    except DomainError:
        return REFUSED


def by_import(name: str) -> str:
    artists = load_verticals().find("artists")
    assert artists is not None
    try:
        return RowMapper(ProviderMap.model_validate(MAP), artists).provider_of({"id": "1", "name": name}).business_name
    except RowFault:
        return REFUSED


@pytest.mark.parametrize(("name", "answer"), CASES)
def test_api_form_and_import_give_one_answer(name: str, answer: str) -> None:
    assert (by_api(name), by_form(name), by_import(name)) == (answer, answer, answer)


@pytest.mark.parametrize("name", LAYOUT)
def test_name_on_two_lines_is_refused_but_where_the_map_folds_white_space(name: str) -> None:
    assert (by_api(name), by_form(name), by_import(name)) == (REFUSED, REFUSED, "Line one Line two")
