"""Fetches an address that a user, a file or another system has named, without reaching anything of our own network.

The client resolves the name itself, judges every IP address of it, and connects to the very one that it has judged, so
a name server that answers differently the second time is never asked a second time (ADR 35).
"""

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from ipaddress import ip_address
from typing import Annotated, Final

import httpx
import structlog
from pydantic import BeforeValidator, Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from fairground.kernel.errors import DomainError, Invalid, Unavailable
from fairground.platform.http.outbound.addresses import (
    USUAL_PORTS,
    IPAddress,
    IPNetwork,
    OutboundAddressRefused,
    Target,
    is_public,
    read_networks,
    read_target,
    unmapped,
)
from fairground.platform.measures import Counted, Measure

AT_ONCE_MAX: Final = 16  # fetches of one process
AT_ONCE_PER_HOST_MAX: Final = 2  # as a polite visitor
_CONNECT_SECONDS: Final = 5.0  # for each address of a name
_ADDRESSES_TRIED_MAX: Final = 4
_RESOLVER_THREADS: Final = 4  # a name server that does not answer holds one of these, and nothing else
_RETRY_AFTER_MAX_SECONDS: Final = 3_600
_LOCATION_SHOWN_MAX: Final = 200  # characters
_ONE_CONNECTION: Final = httpx.Limits(max_connections=1, max_keepalive_connections=0)
_TEMPORARY: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})

Resolver = Callable[[str, int], Awaitable[Sequence[IPAddress]]]

log = structlog.get_logger()


class OutboundRedirected(Invalid):
    code = "outbound.redirected"
    hint = "Use the final address instead."


class OutboundStatusRefused(Invalid):
    code = "outbound.status_refused"
    hint = "Open the address in a private browser window: the file must be visible without signing in."


class OutboundTypeRefused(Invalid):
    code = "outbound.type_refused"
    hint = "Use the direct address of the file, not of a page that shows it."


class OutboundTooLarge(Invalid):
    code = "outbound.too_large"
    hint = "Use a smaller file."


class OutboundUnavailable(Unavailable):
    """The server cannot be reached now, or says so; `context` may have `retry_after_seconds` from it."""

    code = "outbound.unavailable"
    hint = "Check the address, or try again later."


class OutboundBusy(Unavailable):
    code = "outbound.busy"
    hint = "Other files are being downloaded. Try again in a few seconds."


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _read_ports(value: object) -> object:
    parts = _split(value)
    ports = parts if isinstance(parts, list) else [parts]
    numbers = [int(str(port)) for port in ports if str(port).isdecimal() and len(str(port)) <= len("65535")]
    if len(numbers) != len(ports) or not all(0 < port < 2**16 for port in numbers):
        raise ValueError("must be comma-separated ports, such as 80,443")
    return numbers


class OutboundSettings(BaseSettings):
    """Which servers of other people may be fetched from."""

    model_config = SettingsConfigDict(env_prefix="FAIRGROUND_OUTBOUND_", frozen=True)

    ports: Annotated[list[int], NoDecode, BeforeValidator(_read_ports)] = Field(
        default_factory=lambda: list(USUAL_PORTS.values()),
        description="Comma-separated ports from which pictures at external addresses may be downloaded; 80 and 443 "
        "if unset.",
    )
    allow: Annotated[list[str], NoDecode, BeforeValidator(_split)] = Field(
        default_factory=list,
        description="Comma-separated private IP addresses and networks from which pictures may be downloaded, such "
        "as 10.1.2.3 or fd00:1::/64. Users of the marketplace can then reach them too.",
    )

    @field_validator("allow")
    @classmethod
    def _check_allow(cls, texts: list[str]) -> list[str]:
        read_networks(texts)
        return texts


@dataclass(frozen=True, slots=True)
class Fetched:
    media_type: str
    """As the server says, in small letters and without parameters."""
    content: bytes


