"""Files that are sent to do harm, built piece by piece: none of them exists anywhere else."""

import random
import struct
import zlib
from collections.abc import Iterator
from typing import Final

from tests.support.pictures import photograph

# Each: a name, the file, and the code of the refusal that its head or structure must lead to.
Hostile = tuple[str, bytes, str]

_MIB: Final = 1024 * 1024


def list_hostile() -> Iterator[Hostile]:
    yield from _other_types()
    yield from _png()
    yield from _jpeg()
    yield from _webp()
    yield from _avif()


def _other_types() -> Iterator[Hostile]:
    yield "nothing", b"", "images.empty"
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
    files = {
        "svg": svg,
        "svg behind a prolog": b'<?xml version="1.0"?>\n<!-- a picture -->' + svg,
        "svg behind a byte order mark": b"\xef\xbb\xbf \n" + svg,
        "svg, compressed": b"\x1f\x8b\x08" + zlib.compress(svg),
        "zip": b"PK\x03\x04" + bytes(200),
        "html": b"<html><script>alert(1)</script></html>",
        "html with a type": b"<!DOCTYPE html><title>x</title>",
        "script": b"<script>alert(1)</script>",
        "pdf": b"%PDF-1.7\n" + bytes(100),
        "gif": b"GIF89a" + struct.pack("<HH", 60_000, 60_000) + bytes(50),
        "tiff": b"II*\x00" + bytes(100),
        "tiff, big end first": b"MM\x00*" + bytes(100),
        "bmp": b"BM" + bytes(100),
        "icon": b"\x00\x00\x01\x00\x01\x00" + bytes(100),
        "photoshop": b"8BPS\x00\x01" + bytes(100),
        "heic": _box(b"ftyp", b"heic\x00\x00\x00\x00mif1heic") + bytes(100),
        "video": _box(b"ftyp", b"isom\x00\x00\x00\x00isommp42") + bytes(100),
        "sound": b"RIFF" + struct.pack("<I", 40) + b"WAVEfmt " + bytes(40),
        "program": b"MZ" + bytes(200),
        "elf": b"\x7fELF" + bytes(200),
        "path": b"../../../../etc/passwd",
        "one byte": b"\xff",
        "zeros": bytes(4096),
        "chance": random.Random(7).randbytes(4096),
        "almost a jpeg": b"\xff\xd8" + bytes(100),
        "almost a png": b"\x89PNG\r\n\x1a\r" + bytes(100),
    }
    for name, content in files.items():
        yield name, content, "images.type_refused"


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width_px: int, height_px: int, *chunks: bytes, depth: int = 8, colour: int = 2) -> bytes:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width_px, height_px, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks)


def _png() -> Iterator[Hostile]:
    data, end = png_chunk(b"IDAT", zlib.compress(bytes(400))), png_chunk(b"IEND", b"")
    blank = png_chunk(b"IDAT", zlib.compress(bytes(10_000_000)))
    yield "png of 300 megapixels", png(17_320, 17_320, blank, end, depth=1, colour=0), "images.too_large"
    yield "png of 100 megapixels", png(10_000, 10_000, blank, end), "images.too_large"
    yield "png with a long side", png(16_385, 1, data, end), "images.too_large"
    yield "png as large as numbers go", png(2**31 - 1, 2**31 - 1, data, end), "images.too_large"
    yield "png without width", png(0, 10, data, end), "images.broken"
    yield "png with a bad checksum", png(10, 10, data, end).replace(b"IHDR\x00", b"IHDR\x01", 1), "images.broken"
    yield "png of three bits", png(10, 10, data, end, depth=3), "images.broken"
    yield "png of unknown colours", png(10, 10, data, end, colour=5), "images.broken"
    yield "png without an end", png(10, 10, data), "images.broken"
    yield "png cut off", png(10, 10, data, end)[:-20], "images.broken"
    yield "png without a picture", png(10, 10, end), "images.broken"
    yield "png with two headers", png(10, 10, png(20, 20)[8:], data, end), "images.broken"
    yield "png with a chunk of 4 GB", png(10, 10, struct.pack(">I", 2**32 - 1) + b"IDAT", data, end), "images.broken"
    yield "png with a nameless chunk", png(10, 10, png_chunk(b"\x00\x00\x00\x00", b""), data, end), "images.broken"
    yield "png, animated", png(10, 10, png_chunk(b"acTL", bytes(8)), data, end), "images.animated"
    yield "png of a million chunks", png(10, 10, data * 2, png_chunk(b"teXt", b"") * 1_000_000, end), "images.broken"


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def _frame(width_px: int, height_px: int, *, kind: int = 0xC0, bits: int = 8, components: int = 3) -> bytes:
    parts = b"".join(bytes((number, 0x11, 0)) for number in range(1, components + 1))
    return _segment(kind, struct.pack(">BHHB", bits, height_px, width_px, components) + parts)


