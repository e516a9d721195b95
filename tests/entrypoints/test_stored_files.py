"""Files at a server process: brought by a form, read in parts, and refused without being held."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from fairground.entrypoints.compose import compose
from fairground.entrypoints.settings import Settings
from fairground.platform.storage.folder import FolderStore
from fairground.platform.storage.keys import Retention, new_upload_key
from fairground.platform.storage.signed_urls import UploadForm
from fairground.platform.storage.store import Store
from tests.support.databases import copy_of
from tests.support.servers import Installation
from tests.support.storage import folder_store

MINUTE = timedelta(minutes=1)
MEBIBYTE = 1024 * 1024
SENT_MEBIBYTES = 64
SPARE_MEBIBYTES = 30


def form_of(store: Store, *, mebibytes: int) -> UploadForm:
    return store.offer_upload(new_upload_key(content_type="image/png"), max_bytes=mebibytes * MEBIBYTE, lifetime=MINUTE)


async def send(http: httpx.AsyncClient, form: UploadForm) -> httpx.Response:
    async def body() -> AsyncIterator[bytes]:
        for name, value in form.fields.items():
            yield f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        yield b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
        for _ in range(SENT_MEBIBYTES):
            yield bytes(MEBIBYTE)
        yield b"\r\n--edge--\r\n"

    headers = {"content-type": "multipart/form-data; boundary=edge"}
    return await http.post(form.url, content=body(), headers=headers)


def resident_mebibytes(process_id: int) -> float:
    [line] = [line for line in Path(f"/proc/{process_id}/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


async def test_large_file_passes_through_without_being_held_in_memory(sqlite_template: Path, tmp_path: Path) -> None:
    installation = Installation(database_url=copy_of(sqlite_template, tmp_path), data_dir=tmp_path / "data")
    store = folder_store(installation.data_dir)
    with installation.serving() as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
            before = resident_mebibytes(server.process_id)
            small, large = form_of(store, mebibytes=1), form_of(store, mebibytes=SENT_MEBIBYTES)
            refused = await send(http, small)
            assert (refused.status_code, refused.json()["code"]) == (422, "storage.upload_too_large")
            assert (await send(http, large)).status_code == 204
            assert resident_mebibytes(server.process_id) - before < SPARE_MEBIBYTES
            url = store.sign_read(large.key, lifetime=MINUTE)
            part = await http.get(url, headers={"range": "bytes=-5"})
            assert (part.status_code, part.content) == (206, bytes(5))
            whole = await http.head(url)
            assert whole.headers["content-length"] == str(SENT_MEBIBYTES * MEBIBYTE)
            assert whole.headers["x-content-type-options"] == "nosniff"
            assert (await http.get(url + "x")).status_code == 403
    assert [stored.key async for stored in store.list_objects(Retention.UPLOAD)] == [large.key]
    assert list((installation.data_dir / "incoming").iterdir()) == []


def test_files_are_in_the_data_folder_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = compose(Settings(data_dir=tmp_path), is_secondary=True).runtime.files
    assert isinstance(store, FolderStore)
    assert store.sign_read(new_upload_key(content_type="image/png"), lifetime=MINUTE).startswith("/media/upload/")
    assert (tmp_path / "media" / ".secret").exists()
    monkeypatch.setenv("FAIRGROUND_STORAGE_URL", f"file:{tmp_path}/elsewhere")
    compose(Settings(data_dir=tmp_path), is_secondary=True).runtime.files.sign_read(
        new_upload_key(content_type="image/png"), lifetime=MINUTE
    )
    assert (tmp_path / "elsewhere" / ".secret").exists()
