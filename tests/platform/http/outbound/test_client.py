import asyncio
import gzip
from collections.abc import Awaitable, Callable
from ipaddress import ip_network
from typing import Any

import pytest

from fairground.platform.http.outbound.addresses import IPAddress
from fairground.platform.http.outbound.client import (
    AT_ONCE_PER_HOST_MAX,
    Fetched,
    OutboundBusy,
    OutboundClient,
    OutboundRedirected,
    OutboundSettings,
    OutboundStatusRefused,
    OutboundTooLarge,
    OutboundTypeRefused,
    OutboundUnavailable,
)
from tests.support.raw_server import RawServer, answer_with, ok, serving

LOOPBACK = [ip_network("127.0.0.0/8"), ip_network("::1/128")]


def allowed_client(server: RawServer, **more: Any) -> OutboundClient:
    return OutboundClient(user_agent="Test", ports=[server.port], allow=LOOPBACK, **more)


async def fetch(server: RawServer, path: str = "/", *, client: OutboundClient | None = None, **more: Any) -> Fetched:
    usual: dict[str, Any] = {"max_bytes": 1_000, "accept_types": ["image/*"], "timeout_seconds": 5}
    client = client or allowed_client(server)
    return await client.fetch(f"http://127.0.0.1:{server.port}{path}", **(usual | more))


def outcomes(client: OutboundClient) -> dict[str, float]:
    [counted] = client.measure()
    return {labels[0]: count for labels, count in counted.counts}  # type: ignore[union-attr]