def _jpeg() -> Iterator[Hostile]:
    start, end = b"\xff\xd8", b"\xff\xd9"
    scan = _segment(0xDA, b"\x03\x01\x00\x02\x11\x03\x11\x00\x3f\x00") + b"\x12\x34\xff\x00\x56"
    small = _frame(64, 64)
    photo = photograph(400, 300)
    yield "jpeg of 4 gigapixels", start + _frame(65_535, 65_535) + scan + end, "images.too_large"
    yield "jpeg of 61 megapixels", start + _frame(10_000, 6_100) + scan + end, "images.too_large"
    yield "jpeg without height", start + _frame(64, 0) + scan + end, "images.broken"
    yield "jpeg, lossless", start + _frame(64, 64, kind=0xC3) + scan + end, "images.broken"
    yield "jpeg, arithmetic", start + _frame(64, 64, kind=0xC9) + scan + end, "images.broken"
    yield "jpeg of 12 bits", start + _frame(64, 64, bits=12) + scan + end, "images.broken"
    yield "jpeg of two colours", start + _frame(64, 64, components=2) + scan + end, "images.broken"
    yield "jpeg of two sizes", start + small + scan + _frame(60_000, 900) + scan + end, "images.broken"
    yield "jpeg of 101 scans", start + _frame(7_000, 7_000, kind=0xC2) + scan * 101 + end, "images.too_many_scans"
    yield "jpeg, half", photo[: len(photo) // 2], "images.broken"
    yield "jpeg without an end", photo[:-2], "images.broken"
    yield "jpeg that only begins", start + b"\xff", "images.broken"
    yield "jpeg without a picture", start + _segment(0xFE, b"hello") + end, "images.broken"
    yield "jpeg without a scan", start + small + end, "images.broken"
    yield "jpeg that is all comment", start + _segment(0xFE, b"") * 1_000_000, "images.broken"
    yield "jpeg that is all padding", start + b"\xff" * (8 * _MIB), "images.broken"
    yield "jpeg that never ends", start + small + scan + b"\xff\x00" * (4 * _MIB), "images.broken"
    yield "jpeg with a long segment", start + b"\xff\xe1\xff\xff" + small + scan + end, "images.broken"


def _riff(*chunks: bytes) -> bytes:
    content = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(content)) + content


def _chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def _canvas(width_px: int, height_px: int, *, flags: int = 0) -> bytes:
    sides = (width_px - 1).to_bytes(3, "little") + (height_px - 1).to_bytes(3, "little")
    return _chunk(b"VP8X", bytes((flags, 0, 0, 0)) + sides)


def _lossless(width_px: int, height_px: int) -> bytes:
    return _chunk(b"VP8L", b"\x2f" + struct.pack("<I", (width_px - 1) | (height_px - 1) << 14) + bytes(20))


