"""Nothing on loopback is ever reached, however its address is spelled or resolved.

A canary listens on 127.0.0.1 and ::1 and counts connections. The controls reach it: a usual client by many of the
spellings, and ours with the guard off.
"""

import ssl
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, ip_address, ip_network
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from fairground.kernel.errors import DomainError
from fairground.platform.http.outbound.addresses import IPAddress, OutboundAddressRefused
from fairground.platform.http.outbound.client import OutboundClient, OutboundUnavailable
from tests.support.raw_server import RawServer, answer_with, ok, serving

LOOPBACK = [ip_network("127.0.0.0/8"), ip_network("::1/128"), ip_network("0.0.0.0/8"), ip_network("::/128")]
# Spellings of loopback, of the whole machine, of neighbours, and of tunnels to them.
HOSTILE = """
    127.0.0.1 127.0.0.2 127.1 127.0.1 2130706433 0x7f000001 0x7F.0.0.1 0x7f.1 0x7f.0x0.0x0.0x1 017700000001 0177.0.0.1
    0177.1 0177.0.0x0.1 127.0.0.01 127.0.0.1. 0 0.0.0.0 0x0 00 000.000.000.000 127.255.255.254
    localhost LOCALHOST localhost. a.localhost localhost.localdomain ip6-localhost
    [::1] [0:0:0:0:0:0:0:1] [0000::0001] [::] [::ffff:127.0.0.1] [::ffff:7f00:1] [::ffff:0:127.0.0.1] [::127.0.0.1]
    [64:ff9b::127.0.0.1] [64:ff9b::7f00:1] [2002:7f00:1::] [2001:0:7f00:1::] [fe80::1] [fe80::1%25lo] [::1%25lo]
    [::1%25] [::1%lo] [fc00::1] [fec0::1] [ff02::1]
    \uff11\uff12\uff17.\uff10.\uff10.\uff11 ①②⑦.⓪.⓪.① 127。0。0。1 127\uff0e0\uff0e0\uff0e1 ⓛocalhost loc\u00adalhost
    127.0.0.1\u3002 \uff10\uff587f.1 \u2113ocalhost
    10.0.0.1 172.16.0.1 192.168.0.1 169.254.169.254 0xa9fea9fe 2852039166 100.64.0.1 100.100.100.200 192.0.0.192
    198.18.0.1 224.0.0.1 240.0.0.1 255.255.255.255
    user@127.0.0.1 example.org@127.0.0.1 127.0.0.1%2f.example.org %31%32%37.0.0.1 example.org\\@127.0.0.1
    rebound.example metadata.example mixed.example mapped.example nat64.example six.example zero.example
""".split()
NAMES = {
    "rebound.example": ["127.0.0.1"],
    "metadata.example": ["169.254.169.254"],
    "mixed.example": ["8.8.8.8", "127.0.0.1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "nat64.example": ["64:ff9b::7f00:1"],
    "six.example": ["::1"],
    "zero.example": ["0.0.0.0"],
}


@pytest.fixture
async def canary() -> AsyncIterator[RawServer]:
    async with serving(answer_with(ok(b"canary")), hosts=("127.0.0.1", "::1")) as server:
        yield server


def client_of(server: RawServer, **more: object) -> OutboundClient:
    client = OutboundClient(user_agent="Test", ports=[server.port], **more)  # type: ignore[arg-type]
    by_system = client._resolve_by_system

    async def resolve(host: str, port: int) -> Sequence[IPAddress]:
        return [ip_address(text) for text in NAMES[host]] if host in NAMES else await by_system(host, port)

    client._resolve = resolve
    return client


async def attempt(client: OutboundClient, url: str) -> str:
    """Return the content, or the code of the refusal."""
    try:
        fetched = await client.fetch(url, max_bytes=100, accept_types=["image/png"], timeout_seconds=2)
    except DomainError as refusal:
        return refusal.code
    return fetched.content.decode()


def test_there_are_many_hostile_addresses() -> None:
    assert len(set(HOSTILE)) >= 60


async def test_canary_is_never_reached(canary: RawServer) -> None:
    client = client_of(canary)
    codes = {host: await attempt(client, f"http://{host}:{canary.port}/") for host in HOSTILE}
    by_dns_only = {host for host, code in codes.items() if code != OutboundAddressRefused.code}
    # A name of the machine's own hosts file that this machine may not have.
    assert by_dns_only <= {"localhost.localdomain", "ip6-localhost"}
    assert canary.connections == 0


async def test_control_a_usual_client_reaches_it_by_many_of_them(canary: RawServer) -> None:
    reached = []
    async with httpx.AsyncClient(trust_env=False, timeout=1) as usual:
        for host in HOSTILE[: HOSTILE.index("10.0.0.1")]:
            before = canary.connections
            try:
                await usual.get(f"http://{host}:{canary.port}/")
            except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, ValueError, OSError):
                continue
            if canary.connections > before:
                reached.append(host)
    assert len(reached) >= 15, reached


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "localhost", "rebound.example", "six.example", "mapped.example"]
)
async def test_control_it_is_reached_with_the_guard_off(canary: RawServer, host: str) -> None:
    client = client_of(canary, allow=LOOPBACK)
    assert await attempt(client, f"http://{host}:{canary.port}/") == "canary"
    assert canary.connections == 1


