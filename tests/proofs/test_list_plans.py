"""Every sort and filter of the lists is answered from an index: no page reads or sorts a whole list."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from benchmarks.list_queries import list_queries
from benchmarks.marketplace import Marketplace, build
from fairground.contracts.discovery import ProviderQuery, ProviderSort
from fairground.kernel.zones import SystemClock
from fairground.platform.db.database import Database
from fairground.verticals.loader import load_verticals
from tests.support.databases import migrate
from tests.support.directory import Directory
from tests.support.outbox import RecordingOutbox
from tests.support.proofs import Dose
from tests.support.statements import Statement, explain, statements_of

# Of which one row is read for each entry that is looked at, or each word.
LARGE = {
    "discovery_list_entry",
    "discovery_listed_provider",
    "discovery_name_phrase",
    "discovery_week",
    "discovery_day",
}


@pytest.fixture
async def market(database_url: str, dose: Dose) -> AsyncIterator[tuple[Database, Marketplace]]:
    migrate(database_url)
    db = Database(database_url, outbox=RecordingOutbox())
    yield db, await build(db, providers=dose(small=2_000, full=100_000))
    await db.close()


def _catalog(db: Database) -> Directory:
    return Directory(
        db=db,
        verticals=load_verticals(),
        clock=SystemClock(),
    )


async def test_a_page_reads_an_index_and_sorts_no_list(market: tuple[Database, Marketplace]) -> None:
    db, built = market
    catalog = _catalog(db)
    queries = list(list_queries(built))
    assert queries
    for name, query in queries:
        with statements_of(db) as statements:
            found = await catalog.search_providers(query=query)
        assert found.total, name
        # A long read on SQLite is repeated in a thread, so its statement is seen twice.
        assert len({sql for sql, _ in statements}) <= 2, name
        read, has_all, sorted_rows = _plan(db, statements[0])
        assert not read & LARGE, f"{name} reads whole tables: {read}"
        if not _may_sort(query):
            assert has_all, f"{name} reads rows of entries"
            assert sorted_rows < built.providers / 10, f"{name} sorts {sorted_rows}"


def _may_sort(query: ProviderQuery) -> bool:
    """Return whether the few who cost so much may be sorted."""
    return query.min_price is not None and query.sort is not ProviderSort.PRICE


def _plan(db: Database, statement: Statement) -> tuple[set[str], bool, float]:
    """Return what a plan reads and sorts to find a page, besides the sort by which it cuts the page from what it found.

    Returns:
        The tables that are read whole, whether an index has all that is asked of entries, and how many rows the
        database expects to sort at most.
    """
    if db.backend.ops.name == "sqlite":
        steps = explain(db, statement).splitlines()
        read = {step.split()[1] for step in steps if step.startswith("SCAN") and "USING" not in step}
        has_all = all("COVERING" in step for step in steps if "discovery_list_entry USING" in step)
        # It says neither how many nor of what; the heads of several lists are merged so, and are short.
        finding = " ".join(steps[: steps.index("MATERIALIZE chosen")])
        sorts = "FOR ORDER BY" in finding and "UNION ALL" not in finding
        return read, has_all, float("inf") if sorts else 0
    # Two thousand rows fit into so few pages that the planner would rather read them all, and sort them.
    preparing = [] if Dose.is_full else ["SET enable_seqscan = off", "SET enable_sort = off"]
    nodes = list(_nodes(json.loads(explain(db, statement, "(FORMAT JSON)", preparing=preparing))[0]["Plan"]))
    read = {node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"}
    of_entries = [node for node in nodes if node.get("Relation Name") == "discovery_list_entry"]
    # Of two thousand it may also be quicker to fetch the entries themselves.
    has_all = not Dose.is_full or all(node["Node Type"] == "Index Only Scan" for node in of_entries)
    # Where they are not counted as well, finding them is part of the whole.
    found = next((node for node in nodes if node.get("Subplan Name") == "CTE found"), nodes[0])
    sorting = [node for node in _nodes(found) if node["Node Type"] == "Sort"]
    return read, has_all, max((node["Plans"][0]["Plan Rows"] for node in sorting), default=0)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)


async def test_a_filtered_list_is_counted_to_a_thousand(market: tuple[Database, Marketplace], dose: Dose) -> None:
    db, built = market
    catalog = _catalog(db)
    every = await catalog.search_providers(query=ProviderQuery())
    assert (every.total, every.total_is_lower_bound) == (built.providers, False)
    priced = await catalog.search_providers(query=ProviderQuery(min_price=0, limit=100, page=11))
    assert (priced.total, priced.total_is_lower_bound, len(priced.data)) == (1_000, True, 100)
    few = ProviderQuery(min_price=dose(small=1_000, full=2_500), sort=ProviderSort.PRICE, limit=100)
    dearest = await catalog.search_providers(query=few)
    assert dearest.total
    assert (dearest.total_is_lower_bound, dearest.next_cursor is None) == (False, dearest.total < 100)
