"""What is created is for the user of the process alone, whatever the umask allows."""

import os
import stat
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import text

from fairground.kernel.zones import SystemClock
from fairground.platform.db.database import Database
from fairground.platform.mail.mailer import FolderMailer
from fairground.platform.private_files import tighten
from fairground.platform.storage.folder import FolderStore
from fairground.platform.storage.keys import Retention
from fairground.platform.storage.uploads import open_unnamed_file
from fairground.sandbox.stripe.store import SandboxStore
from tests.support.outbox import RecordingOutbox

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[0o000, 0o022], ids=["umask 000", "umask 022"], autouse=True)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def modes_below(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}


async def test_database_and_its_copies_are_private(tmp_path: Path) -> None:
    file = tmp_path / "data" / "below" / "one.db"
    database = Database(f"sqlite:///{file}", outbox=RecordingOutbox())
    database.backend.acquire_server_lock()
    engine = database.backend.migration_engine()
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE note (name TEXT)")
    async with database.write() as tx:
        await tx.execute(text("INSERT INTO note VALUES ('a')"))
    database.backend.back_up_to(file.with_name("copy.db"))
    modes = modes_below(tmp_path)
    engine.dispose()
    await database.close()
    assert {"one.db", "one.db-wal", "one.db-shm", "one.db.lock", "copy.db"} <= {Path(name).name for name in modes}
    assert {name: mode for name, mode in modes.items() if mode & 0o077} == {}


async def test_files_of_an_older_version_are_tightened_when_a_server_starts(tmp_path: Path) -> None:
    file, copy = tmp_path / "one.db", tmp_path / "one.before-20260101-000000.db"
    for path in (file, copy):
        path.touch(mode=0o666)
        path.chmod(0o644)
    database = Database(f"sqlite:///{file}", outbox=RecordingOutbox())
    database.backend.acquire_server_lock()
    await database.close()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (file, copy)] == [0o600, 0o600]


async def test_mail_objects_uploads_and_test_money_are_private(tmp_path: Path) -> None:
    message = EmailMessage()
    message["To"], message["Subject"] = "ada@example.org", "Hello"
    await FolderMailer(tmp_path / "mail", sender="me@example.org").send(message)
    store = FolderStore(tmp_path / "media", clock=SystemClock())
    await store.put(f"{Retention.DERIVATIVE}/test/a.png", b"a picture")
    with await open_unnamed_file(tmp_path / "incoming") as spooled:
        assert stat.S_IMODE(os.fstat(spooled.fileno()).st_mode) == 0o600
    sandbox = SandboxStore(tmp_path / "money" / "sandbox.db")
    await sandbox.secret("webhook", prefix="whsec_")
    modes = modes_below(tmp_path)
    sandbox.close()
    await store.close()
    assert {"mail", "media", "incoming", "sandbox.db", "sandbox.db-wal", "a.png"} <= {Path(name).name for name in modes}
    assert {name: mode for name, mode in modes.items() if mode & 0o077} == {}


def test_shared_folder_keeps_its_rights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own, sticky, above_work = (tmp_path / name for name in ("own", "sticky", "above"))
    (above_work / "work").mkdir(parents=True)
    own.mkdir()
    sticky.mkdir()
    own.chmod(0o755)
    sticky.chmod(0o1777)
    above_work.chmod(0o755)
    monkeypatch.chdir(above_work / "work")
    for folder in (own, sticky, above_work, tmp_path / "missing"):
        tighten(folder)
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in (own, sticky, above_work)] == [0o700, 0o1777, 0o755]
