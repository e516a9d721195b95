"""Every page × every width × every role under a mouse: controls can be clicked, nothing is cut or overlaps."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.databases import copy_of
from tests.support.full_market import FullMarket, fill_market
from tests.support.page_states import ROLES, PageState, page_states
from tests.support.pointer import WIDTHS, open_pointer
from tests.support.proofs import Dose
from tests.support.visits import open_visit

SAMPLE_WIDTHS = (1024, 360)


@pytest.fixture(scope="module")
async def market(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FullMarket]:
    folder = tmp_path_factory.mktemp("pointer")
    async with open_visit(copy_of(sqlite_template, folder), folder=folder / "var") as visit:
        yield await fill_market(visit, folder=folder)


def _for_every_role(states: list[PageState]) -> Iterator[PageState]:
    """Give each page to each role, who may be refused. What is done on a page is done by its own role alone."""
    yield from states
    for role in ROLES:
        paths = {state.path: state for state in states if state.reach is None and state.role != role}
        own = {state.path for state in states if state.role == role}
        yield from (replace(state, role=role, name="") for path, state in paths.items() if path not in own)


@pytest.mark.timeout(3600)
async def test_every_page_at_every_width_for_every_role(
    market: FullMarket, dose: Dose, figure: Callable[[str, float, str], None]
) -> None:
    """A hold lasts ten minutes and the whole matrix takes longer, so each width begins with a fresh one."""
    async with open_pointer(market.visit) as pointer:
        for width in dose(small=SAMPLE_WIDTHS, full=WIDTHS):
            states = list(_for_every_role(list(await page_states(market))))
            for state in dose(small=states[::12], full=states):
                await pointer.visit(state, widths=[width])
    figure("pages measured", pointer.visits, "pages")
    figure("controls measured", pointer.controls_seen, "controls")
    assert pointer.faults == {}
    assert pointer.visits > dose(small=20, full=1000)
    assert pointer.controls_seen > 15 * pointer.visits
