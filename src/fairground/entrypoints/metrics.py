"""Metrics of one process, where the operator has asked for them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import structlog

from fairground.entrypoints.compose import Program
from fairground.entrypoints.serve import AddressError

if TYPE_CHECKING:
    from fairground.platform.metrics import Metrics

log = structlog.get_logger()


@asynccontextmanager
async def show_metrics(program: Program) -> AsyncIterator[None]:
    """Show the metrics of this process while the block runs, if FAIRGROUND_METRICS_PORT says where.

    Raises:
        AddressError: The port is taken or not allowed, or the address is not one of this machine's.
    """
    host, port = program.settings.metrics_host, program.settings.metrics_port
    if port is None:
        yield
        return
    metrics = metrics_of(program)
    async with AsyncExitStack() as ends:
        try:
            taken = await ends.enter_async_context(metrics.shown_at(host, port))
        except OSError as error:
            raise AddressError(
                f"Metrics cannot be shown at {host}:{port}: {error.strerror}. Set FAIRGROUND_METRICS_PORT to a free"
                " port, one for each process, and FAIRGROUND_METRICS_HOST to an address of this machine."
            ) from None
        log.info("metrics.shown", address=f"http://{host}:{taken}/metrics")
        yield


def metrics_of(program: Program) -> "Metrics":
    """Return all that a process shows."""
    # Only loaded where it is asked for.
    from fairground.platform.metrics import Metrics, Sources

    sources = Sources(
        db=program.db,
        requests=program.requests,
        jobs=program.worker.stats,
        cache=program.cache,
        measures=[module.measure for module in program.modules if module.measure is not None],
    )
    return Metrics(sources)