class OutboundClient:
    """Fetches by GET. It follows no redirects, keeps no cookies, and uses no proxy and no connection twice."""

    def __init__(
        self,
        *,
        user_agent: str,
        ports: Collection[int] = tuple(USUAL_PORTS.values()),
        allow: Collection[IPNetwork] = (),
        resolve: Resolver | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Take the rules; nothing is connected yet.

        Args:
            allow: Networks that may be connected to although they are not public.
            resolve: Returns the IP addresses of a name; the resolver of the system if None.
            tls: Verifies certificates; by the authorities that httpx knows if None.
        """
        self._user_agent = user_agent
        self._ports = frozenset(ports)
        self._allow = tuple(allow)
        self._resolve = resolve or self._resolve_by_system
        self._given_tls = tls
        self._threads = ThreadPoolExecutor(_RESOLVER_THREADS, thread_name_prefix="outbound-resolver")
        self._at_once: Counter[str] = Counter()
        self._outcomes: Counter[str] = Counter()

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def measure(self) -> Iterable[Measure]:
        meaning = "Downloads from external addresses by outcome: ok, or the error code."
        counts = [((outcome,), count) for outcome, count in list(self._outcomes.items())]
        yield Counted("outbound_fetches", meaning, counts, labels=("outcome",))

    async def fetch(
        self, url: str, *, max_bytes: int, accept_types: Collection[str], timeout_seconds: float
    ) -> Fetched:
        """Return what is at an address.

        Args:
            max_bytes: Of the body, which is never decompressed.
            accept_types: Media types such as `image/png`, or `image/*`.
            timeout_seconds: For all of it: the lookup, connections, headers and the body.

        Raises:
            OutboundAddressRefused: The address cannot be read, or leads to something that is not public.
            OutboundRedirected: It leads to another address, which the detail names.
            OutboundStatusRefused: The server does not give the file, and asking again would not change that.
            OutboundTypeRefused: The type is not accepted, or the body is compressed.
            OutboundTooLarge: The body has more than `max_bytes`.
            OutboundUnavailable: The server does not answer, in time or at all, or asks to come again later.
            OutboundBusy: Too many fetches at once, in all or of this host. It is raised at once.
        """
        try:
            target = self._read(url)
            with self._slot(target.host):
                fetched = await self._fetch_in_time(
                    target, max_bytes=max_bytes, accept_types=accept_types, timeout_seconds=timeout_seconds
                )
        except DomainError as refusal:
            self._outcomes[refusal.code.removeprefix("outbound.")] += 1
            raise
        self._outcomes["ok"] += 1
        return fetched

    def _read(self, url: str) -> Target:
        target = read_target(url)
        if target.port not in self._ports:
            ports = " and ".join(map(str, sorted(self._ports)))
            raise OutboundAddressRefused(f"Port {target.port} is not allowed; use {ports}.")
        return target

    @contextmanager
    def _slot(self, host: str) -> Iterator[None]:
        if self._at_once.total() >= AT_ONCE_MAX or self._at_once[host] >= AT_ONCE_PER_HOST_MAX:
            raise OutboundBusy(f"{host} is already being asked for other files.")
        self._at_once[host] += 1
        try:
            yield
        finally:
            self._at_once[host] -= 1
            if not self._at_once[host]:
                del self._at_once[host]

    async def _fetch_in_time(
        self, target: Target, *, max_bytes: int, accept_types: Collection[str], timeout_seconds: float
    ) -> Fetched:
        failure: httpx.TransportError | None = None
        try:
            async with asyncio.timeout(timeout_seconds):
                for address in (await self._find_addresses(target))[:_ADDRESSES_TRIED_MAX]:
                    try:
                        return await self._get(target, address, accept_types=accept_types, max_bytes=max_bytes)
                    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                        failure = error  # nothing was sent yet, so another address may be tried
        except TimeoutError as error:
            raise OutboundUnavailable(f"{target.host} took more than {timeout_seconds:g} seconds.") from error
        except httpx.TransportError as error:
            failure = error
        reason = f"{type(failure).__name__}: {failure}" if failure else "no address"
        raise OutboundUnavailable(
            f"{target.host} can't be reached, or the connection broke.", reason=reason
        ) from failure

    async def _get(
        self, target: Target, address: IPAddress, *, accept_types: Collection[str], max_bytes: int
    ) -> Fetched:
        request = httpx.Request(
            "GET",
            httpx.URL(scheme=target.scheme, host=str(address), port=target.port, raw_path=target.path.encode("ascii")),
            headers={
                "Host": target.authority,
                "User-Agent": self._user_agent,
                "Accept": ", ".join(accept_types),
                "Accept-Encoding": "identity",
                "Connection": "close",
            },
            # The certificate is verified for this name, not for the IP address that is connected to.
            extensions={
                "sni_hostname": target.host,
                "timeout": httpx.Timeout(None, connect=_CONNECT_SECONDS).as_dict(),
            },
        )
        # A transport instead of an AsyncClient, which has a cookie jar, redirects and proxies.
        async with httpx.AsyncHTTPTransport(verify=self._tls, trust_env=False, limits=_ONE_CONNECTION) as transport:
            response = await transport.handle_async_request(request)
            try:
                media_type = _check_response(target, response, accept_types=accept_types, max_bytes=max_bytes)
                return Fetched(media_type=media_type, content=await _read_body(response, max_bytes=max_bytes))
            finally:
                await response.aclose()

    async def _find_addresses(self, target: Target) -> Sequence[IPAddress]:
        """Return the IP addresses of a host, every one of which may be connected to."""
        try:
            addresses = target.known_addresses or await self._resolve(target.host, target.port)
        except OSError as error:
            raise OutboundUnavailable(f"{target.host} was not found.", reason=str(error)) from error
        for address in map(unmapped, addresses):
            if not is_public(address) and not any(address in network for network in self._allow):
                # The answer does not say which address: it would describe our network to the caller.
                log.warning("outbound.address_refused", host=target.host, ip_address=str(address))
                raise OutboundAddressRefused(f"{target.host} is not a public server.")
        return [unmapped(address) for address in addresses]

    async def _resolve_by_system(self, host: str, port: int) -> Sequence[IPAddress]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, _look_up, host, port)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return self._given_tls or httpx.create_ssl_context(trust_env=False)


def _look_up(host: str, port: int) -> Sequence[IPAddress]:
    return [ip_address(sockaddr[0]) for *_, sockaddr in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _check_response(target: Target, response: httpx.Response, *, accept_types: Collection[str], max_bytes: int) -> str:
    """Return the media type of a response whose body may be read."""
    status, headers = response.status_code, response.headers
    if httpx.codes.is_redirect(status):
        location = "".join(filter(str.isprintable, headers.get("location", "nowhere")))[:_LOCATION_SHOWN_MAX]
        raise OutboundRedirected(f"{target.host} redirects to {location}.")
    if status in _TEMPORARY or httpx.codes.is_server_error(status):
        raise OutboundUnavailable(
            f"{target.host} answered with status {status}.", retry_after_seconds=_read_retry_after(headers)
        )
    if status != HTTPStatus.OK:
        raise OutboundStatusRefused(f"{target.host} answered with status {status}.")
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        # Not asked for. What is never decompressed can be no decompression bomb.
        raise OutboundTypeRefused(f"{target.host} sent a compressed response, which isn't supported.")
    media_type = str(headers.get("content-type", "")).partition(";")[0].strip().lower()
    if not {media_type, f"{media_type.partition('/')[0]}/*"} & set(accept_types):
        shown = "".join(filter(str.isprintable, media_type))[:80] or "no type"
        raise OutboundTypeRefused(f"{target.host} sent {shown}.")
    declared = headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > max_bytes:
        raise _too_large(max_bytes)
    return media_type


async def _read_body(response: httpx.Response, *, max_bytes: int) -> bytes:
    body = bytearray()
    async for part in response.aiter_raw():
        body += part
        if len(body) > max_bytes:
            raise _too_large(max_bytes)
    return bytes(body)


def _too_large(max_bytes: int) -> OutboundTooLarge:
    return OutboundTooLarge(f"The file is larger than {max_bytes:,} bytes.", max_bytes=max_bytes)


def _read_retry_after(headers: httpx.Headers) -> int | None:
    """Return the seconds of Retry-After, at most an hour; None where the server does not say how many."""
    said = str(headers.get("retry-after", ""))
    return min(int(said[:9]), _RETRY_AFTER_MAX_SECONDS) if said.isdecimal() else None
