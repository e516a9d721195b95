"""Every read of a store that fetches rows says how many at most: by LIMIT, by the keys it is given, or by a reason.

A list that fetched all of its rows would work for the demo's hundred providers and fail for a hundred thousand.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.architecture.sources import PACKAGE

_FETCHES: Final = frozenset({"all", "scalars"})
# `among(column, keys)` fetches at most what the caller names.
_BOUNDS: Final = frozenset({"limit", "among"})

REASONS: Final = {
    "accounts/store/__init__.py:delete_least_recently_seen": "the few sessions of one user beyond the most kept",
    "accounts/store/__init__.py:find_users": "the users whose ids the caller names",
    "accounts/store/__init__.py:list_sessions": "the live sessions and tokens of one user",
    "booking/deals/store/__init__.py:list_ahead": "one provider's live bookings within the booking horizon",
    "booking/time/store/allocations.py:lock_lapsed_in_the_way": "lapsed holds that overlap one time of one provider",
    "booking/time/store/allocations.py:list_busy": "one provider's allocations between two instants, at most 62 days",
    "discovery/store/lists.py:_read": "page_statement ends in LIMIT",
    "discovery/store/price_bands.py:recount": "one row for each price band",
    "discovery/store/price_bands.py:find_counts": "one row for each price band",
    "discovery/store/price_bands.py:list_bands": "one row for each price band",
    "payments/store/__init__.py:list_refunds_made": "the refunds of one payment, of which a receipt needs all",
    "providers/store/claims.py:list_waiting_of": "the waiting claims of one provider, which its grant refuses",
    "providers/store/details.py:_own_records": "its callers name one provider, or give a LIMIT",
    "providers/store/details.py:find_approved": "one row: id and slug are unique",
    "providers/store/pictures.py:list_gallery": "at most GALLERY_MAX pictures",
    "providers/store/pictures.py:list_own_gallery": "at most GALLERY_MAX pictures",
    "providers/store/profiles.py:_find_numbered": "the slugs that continue names of one import, 50 in a statement",
    "imports/store.py:count_failed": "one row for each failure code",
    "imports/store.py:find_migration": "one row for each state",
    "media/store.py:count_by_state": "one row for each state",
    "payments/store/__init__.py:list_lapsing": "a daily job that must see every payment about to lapse",
    "payments/store/__init__.py:list_open": "a job that must see every payment without an outcome",
    "reviews/store.py:find_review": "one row, by its id",
    "reviews/store.py:list_reviewed_by": "the reviews of one author, read once: when the account is closed",
    "reviews/store.py:list_reviews_of_booking": "one review from each side",
}


def stores() -> Iterator[Path]:
    for module in sorted((PACKAGE / "modules").iterdir()):
        yield from sorted(file for file in module.rglob("*.py") if {"store", "store.py"} & set(file.parts))


def unbounded(source: str) -> list[str]:
    """Return the functions that fetch rows and name no bound, nor do the functions that build their statements."""
    nodes = list(ast.walk(ast.parse(source)))
    functions = [node for node in nodes if isinstance(node, ast.AsyncFunctionDef)]
    builders = {node.name: _calls(node) for node in nodes if isinstance(node, ast.FunctionDef)}
    return [
        function.name
        for function in functions
        if _calls(function) & _FETCHES and not _with_builders(_calls(function), builders) & _BOUNDS
    ]


def _with_builders(calls: set[str], builders: dict[str, set[str]]) -> set[str]:
    """Return the calls, and those of the functions of the same file that are called."""
    found, left = set(calls), set(calls)
    while left:
        further = builders.get(left.pop(), set()) - found
        found |= further
        left |= further
    return found


def _calls(function: ast.AsyncFunctionDef | ast.FunctionDef) -> set[str]:
    called = (node.func for node in ast.walk(function) if isinstance(node, ast.Call))
    return {
        func.attr if isinstance(func, ast.Attribute) else func.id
        for func in called
        if isinstance(func, ast.Attribute | ast.Name)
    }


def test_every_read_of_a_store_is_bounded() -> None:
    found = {
        f"{file.relative_to(PACKAGE / 'modules')}:{name}"
        for file in stores()
        for name in unbounded(file.read_text(encoding="utf-8"))
    }
    assert sorted(found - REASONS.keys()) == [], "Give the statement a LIMIT, or REASONS the reason why it needs none."
    assert sorted(REASONS.keys() - found) == [], "These are bounded or gone: take them out of REASONS."


def test_stores_are_found_and_most_reads_are_bounded_in_sql() -> None:
    assert len(list(stores())) >= 20
    assert len(REASONS) < 30


def test_unbounded_read_is_noticed() -> None:
    """Negative control."""
    loose = "async def list_things(tx):\n    return await tx.all(select(ThingRow).where(ThingRow.owner_id == 1))\n"
    assert unbounded(loose) == ["list_things"]
    assert unbounded(loose.replace("== 1))", "== 1).limit(20))")) == []
    assert unbounded(loose.replace("tx.all(", "tx.scalars(")) == ["list_things"]
    built = (
        "async def list_things(tx):\n    return await tx.all(_things(tx.ops))\n\n\ndef _things(ops):\n    return {}\n"
    )
    assert unbounded(built.format("Prepared(select(ThingRow))")) == ["list_things"]
    assert unbounded(built.format("Prepared(select(ThingRow).limit(20))")) == []
