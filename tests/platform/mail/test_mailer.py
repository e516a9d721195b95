import asyncio
import socket
import ssl
import stat
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

from fairground.platform.mail.mailer import FolderMailer, MailNotSent, MailURLError, SMTPMailer, SMTPServer, open_mailer
from fairground.platform.mail.message import MailUndeliverable, compose_message

SENDER: Final = "Fairground <no-reply@fairground.example>"
# Made for these tests, for localhost only, self-signed.
CERTIFICATE: Final = Path(__file__).with_name("certificates") / "localhost.pem"
PASSWORD: Final = "p@ss/word"


def message(subject: str = "Grüße", to: str = "ada@example.org") -> EmailMessage:
    return compose_message(to=to, subject=subject, text="Plain: ä\n", html="<p>Rich: ä</p>")


def read(content: bytes) -> EmailMessage:
    parsed = message_from_bytes(content, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def eml_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.eml"))


class Inbox:
    """The messages that a real SMTP server received, with their sessions."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.was_encrypted: list[bool] = []
        self.logins: list[tuple[bytes, bytes]] = []

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: Any) -> str:  # noqa: N802 - the server's word
        if address.startswith("refused@"):
            return "550 No such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802 - the server's word
        assert isinstance(envelope.content, bytes)
        self.messages.append(read(envelope.content))
        self.recipients += envelope.rcpt_tos
        self.was_encrypted.append(session.ssl is not None)
        return "250 OK"

    def check(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, login: LoginPassword) -> AuthResult:
        self.logins.append((login.login, login.password))
        return AuthResult(success=login.password == PASSWORD.encode(), handled=False)


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def serve(inbox: Inbox, unused_tcp_port_of: Callable[[], int]) -> Iterator[Callable[..., int]]:
    """Start an SMTP server on loopback and return its port."""
    controllers: list[Controller] = []

    def start(**options: Any) -> int:
        controller = Controller(inbox, hostname="127.0.0.1", port=unused_tcp_port_of(), **options)
        controller.start()
        controllers.append(controller)
        return int(controller.port)

    yield start
    for controller in controllers:
        controller.stop(no_assert=True)


@pytest.fixture
def unused_tcp_port_of() -> Callable[[], int]:
    def find() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
            return port

    return find


def server_tls() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)
    return context


def mailer(url: str, *, tls: ssl.SSLContext | None = None) -> SMTPMailer:
    return SMTPMailer(SMTPServer.from_url(url), sender=SENDER, tls=tls)


async def test_folder_has_one_file_for_each_message_in_the_order_of_sending(tmp_path: Path) -> None:
    folder = FolderMailer(tmp_path / "mail", sender=SENDER)
    for number in range(20):
        await folder.send(message(subject=f"Number {number}"))

    subjects = [read(file.read_bytes())["Subject"] for file in eml_files(tmp_path / "mail")]
    assert subjects == [f"Number {number}" for number in range(20)]


async def test_concurrent_messages_do_not_overwrite_each_other(tmp_path: Path) -> None:
    folder = FolderMailer(tmp_path, sender=SENDER)
    await asyncio.gather(*(folder.send(message()) for _ in range(50)))

    assert len(eml_files(tmp_path)) == 50
    assert list(tmp_path.glob("*.unfinished")) == []


async def test_only_the_owner_can_read_the_files(tmp_path: Path) -> None:
    await FolderMailer(tmp_path, sender=SENDER).send(message())

    (file,) = eml_files(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_message_has_sender_date_id_and_both_forms(tmp_path: Path) -> None:
    original = message()
    await FolderMailer(tmp_path, sender=SENDER).send(original)

    mail = read(eml_files(tmp_path)[0].read_bytes())
    assert mail["From"] == SENDER
    assert mail["To"] == "ada@example.org"
    assert mail["Subject"] == "Grüße"
    assert mail["Date"].datetime.tzinfo is not None
    assert mail["Message-ID"].endswith("@fairground.example>")
    bodies = [mail.get_body((form,)) for form in ("plain", "html")]
    assert ["ä" in body.get_content() for body in bodies if body] == [True, True]
    assert "From" not in original


async def test_line_break_in_a_subject_begins_no_header(tmp_path: Path) -> None:
    await FolderMailer(tmp_path, sender=SENDER).send(message(subject="Hi\r\nBcc: eve@example.org"))

    mail = read(eml_files(tmp_path)[0].read_bytes())
    assert mail["Bcc"] is None
    assert mail["Subject"] == "Hi Bcc: eve@example.org"


async def test_folder_that_cannot_be_written_is_named_in_the_error(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file where the folder should be")

    with pytest.raises(MailNotSent, match="Can't write to the mail folder"):
        await FolderMailer(tmp_path / "mail", sender=SENDER).send(message())


async def test_smtp_delivers_the_message_to_its_recipient(serve: Callable[..., int], inbox: Inbox) -> None:
    await mailer(f"smtp://127.0.0.1:{serve()}").send(message())

    assert inbox.recipients == ["ada@example.org"]
    assert inbox.messages[0]["Subject"] == "Grüße"
    assert inbox.was_encrypted == [False]


async def test_smtp_signs_in_only_after_the_offered_encryption(serve: Callable[..., int], inbox: Inbox) -> None:
    port = serve(tls_context=server_tls(), require_starttls=True, authenticator=inbox.check, auth_required=True)

    await mailer(f"smtp://fair%40example.org:p%40ss%2Fword@127.0.0.1:{port}").send(message())

    assert inbox.was_encrypted == [True]
    assert inbox.logins == [(b"fair@example.org", PASSWORD.encode())]


async def test_smtps_is_encrypted_from_the_start(serve: Callable[..., int], inbox: Inbox) -> None:
    port = serve(ssl_context=server_tls())
    await mailer(f"smtps://127.0.0.1:{port}").send(message())

    assert [mail["Subject"] for mail in inbox.messages] == ["Grüße"]


async def test_self_signed_certificate_is_refused(serve: Callable[..., int], inbox: Inbox) -> None:
    port = serve(tls_context=server_tls())

    with pytest.raises(MailNotSent, match="certificate"):
        await mailer(f"smtp://127.0.0.1:{port}", tls=ssl.create_default_context()).send(message())
    assert inbox.messages == []


async def test_password_is_not_sent_to_another_host_without_encryption(
    serve: Callable[..., int], inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = serve(authenticator=inbox.check, auth_require_tls=False)
    # Loopback stands in for a server that is far away.
    monkeypatch.setattr("fairground.platform.mail.mailer._LOOPBACK_HOSTS", frozenset())

    with pytest.raises(MailNotSent, match="the password was not sent"):
        await mailer(f"smtp://fair:secret@127.0.0.1:{port}").send(message())
    assert inbox.logins == []


async def test_refused_recipient_is_not_named_in_the_error(serve: Callable[..., int]) -> None:
    with pytest.raises(MailNotSent) as refusal:
        await mailer(f"smtp://127.0.0.1:{serve()}").send(message(to="refused@example.org"))

    assert "550" in refusal.value.detail
    assert "refused@" not in refusal.value.detail


async def test_domain_of_a_recipient_is_sent_in_a_labels(serve: Callable[..., int], inbox: Inbox) -> None:
    await mailer(f"smtp://127.0.0.1:{serve(enable_SMTPUTF8=False)}").send(message(to="max@müller.de"))

    assert inbox.recipients == ["max@xn--mller-kva.de"]
    assert inbox.messages[0]["To"] == "max@xn--mller-kva.de"


async def test_letters_beyond_ascii_before_the_at_are_sent_to_a_server_that_takes_them(
    serve: Callable[..., int], inbox: Inbox
) -> None:
    await mailer(f"smtp://127.0.0.1:{serve(enable_SMTPUTF8=True)}").send(message(to="josé@müller.de"))

    assert inbox.recipients == ["josé@xn--mller-kva.de"]
    assert inbox.messages[0]["Subject"] == "Grüße"


async def test_letters_beyond_ascii_before_the_at_fail_for_good_on_a_server_that_does_not_take_them(
    serve: Callable[..., int], inbox: Inbox
) -> None:
    with pytest.raises(MailUndeliverable, match="does not support SMTPUTF8") as refused:
        await mailer(f"smtp://127.0.0.1:{serve(enable_SMTPUTF8=False)}").send(message(to="josé@example.org"))
    assert "josé" not in str(refused.value)
    assert inbox.messages == []


async def test_text_that_is_no_address_is_refused_as_recipient() -> None:
    with pytest.raises(MailUndeliverable):
        message(to="ada@example.org\r\nBcc: eve@example.org")


async def test_wrong_password_is_not_repeated_in_the_error(serve: Callable[..., int], inbox: Inbox) -> None:
    port = serve(authenticator=inbox.check, auth_require_tls=False)

    with pytest.raises(MailNotSent, match="535") as refusal:
        await mailer(f"smtp://fair:wrong-one@127.0.0.1:{port}").send(message())
    assert "wrong-one" not in refusal.value.detail


async def test_unreachable_server_is_named_in_the_error(unused_tcp_port_of: Callable[[], int]) -> None:
    port = unused_tcp_port_of()
    with pytest.raises(MailNotSent, match=f"127.0.0.1:{port}"):
        await mailer(f"smtp://127.0.0.1:{port}").send(message())


@pytest.mark.parametrize(
    ("url", "port", "is_tls_from_start"),
    [
        ("smtp://mail.example.org", 25, False),
        ("smtp://ada:secret@mail.example.org", 587, False),
        ("smtp://mail.example.org:2525", 2525, False),
        ("smtps://ada:secret@mail.example.org", 465, True),
    ],
)
def test_url_without_a_port_has_the_usual_one(url: str, port: int, is_tls_from_start: bool) -> None:  # noqa: FBT001
    server = SMTPServer.from_url(url)
    assert (server.port, server.is_tls_from_start) == (port, is_tls_from_start)
    assert "secret" not in repr(server)


@pytest.mark.parametrize(
    "url", ["mail.example.org", "http://mail.example.org", "smtp://", "smtp://mail:secret@x:port", "smtp://x/path"]
)
def test_other_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(MailURLError, match="smtp://user:password@host:587") as refusal:
        SMTPServer.from_url(url)
    assert "secret" not in str(refusal.value)


def test_mailer_is_a_folder_if_no_server_is_set(tmp_path: Path) -> None:
    assert isinstance(open_mailer("", sender=SENDER, folder=tmp_path), FolderMailer)
    assert isinstance(open_mailer("smtp://127.0.0.1", sender=SENDER, folder=tmp_path), SMTPMailer)
