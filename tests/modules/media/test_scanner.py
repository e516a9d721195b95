"""Files are scanned before they are kept: by a real clamd where there is one, and by a process that speaks like it."""

import asyncio
import io
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from fairground.contracts.media import PictureState
from fairground.entrypoints.compose import compose
from fairground.entrypoints.settings import Settings, SettingsError
from fairground.kernel.ids import uuid7
from fairground.modules.media import gateways
from fairground.modules.media.gateways import Clamd, PictureInfected, ScannerUnavailable
from fairground.modules.media.settings import MediaSettings
from fairground.platform.storage.keys import Retention
from tests.doubles.clamd import HARMFUL, talk
from tests.support.pictures import photograph
from tests.support.processes import ROOT
from tests.support.studio import Studio, open_studio
from tests.support.waiting import until

OWNER: Final = uuid7()
PHOTO: Final = photograph(300, 200)
# Sound as a picture, with a test virus behind its end.
INFECTED: Final = PHOTO + HARMFUL

Start = Callable[[str], Path]

on_one_database = pytest.mark.parametrize("dialect", ["sqlite"])


@pytest.fixture
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start a scanner of a manner, or `real`, and return its socket; a path longer than 107 bytes would not do."""
    folder, processes = tmp_path_factory.mktemp("clamd"), list[subprocess.Popen[bytes]]()
    socket = folder / "s"

    def run(manner: str) -> Path:
        socket.unlink(missing_ok=True)
        words = _real(folder, socket) if manner == "real" else [sys.executable, "-m", "tests.doubles.clamd"]
        more = [] if manner == "real" else [str(socket), manner]
        processes.append(subprocess.Popen([*words, *more], cwd=ROOT, stdout=subprocess.DEVNULL))
        return socket

    yield run
    for process in processes:
        process.kill()
        process.wait()


def _real(folder: Path, socket: Path) -> list[str]:
    program = shutil.which("clamd") or shutil.which("clamd", path="/usr/sbin")
    if program is None:
        pytest.skip("NOT RUN: there is no clamd; install clamav-daemon")
    (folder / "test.ndb").write_text(f"Test.Harmful:0:*:{HARMFUL.hex()}\n")
    configuration = folder / "clamd.conf"
    lines = (f"LocalSocket {socket}", f"DatabaseDirectory {folder}", "Foreground yes", "LogFile /dev/null")
    configuration.write_text("\n".join(lines) + "\n")
    return [program, f"--config-file={configuration}"]


@pytest.fixture
async def studio(
    migrated_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: Start, manner: str
) -> AsyncIterator[Studio]:
    socket = start(manner)
    await until(socket.exists, seconds=30)
    monkeypatch.setenv("FAIRGROUND_MEDIA_CLAMD", str(socket))
    async with open_studio(migrated_url, tmp_path) as opened:
        yield opened


@on_one_database
@pytest.mark.parametrize("manner", ["harmful", "real"])
async def test_infected_file_is_refused_and_never_kept(studio: Studio) -> None:
    assert (await studio.upload(OWNER, PHOTO)).state is PictureState.PROCESSING
    offer = await studio.pictures.offer_upload(owner_id=OWNER, content_type="image/jpeg")
    await studio.store.put(offer.form.fields["key"], INFECTED)
    with pytest.raises(PictureInfected):
        await studio.pictures.complete_upload(owner_id=OWNER, picture_id=offer.picture.id)
    refused = await studio.pictures.get_picture(owner_id=OWNER, picture_id=offer.picture.id)
    assert refused.refusal is not None
    assert (refused.state, refused.refusal.code) == (PictureState.REFUSED, "media.infected")
    assert await studio.stored(Retention.UPLOAD) == {offer.form.fields["key"]}
    with pytest.raises(PictureInfected):
        await studio.pictures.add_picture(picture_id=uuid7(), owner_id=OWNER, content=INFECTED, alt="")
    assert len(await studio.stored(Retention.ORIGINAL)) == 1
    await studio.collect()
    assert await studio.stored(Retention.UPLOAD) == set()


@on_one_database
@pytest.mark.parametrize("manner", ["silent", "broken", "small"])
async def test_upload_waits_while_the_scanner_is_away(
    studio: Studio, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateways, "_WAIT_SECONDS", 1)
    offer = await studio.pictures.offer_upload(owner_id=OWNER, content_type="image/jpeg")
    await studio.store.put(offer.form.fields["key"], PHOTO)
    what = {"owner_id": OWNER, "picture_id": offer.picture.id}
    for _ in range(2):
        with pytest.raises(ScannerUnavailable):
            await studio.pictures.complete_upload(**what)
        assert (await studio.pictures.get_picture(**what)).state is PictureState.AWAITED
        assert await studio.stored(Retention.ORIGINAL) == set()
        Path(os.environ["FAIRGROUND_MEDIA_CLAMD"]).unlink(missing_ok=True)  # and then it is away
    await until(start("harmful").exists, seconds=30)
    assert (await studio.pictures.complete_upload(**what)).state is PictureState.PROCESSING


@pytest.mark.parametrize(
    "address",
    ["::1:3310", "[::1]", "[::1:3310", "clamd", "clamd:", ":3310", "clamd:65536", "clamd:0", "clamd:1/x", "a@b:1"],
)
def test_invalid_scanner_address_is_refused_at_the_start(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAIRGROUND_MEDIA_CLAMD", address)
    message = f"FAIRGROUND_MEDIA_CLAMD is {address!r}; it must be host:port with a port of 1 to 65535, [IPv6]:port, or"
    with pytest.raises(SettingsError, match=re.escape(message)):
        compose(Settings(data_dir=tmp_path))


@pytest.mark.parametrize(
    ("host", "written"), [("127.0.0.1", "127.0.0.1"), ("127.0.0.1", "localhost"), ("::1", "[::1]")]
)
async def test_scanner_is_reached_by_host_and_port(host: str, written: str) -> None:
    if host == "::1" and not socket.has_ipv6:
        pytest.skip("NOT RUN: this machine has no IPv6")
    server = await asyncio.start_server(lambda *streams: talk(*streams, manner="harmful"), host, 0)
    address = f"{written}:{server.sockets[0].getsockname()[1]}"
    assert MediaSettings(clamd=address).clamd == address
    scanner = Clamd(address)
    await scanner.scan(io.BytesIO(PHOTO))
    with pytest.raises(PictureInfected):
        await scanner.scan(io.BytesIO(INFECTED))
    server.close()
    with pytest.raises(ScannerUnavailable):
        await scanner.scan(io.BytesIO(PHOTO))
