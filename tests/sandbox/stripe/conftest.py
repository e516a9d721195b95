from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from fairground.sandbox.stripe.sandbox import Faults
from tests.sandbox.stripe.clients import OpenRig, Rig, Shop, TestClock, opened


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
async def open_rig(tmp_path: Path, clock: TestClock, shop: Shop) -> AsyncIterator[OpenRig]:
    """Give a function that opens the sandbox of this test, with faults if asked, as one more process would."""
    async with AsyncExitStack() as stack:

        async def open_one(*, faults: Faults | None = None) -> Rig:
            return await stack.enter_async_context(opened(tmp_path / "sandbox.db", clock, shop, faults or Faults()))

        yield open_one


@pytest.fixture
async def rig(open_rig: OpenRig) -> Rig:
    return await open_rig()
