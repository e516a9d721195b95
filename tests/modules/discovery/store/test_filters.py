"""One statement is built for all filters of a shape."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, time

from fairground.contracts.discovery import ProviderSort
from fairground.modules.discovery.domain.availability_summary import FirstStarts, FreeOn
from fairground.modules.discovery.domain.cursors import PageRequest
from fairground.modules.discovery.domain.places import Circle
from fairground.modules.discovery.domain.search.question import CategoryWords, Question
from fairground.modules.discovery.store.filters import ListFilter
from fairground.modules.discovery.store.lists import ScanPlan, page_statement
from fairground.modules.discovery.store.search import candidates_statement
from fairground.platform.db.dialect.sqlite import SQLiteOps
from fairground.verticals.loader import load_verticals

OPS = SQLiteOps()
PAGE = PageRequest(sort=ProviderSort.PRICE, limit=12, offset=0)
WORDS = CategoryWords(load_verticals())


def free_on(day: date, *, usual: str, zones: dict[str, str]) -> FreeOn:
    now = datetime.combine(day, time(8), tzinfo=UTC)
    return FreeOn(day=day, first_starts=dict.fromkeys(("artists", "chefs"), FirstStarts(usual, zones)), now=now)


ONE = ListFilter(
    scopes=["artists/dj", "chefs"],
    name="a",
    location="b",
    min_minor=1,
    max_minor=2,
    min_rating=3.0,
    free_on=free_on(date(2026, 3, 2), usual="1200", zones={"Etc/UTC": "0900"}),
    near=Circle(lat=59.9, lng=10.7, radius_km=20),
)
OTHER = ListFilter(
    scopes=["chefs/thai", "artists"],
    name="c",
    location="d",
    min_minor=4,
    max_minor=5,
    min_rating=1.0,
    free_on=free_on(date(2026, 4, 9), usual="1300", zones={}),
    near=Circle(lat=-17.8, lng=100.0, radius_km=50),
)


def test_filters_of_one_shape_share_a_statement() -> None:
    built = [
        page_statement(OPS, list_filter, PAGE, ScanPlan.BY_LOCATION, is_full=True, at_most=9, count_to=9)[0]
        for list_filter in (ONE, OTHER)
    ]
    assert built[0] is built[1]
    asked = [Question.read(typed, WORDS) for typed in ("jazz trio", "東京")]
    found = [
        candidates_statement(OPS, question, list_filter, looked_at_max=9, enough=3)[0]
        for question, list_filter in zip(asked, (ONE, OTHER), strict=True)
    ]
    assert found[0] is found[1]


def test_filters_with_different_statements_have_different_shapes() -> None:
    late = free_on(date(2026, 3, 2), usual="9999", zones={})
    early = free_on(date(2026, 3, 2), usual="0000", zones={})
    across = Circle(lat=-17.8, lng=179.9, radius_km=50)
    others = [
        replace(ONE, scopes=["artists", "chefs"]),
        replace(ONE, scopes=["artists/dj"]),
        replace(ONE, name=None),
        replace(ONE, free_on=late),
        replace(ONE, free_on=early),
        replace(ONE, near=across),
    ]
    assert len({each.shape for each in (ONE, *others)}) == len(others) + 1


def test_no_parameter_is_named_like_a_literal() -> None:
    # SQLAlchemy names a literal after its column, `scope_1`, and would give it the value of a parameter of that name.
    question = Question.read("jazz trio", WORDS)
    parameters = [
        page_statement(OPS, ONE, PAGE, ScanPlan.BY_SORT, is_full=True, at_most=9, count_to=9)[1],
        candidates_statement(OPS, question, ONE, looked_at_max=9, enough=3)[1],
    ]
    assert not [name for values in parameters for name in values if re.search(r"_\d+$", name)]