async def test_file_is_fetched_with_its_type() -> None:
    async with serving(answer_with(ok(b"png", media_type="Image/PNG; charset=x"))) as server:
        client = allowed_client(server)
        fetched = await fetch(server, "/a b.png?w=1", client=client)
    assert fetched == Fetched(media_type="image/png", content=b"png")
    head = server.requests[0].decode()
    assert head.startswith("GET /a%20b.png?w=1 HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{server.port}\r\n" in head
    assert "Accept-Encoding: identity\r\n" in head
    assert outcomes(client) == {"ok": 1}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirect_is_an_error_that_names_where_it_leads(status: int) -> None:
    response = f"HTTP/1.1 {status} Moved\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
    async with serving(answer_with(response.encode())) as server:
        with pytest.raises(OutboundRedirected, match=r"redirects to http://169\.254\.169\.254/"):
            await fetch(server)
    assert server.connections == 1


@pytest.mark.parametrize(
    ("status", "refusal"),
    [
        *((status, OutboundStatusRefused) for status in (201, 204, 206, 400, 401, 403, 404, 410)),
        *((status, OutboundUnavailable) for status in (408, 425, 429, 500, 502, 503, 504)),
    ],
)
async def test_status_says_whether_asking_again_could_help(status: int, refusal: type[Exception]) -> None:
    head = f"HTTP/1.1 {status} X\r\nContent-Type: image/png\r\nRetry-After: 99999\r\n"
    body = "" if status == 204 else "Content-Length: 0\r\n"
    async with serving(answer_with(f"{head}{body}\r\n".encode())) as server:
        with pytest.raises(refusal, match=f"status {status}") as refused:
            await fetch(server)
    if isinstance(refused.value, OutboundUnavailable):
        assert refused.value.context["retry_after_seconds"] == 3_600


@pytest.mark.parametrize(
    ("response", "refusal"),
    [
        (ok(b"x" * 1_001), OutboundTooLarge),
        (b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n" + b"x" * 1_001, OutboundTooLarge),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n"
            + b"64\r\n%b\r\n" % (b"x" * 100) * 11,
            OutboundTooLarge,
        ),
        (ok(gzip.compress(bytes(10_000_000))[:900], "Content-Encoding: gzip"), OutboundTypeRefused),
        (ok(b"x", "Content-Encoding: br"), OutboundTypeRefused),
        (ok(b"x", media_type="text/html"), OutboundTypeRefused),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", OutboundTypeRefused),
        (ok(b"x", *(f"X-{n}: {'y' * 1_000}" for n in range(200))), OutboundUnavailable),
        (ok(b"xyz")[:-1], OutboundUnavailable),
        (b"", OutboundUnavailable),
        (b"SSH-2.0-OpenSSH\r\n\r\n", OutboundUnavailable),
    ],
)
async def test_response_beyond_the_bounds_is_refused(response: bytes, refusal: type[Exception]) -> None:
    async with serving(answer_with(response)) as server:
        client = allowed_client(server)
        with pytest.raises(refusal) as refused:
            await fetch(server, client=client)
    assert outcomes(client) == {refused.value.code.removeprefix("outbound."): 1}  # type: ignore[attr-defined]


async def test_body_at_the_bound_is_taken() -> None:
    async with serving(answer_with(ok(b"x" * 1_000))) as server:
        assert len((await fetch(server)).content) == 1_000


async def trickle_head(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-A: b\r\n")
        await writer.drain()
        await asyncio.sleep(0.02)


async def trickle_body(writer: asyncio.StreamWriter) -> None:
    writer.write(ok(b"x" * 999)[:-990])
    while True:
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.write(b"x")


async def be_silent(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)
    writer.write(b"late")


@pytest.mark.parametrize("answer", [trickle_head, trickle_body, be_silent])
async def test_time_bounds_the_whole_fetch(answer: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> None:
    async with serving(answer) as server:
        began_at = asyncio.get_running_loop().time()
        with pytest.raises(OutboundUnavailable, match=r"more than 0\.3 seconds"):
            await fetch(server, timeout_seconds=0.3)
        assert asyncio.get_running_loop().time() - began_at < 2


async def test_lookup_counts_in_the_time() -> None:
    async def never(_host: str, _port: int) -> list[IPAddress]:
        await asyncio.sleep(30)
        return []

    client = OutboundClient(user_agent="Test", resolve=never)
    with pytest.raises(OutboundUnavailable):
        await client.fetch("http://example.org/", max_bytes=1, accept_types=["image/*"], timeout_seconds=0.2)


async def test_no_cookie_goes_back_and_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(answer_with(ok(b"png", "Set-Cookie: a=b"))) as server, serving(answer_with(b"")) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        client = allowed_client(server)
        for _ in range(2):
            await fetch(server, client=client)
    assert (server.connections, proxy.connections) == (2, 0)
    assert not any(b"cookie" in head.lower() for head in server.requests)


async def test_one_host_is_asked_for_a_few_files_at_once() -> None:
    release = asyncio.Event()

    async def wait(writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.write(ok(b"png"))

    async with serving(wait) as server, asyncio.TaskGroup() as group:
        client = allowed_client(server)
        held = [group.create_task(fetch(server, client=client)) for _ in range(AT_ONCE_PER_HOST_MAX)]
        while server.connections < AT_ONCE_PER_HOST_MAX:
            await asyncio.sleep(0.01)
        with pytest.raises(OutboundBusy):
            await fetch(server, client=client)
        release.set()
        assert [(await each).content for each in held] == [b"png"] * AT_ONCE_PER_HOST_MAX
        await fetch(server, client=client)


async def test_all_hosts_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fairground.platform.http.outbound.client.AT_ONCE_MAX", 1)
    async with serving(be_silent) as server, asyncio.TaskGroup() as group:
        client = allowed_client(server)
        held = group.create_task(fetch(server, client=client))
        while not server.connections:
            await asyncio.sleep(0.01)
        with pytest.raises(OutboundBusy):
            await client.fetch(
                f"http://127.0.0.2:{server.port}/", max_bytes=1, accept_types=["image/*"], timeout_seconds=1
            )
        held.cancel()


async def test_host_without_an_answer_of_the_name_server_is_unavailable() -> None:
    async def fail(_host: str, _port: int) -> list[IPAddress]:
        raise OSError("Name or service not known")

    client = OutboundClient(user_agent="Test", resolve=fail)
    with pytest.raises(OutboundUnavailable, match="was not found"):
        await client.fetch("https://example.org/", max_bytes=1, accept_types=["image/*"], timeout_seconds=1)


def test_settings_name_ports_and_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRGROUND_OUTBOUND_PORTS", "443, 8443")
    monkeypatch.setenv("FAIRGROUND_OUTBOUND_ALLOW", "10.1.2.3,fd00:1::/64")
    settings = OutboundSettings()
    assert (settings.ports, settings.allow) == ([443, 8443], ["10.1.2.3", "fd00:1::/64"])


@pytest.mark.parametrize(("name", "value"), [("ALLOW", "*"), ("ALLOW", "0.0.0.0/0"), ("PORTS", "0"), ("PORTS", "x")])
def test_settings_refuse_wildcards_and_ports_that_are_none(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"FAIRGROUND_OUTBOUND_{name}", value)
    with pytest.raises(ValueError, match=name.lower()):
        OutboundSettings()
