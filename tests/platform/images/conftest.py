"""Both engines, within the process of the tests, which decode only pictures that the tests have drawn."""

import pytest

from fairground.platform.images.child import EngineName, open_engine
from fairground.platform.images.rendering.canvas import Engine

_ENGINES = {name: open_engine(name)[1] for name in (EngineName.VIPS, EngineName.PILLOW)}


@pytest.fixture(params=list(_ENGINES))
def engine_name(request: pytest.FixtureRequest) -> EngineName:
    name: EngineName = request.param
    return name


@pytest.fixture
def engine(engine_name: EngineName) -> Engine:
    return _ENGINES[engine_name]
