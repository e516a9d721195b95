"""The HTTP server of a process, and the port at which it shows its metrics."""

import asyncio
import contextlib
import errno
import functools
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Final, cast

import structlog
import uvicorn
from starlette.types import ASGIApp

from fairground.entrypoints.buffered_protocol import BufferedHttpProtocol
from fairground.entrypoints.compose import Program
from fairground.entrypoints.connections import Connections, most_connections
from fairground.entrypoints.settings import Settings
from fairground.platform.http.caching.head_cache import HeadCache
from fairground.platform.http.caching.middleware import CacheMiddleware

if TYPE_CHECKING:
    from fairground.platform.metrics import Metrics

log = structlog.get_logger()

_KEEP_ALIVE_SECONDS: Final = 75  # uvicorn's 5 s closes connections that proxies and browsers still count on
_DRAIN_SECONDS: Final = 20
_BACKLOG: Final = 2048


class AddressError(RuntimeError):
    """The server cannot listen at its address; the message says what to do."""


def bind_socket(settings: Settings) -> socket.socket:
    """Bind the port; the first step of a start, so that a taken port is reported at once.

    Raises:
        AddressError: The port is taken or not allowed, or the address is not one of this machine's.
    """
    try:
        return _listen(settings.http_host, settings.http_port)
    except OSError as error:
        raise AddressError(_explain(error, settings)) from None


def require_metrics_port(settings: Settings) -> None:
    """Check that metrics could be shown, before work is done for a process that would then not start.

    Raises:
        AddressError: As `show_metrics`.
    """
    if settings.metrics_port is None:
        return
    try:
        _listen(settings.metrics_host, settings.metrics_port).close()
    except OSError as error:
        raise _metrics_refused(error, settings) from None


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        # Listening at once keeps a second server of ours from taking the port before the first one serves.
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _explain(error: OSError, settings: Settings) -> str:
    where = f"{settings.http_host}:{settings.http_port}"
    if error.errno == errno.EADDRINUSE:
        free = settings.http_port + 1
        return f"Port {settings.http_port} is already in use. Try another one: FAIRGROUND_HTTP_PORT={free}"
    if error.errno == errno.EACCES:
        return f"You don't have permission to listen on {where}. Set FAIRGROUND_HTTP_PORT to 1024 or more."
    return f"Can't listen on {where}: {error.strerror}. Set FAIRGROUND_HTTP_HOST to an address of this machine."


def _metrics_refused(error: OSError, settings: Settings) -> AddressError:
    return AddressError(
        f"Can't serve metrics at {settings.metrics_host}:{settings.metrics_port}: {error.strerror}. Set "
        "FAIRGROUND_METRICS_PORT to a free port, one per process, and FAIRGROUND_METRICS_HOST to an address of this "
        "machine."
    )


async def serve(app: ASGIApp, listener: socket.socket, settings: Settings) -> None:
    """Serve until a stop signal; then finish the running requests."""
    config = uvicorn.Config(
        app,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
        backlog=_BACKLOG,
    )
    proxies = config.forwarded_allow_ips
    trusted = proxies.replace(" ", "").split(",") if isinstance(proxies, str) else proxies
    connections = Connections(settings, trusted=trusted, most=most_connections())
    config.http = make_protocol(app, connections=connections)
    async with connections.watching():
        await _Server(config).serve(sockets=[listener])


def make_protocol(app: ASGIApp, *, connections: Connections) -> type[asyncio.Protocol]:
    """Return what makes the protocol of each connection to an application; all of them share one cache of heads."""
    heads = HeadCache(app) if isinstance(app, CacheMiddleware) else None
    protocol = functools.partial(BufferedHttpProtocol, connections=connections, heads=heads)
    return cast("type[asyncio.Protocol]", protocol)


@contextlib.asynccontextmanager
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
    async with contextlib.AsyncExitStack() as ends:
        try:
            taken = await ends.enter_async_context(metrics.shown_at(host, port))
        except OSError as error:
            raise _metrics_refused(error, program.settings) from None
        log.info("metrics.shown", address=f"http://{host}:{taken}/metrics")
        yield


def metrics_of(program: Program) -> "Metrics":
    """Return all metrics of a process."""
    # Imported only by a process that shows metrics.
    from fairground.platform.metrics import Metrics, Sources

    sources = Sources(
        db=program.db,
        requests=program.requests,
        jobs=program.worker.stats,
        cache=program.cache,
        measures=[module.measure for module in program.modules if module.measure is not None],
    )
    return Metrics(sources)


class _Server(uvicorn.Server):
    """uvicorn without raising the captured signal again when it stops: that would end our own shutdown."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)