def _webp() -> Iterator[Hostile]:
    photo = photograph(400, 300, kind="WEBP")
    yield "webp, animated", _riff(_canvas(64, 64, flags=2), _chunk(b"ANIM", bytes(6))), "images.animated"
    yield "webp, secretly animated", _riff(_canvas(64, 64), _chunk(b"ANMF", bytes(40))), "images.animated"
    yield "webp of 268 megapixels", _riff(_lossless(16_383, 16_383)), "images.too_large"
    yield "webp on a vast canvas", _riff(_canvas(2**24, 2**24), _lossless(64, 64)), "images.too_large"
    yield "webp of two sizes", _riff(_canvas(64, 64), _lossless(9_000, 6_000)), "images.broken"
    yield "webp, half", photo[: len(photo) // 2], "images.broken"
    yield "webp without a picture", _riff(_canvas(64, 64)), "images.broken"
    yield "webp with no sign", _riff(_chunk(b"VP8 ", bytes(30))), "images.broken"
    yield "webp with no lossless sign", _riff(_chunk(b"VP8L", bytes(30))), "images.broken"
    yield "webp of a million chunks", _riff(_chunk(b"XXXX", b"") * 1_000_000), "images.broken"
    yield "webp with a chunk of 4 GB", _riff(b"VP8 " + b"\xff" * 4 + bytes(30)), "images.broken"


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + name + content


def _described(*properties: bytes) -> bytes:
    return _box(b"meta", bytes(4) + _box(b"iprp", _box(b"ipco", b"".join(properties))))


def _avif() -> Iterator[Hostile]:
    kind = _box(b"ftyp", b"avif\x00\x00\x00\x00mif1avif")
    small, vast = (_box(b"ispe", bytes(4) + struct.pack(">II", side, side)) for side in (64, 20_000))
    photo = photograph(400, 300, kind="AVIF")
    yield "avif, animated", _box(b"ftyp", b"avis\x00\x00\x00\x00avis") + _described(small), "images.animated"
    yield "avif, secretly animated", kind + _described(small) + _box(b"moov", b""), "images.animated"
    yield "avif of 400 megapixels", kind + _described(vast), "images.too_large"
    yield "avif with a vast part", kind + _described(small, vast), "images.too_large"
    yield "avif without a description", kind + _box(b"mdat", bytes(100)), "images.broken"
    yield "avif without a size", kind + _described(), "images.broken"
    yield "avif, half", photo[: len(photo) // 2], "images.broken"
    yield "avif with a part too large", kind + _box(b"meta", bytes(4) + b"\x00\xff\xff\xffiprp"), "images.broken"
    yield "avif of a million parts", kind + _described(_box(b"free", b"") * 1_000_000), "images.broken"
    yield "avif with a part without size", kind + b"\x00\x00\x00\x04meta" + bytes(30), "images.broken"


def mutate(content: bytes, chance: random.Random) -> bytes:
    """Return a file with some bytes changed, lost or added, most of them in its head."""
    mutated = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 5, 20))):
        at = chance.randrange(min(len(mutated), chance.choice((64, 400, len(mutated)))))
        match chance.randrange(4):
            case 0:
                del mutated[at : at + chance.randrange(1, 40)]
            case 1:
                mutated[at:at] = chance.randbytes(chance.randrange(1, 8))
            case 2:
                mutated[at : at + 4] = chance.choice((b"\xff\xff\xff\xff", bytes(4), b"\x7f\xff\xff\xff"))
            case _:
                mutated[at] = chance.randrange(256)
    return bytes(mutated)


def progressive_bomb(side_px: int = 7_600) -> bytes:
    """Return a JPEG of 350 kB that is within every limit, sound, and grey all over.

    It is drawn in 85 passes: each goes over the whole picture to say, for thousands of blocks in two bytes, that
    nothing changes. A decoder takes many seconds for it, and 350 MB, as it has to keep the whole until the end.
    """
    blocks = ((side_px + 7) // 8) ** 2
    same_for_16384_blocks = 15  # bits: a code of one, and fourteen that add nothing
    unchanged = bytes(-(-blocks // 16_384) * same_for_16384_blocks // 8 + 1)
    out = [b"\xff\xd8", _segment(0xDB, b"\x00" + b"\x01" * 64), _frame(side_px, side_px, kind=0xC2)]
    tables = ((b"\x00", b"\x00"), (b"\x10", b"\xe0"))
    out += [_segment(0xC4, kind + b"\x01" + bytes(15) + symbol) for kind, symbol in tables]
    out += [_segment(0xDA, b"\x03\x01\x00\x02\x00\x03\x00" + bytes(3)), bytes(blocks * 3 // 8 + 1)]
    for colour, first, last in ((colour, *band) for colour in (1, 2, 3) for band in ((1, 31), (32, 63))):
        for bit in range(13, -1, -1):
            before = 0 if bit == 13 else bit + 1
            out += [_segment(0xDA, bytes((1, colour, 0, first, last, before << 4 | bit))), unchanged]
    return b"".join([*out, b"\xff\xd9"])
