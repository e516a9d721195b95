"""The web server, with a worker in the same process."""

import asyncio
import contextlib
import errno
import functools
import signal
import socket
from collections.abc import Iterator
from typing import Final, cast

import uvicorn
from starlette.types import ASGIApp

from fairground.entrypoints.buffered_protocol import BufferedHttpProtocol
from fairground.entrypoints.connections import Connections, most_connections
from fairground.entrypoints.settings import Settings

_KEEP_ALIVE_SECONDS: Final = 75  # uvicorn's 5 s closes connections that proxies and browsers still count on
_DRAIN_SECONDS: Final = 20
_BACKLOG: Final = 2048


class AddressError(RuntimeError):
    """The server cannot listen at its address; the message says what to do."""


def bind_socket(settings: Settings) -> socket.socket:
    """Bind the port before any other work, so that a taken port is reported at once.

    Raises:
        AddressError: The port is taken or not allowed, or the address is not one of this machine's.
    """
    family = socket.AF_INET6 if ":" in settings.http_host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.http_host, settings.http_port))
        # Listening at once keeps a second server of ours from taking the port before the first one serves.
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise AddressError(_explain(error, settings)) from None
    return listener


def _explain(error: OSError, settings: Settings) -> str:
    where = f"{settings.http_host}:{settings.http_port}"
    if error.errno == errno.EADDRINUSE:
        free = settings.http_port + 1
        return f"Port {settings.http_port} is taken. Stop what uses it, or choose another: FAIRGROUND_HTTP_PORT={free}."
    if error.errno == errno.EACCES:
        return f"Listening on {where} is not allowed to this user. Set FAIRGROUND_HTTP_PORT to 1024 or more."
    return f"Cannot listen on {where}: {error.strerror}. Set FAIRGROUND_HTTP_HOST to an address of this machine."


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
    config.http = cast("type[asyncio.Protocol]", functools.partial(BufferedHttpProtocol, connections=connections))
    async with connections.watching():
        await _Server(config).serve(sockets=[listener])


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
