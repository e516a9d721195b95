from pathlib import Path

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from fairground.platform.mail.mailer import FolderMailer
from fairground.platform.mail.message import compose_message
from fairground.platform.module import Links
from fairground.web.pages import mail
from tests.support.runtime import make_site


def a_client(folder: Path) -> AsyncClient:
    app = FastAPI(redirect_slashes=False)
    app.include_router(mail.routes(make_site(folder), Links()))
    return AsyncClient(transport=ASGITransport(app=app), base_url="http://testserver")


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    mailer = FolderMailer(tmp_path, sender="Fairground <no-reply@localhost>")
    for number, text in enumerate(["Welcome, Ada.", "See /verify-email?token=abc & <b>hello</b>."]):
        message = compose_message(to="ada@example.org", subject=f"Letter {number}", text=text, html=f"<p>{text}</p>")
        message.add_attachment("BEGIN:VCALENDAR", subtype="calendar", filename="booking.ics")
        await mailer.send(message)
    return tmp_path


async def test_kept_mail_is_listed_the_latest_first(folder: Path) -> None:
    async with a_client(folder) as client:
        answer = await client.get("/mail")
    assert answer.status_code == 200
    assert answer.text.index("Letter 1") < answer.text.index("Letter 0")
    assert answer.headers["cache-control"] == "private, no-store"


async def test_one_mail_is_shown_as_text_with_its_attachments_named(folder: Path) -> None:
    latest = max(file.name for file in folder.glob("*.eml"))
    async with a_client(folder) as client:
        answer = await client.get(f"/mail/{latest}")
    assert "token=abc" in answer.text
    assert "<b>hello" not in answer.text, "what a mail says is text, never markup of ours"
    assert "booking.ics" in answer.text


async def test_an_empty_folder_and_an_unknown_name_are_answered(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("secret")
    async with a_client(tmp_path / "none") as client:
        assert (await client.get("/mail")).status_code == 200
    async with a_client(tmp_path) as client:
        for name in ("none.eml", "notes.txt", "..%2Fnotes.txt"):
            answer = await client.get(f"/mail/{name}")
            assert answer.status_code == 404
            assert "secret" not in answer.text
