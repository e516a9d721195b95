"""What a statement knows of a filter, so that one is built for all the filters of a shape."""

import re
from dataclasses import replace
from datetime import date

from fairground.contracts.discovery import ProviderSort
from fairground.modules.discovery.domain.availability_summary import FirstStarts, FreeOn
from fairground.modules.discovery.domain.places import Circle
from fairground.modules.discovery.domain.search.categories import CategoryWords
from fairground.modules.discovery.domain.search.question import Question
from fairground.modules.discovery.store.list_filter import ListFilter
from fairground.modules.discovery.store.list_statements import PageRequest, ScanPlan, page_statement
from fairground.modules.discovery.store.search.statements import candidates_statement
from fairground.platform.db.dialect.sqlite import SQLiteOps
from fairground.verticals.loader import load_verticals

OPS = SQLiteOps()
PAGE = PageRequest(sort=ProviderSort.PRICE, limit=12, offset=0)
WORDS = CategoryWords(load_verticals())


def free_on(day: date, *, usual: str, zones: dict[str, str]) -> FreeOn:
    return FreeOn(day=day, first_starts=dict.fromkeys(("artists", "chefs"), FirstStarts(usual, zones)))


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
        page_statement(OPS, wanted, PAGE, ScanPlan.BY_LOCATION, is_full=True, at_most=9, count_to=9)[0]
        for wanted in (ONE, OTHER)
    ]
    assert built[0] is built[1]
    asked = [Question.read(typed, WORDS) for typed in ("jazz trio", "東京")]
    found = [
        candidates_statement(OPS, question, wanted, looked_at_max=9, enough=3)[0]
        for question, wanted in zip(asked, (ONE, OTHER), strict=True)
    ]
    assert found[0] is found[1]


def test_what_reads_otherwise_has_another_shape() -> None:
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
    assert len({wanted.shape for wanted in (ONE, *others)}) == len(others) + 1


def test_no_parameter_is_named_like_a_literal() -> None:
    # SQLAlchemy names a literal after its column, `scope_1`, and would give it the value of a parameter of that name.
    question = Question.read("jazz trio", WORDS)
    told = [
        page_statement(OPS, ONE, PAGE, ScanPlan.BY_SORT, is_full=True, at_most=9, count_to=9)[1],
        candidates_statement(OPS, question, ONE, looked_at_max=9, enough=3)[1],
    ]
    assert not [name for values in told for name in values if re.search(r"_\d+$", name)]
