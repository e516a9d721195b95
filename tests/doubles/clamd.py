"""A clamd of tests: a process of its own that speaks INSTREAM as the manual describes it, and knows one signature.

python -m tests.doubles.clamd <socket> <harmful|silent|broken|small>
"""

import asyncio
import sys

HARMFUL = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
_SMALL_BYTES = 1_000


async def _answer(reader: asyncio.StreamReader, manner: str) -> bytes:
    assert await reader.readuntil(b"\0") == b"zINSTREAM\0"
    content = b""
    while size := int.from_bytes(await reader.readexactly(4)):
        content += await reader.readexactly(size)
        if manner == "small" and len(content) > _SMALL_BYTES:
            return b"INSTREAM size limit exceeded. ERROR\0"
    if manner == "silent":
        await asyncio.sleep(3600)
    if manner == "broken":
        return b""
    return b"stream: Eicar-Test-Signature FOUND\0" if HARMFUL in content else b"stream: OK\0"


async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, manner: str) -> None:
    writer.write(await _answer(reader, manner))
    await writer.drain()
    writer.close()


async def _serve(path: str, manner: str) -> None:
    server = await asyncio.start_unix_server(lambda *streams: talk(*streams, manner=manner), path)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], sys.argv[2]))