async def test_name_that_resolves_to_another_address_the_second_time_reaches_the_first() -> None:
    async with (
        serving(answer_with(ok(b"first")), hosts=("127.0.0.2",)) as first,
        serving(answer_with(ok(b"canary")), port=first.port) as canary,
    ):
        answers = iter(["127.0.0.2", "127.0.0.1", "127.0.0.1"])

        async def rebind(_host: str, _port: int) -> Sequence[IPAddress]:
            return [IPv4Address(next(answers))]

        client = OutboundClient(
            user_agent="Test", ports=[first.port], allow=[ip_network("127.0.0.2/32")], resolve=rebind
        )
        url = f"http://rebinding.example:{first.port}/"
        assert await attempt(client, url) == "first"
        assert (first.connections, canary.connections) == (1, 0)
        assert f"Host: rebinding.example:{first.port}\r\n".encode() in first.requests[0]
        assert await attempt(client, url) == OutboundAddressRefused.code
        assert canary.connections == 0


async def test_control_a_lookup_for_the_check_and_another_for_the_connection_reach_the_canary() -> None:
    async with serving(answer_with(ok(b"canary"))) as canary:
        answers = iter(["127.0.0.2", "127.0.0.1"])

        async def rebind(_host: str, _port: int) -> Sequence[IPAddress]:
            return [IPv4Address(next(answers))]

        client = OutboundClient(
            user_agent="Test", ports=[canary.port], allow=[ip_network("127.0.0.2/32")], resolve=rebind
        )
        check = client._find_addresses

        async def check_and_look_up_again(target: object) -> Sequence[IPAddress]:
            await check(target)  # type: ignore[arg-type]
            return await rebind("", 0)

        client._find_addresses = check_and_look_up_again  # type: ignore[method-assign]
        assert await attempt(client, f"http://rebinding.example:{canary.port}/") == "canary"


def server_tls(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return the TLS of a server with a certificate for the name, and that of a client which trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    pem.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    of_server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    of_server.load_cert_chain(pem)
    return of_server, ssl.create_default_context(cafile=str(pem))


@pytest.mark.parametrize(
    ("name", "is_trusted"), [("pictures.example", True), ("other.example", True), ("pictures.example", False)]
)
async def test_certificate_is_verified_for_the_name_of_the_address(
    tmp_path: Path, name: str, *, is_trusted: bool
) -> None:
    of_server, of_client = server_tls(tmp_path, name)
    asked: list[str | None] = []
    of_server.sni_callback = lambda _socket, server_name, _context: asked.append(server_name)

    async def resolve(_host: str, _port: int) -> Sequence[IPAddress]:
        return [IPv4Address("127.0.0.1")]

    async with serving(answer_with(ok(b"png")), tls=of_server) as server:
        client = OutboundClient(
            user_agent="Test",
            ports=[server.port],
            allow=LOOPBACK,
            resolve=resolve,
            tls=of_client if is_trusted else None,
        )
        outcome = await attempt(client, f"https://pictures.example:{server.port}/")
    is_right = name == "pictures.example" and is_trusted
    assert outcome == ("png" if is_right else OutboundUnavailable.code)
    assert asked == ["pictures.example"]
