"""`rediss://`, through a TLS proxy of our own, because some Redis builds do not support TLS."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from fairground.platform.cache.redis.level import RedisLevel
from tests.platform.cache.redis.rig import Ledger, level_at, tokens_of
from tests.support.waiting import until
from tools.guardian import Server

TLS: Final = Path(__file__).parent / "tls"


@asynccontextmanager
async def tls_front(server: Server) -> AsyncIterator[str]:
    """Return the address of a TLS proxy before a server."""
    behind = urlsplit(server.url)

    async def pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while chunk := await source.read(65536):
            target.write(chunk)
            await target.drain()
        target.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        their_reader, their_writer = await asyncio.open_connection(behind.hostname, behind.port)
        await asyncio.gather(pass_on(reader, their_writer), pass_on(their_reader, writer), return_exceptions=True)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "certificate.pem", TLS / "key.pem")
    front = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with front:
        yield f"127.0.0.1:{front.sockets[0].getsockname()[1]}"


async def test_encrypted_level_works_like_a_plain_one(redis_server: Server, namespace: str) -> None:
    async with tls_front(redis_server) as address:
        url = f"rediss://{address}?ssl_ca_certs={TLS / 'certificate.pem'}"
        async with level_at(url, namespace=namespace) as level:
            (token,) = await tokens_of(level, "lists")
            await level.store("list", owner="any", fields={"meta": b"1"}, ttl_seconds=60)
            found = await level.look_up("list", fields=["meta"], tags=["lists"])
            assert (found.fields, found.tokens) == ((b"1",), (token,))


async def test_certificate_of_an_unknown_authority_is_refused(redis_server: Server, namespace: str) -> None:
    async with tls_front(redis_server) as address:
        level = RedisLevel(f"rediss://{address}", namespace=namespace, backlog=Ledger())
        async with level.running():
            await until(lambda: "certificate verify failed" in level.reason)
