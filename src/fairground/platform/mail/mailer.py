"""Mailers: a folder of .eml files, or an SMTP server."""

import asyncio
import os
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import unquote, urlsplit

from fairground.kernel.errors import Unavailable
from fairground.kernel.ids import uuid7
from fairground.platform.mail.message import MailUndeliverable, Sender, complete, message_bytes, recipient_of
from fairground.platform.private_files import make_private_folder, open_private_file

_SMTP_TIMEOUT_SECONDS: Final = 10
_SMTP_CONNECTIONS: Final = 2  # small servers refuse more, and a hanging one must not take every thread
_LOOPBACK_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class MailURLError(ValueError):
    """FAIRGROUND_SMTP_URL cannot be used; the message says what to write instead."""


class MailNotSent(Unavailable):
    code = "mail.not_sent"
    hint = "Check FAIRGROUND_SMTP_URL and the mail server's log. Sending is retried automatically."


class Mailer(Protocol):
    async def send(self, message: EmailMessage) -> None:
        """Hand a message over. Sender, date and id are added where they are missing.

        Raises:
            MailNotSent: It was not handed over; it may be sent again.
            MailUndeliverable: The server cannot take the recipient's address.
        """
        ...


def open_mailer(smtp_url: str, *, sender: str, folder: Path) -> Mailer:
    """Return the mailer for FAIRGROUND_SMTP_URL; when that is empty, the one that keeps mail in the folder.

    Args:
        sender: As `Name <address>`, or the address alone.

    Raises:
        MailURLError: The URL cannot be used.
        SenderError: The sender cannot be used.
    """
    if not smtp_url:
        return FolderMailer(folder, sender=sender)
    return SMTPMailer(SMTPServer.from_url(smtp_url), sender=sender)


class FolderMailer:
    """Keeps each message as an .eml file. Names sort by time; a file is there whole or not at all."""

    def __init__(self, folder: Path, *, sender: str) -> None:
        self._folder = folder
        self._sender = Sender.read(sender)

    async def send(self, message: EmailMessage) -> None:
        try:
            await asyncio.to_thread(self._write, message_bytes(complete(message, sender=self._sender)))
        except OSError as error:
            raise MailNotSent(f"Can't write to the mail folder {self._folder}: {error.strerror}.") from error

    def _write(self, content: bytes) -> None:
        make_private_folder(self._folder)
        path = self._folder / f"{uuid7()}.eml"
        unfinished = path.with_suffix(".unfinished")
        # Mails hold links that open accounts, so only the owner of the process may read them.
        descriptor = open_private_file(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
        _flush_folder(self._folder)


def _flush_folder(folder: Path) -> None:
    """Make a new name in the folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(frozen=True)
class SMTPServer:
    host: str
    port: int
    is_tls_from_start: bool
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def from_url(cls, url: str) -> "SMTPServer":
        """Read smtp://user:password@host:port or smtps://….

        Raises:
            MailURLError: It is something else. The message does not repeat it, because it may hold a password.
        """
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or port == -1 or parts.path.strip("/"):
            raise MailURLError(
                "FAIRGROUND_SMTP_URL is not valid. Use smtp://user:password@host:587 or"
                " smtps://user:password@host:465, with %40 for an @ in the user or password."
            )
        user = unquote(parts.username) if parts.username else None
        is_tls_from_start = parts.scheme == "smtps"
        usual_port = 465 if is_tls_from_start else 587 if user else 25
        return cls(
            host=parts.hostname,
            port=port or usual_port,
            is_tls_from_start=is_tls_from_start,
            user=user,
            password=unquote(parts.password or ""),
        )


class SMTPMailer:
    """Sends each message over a connection of its own, in a thread.

    smtplib in a thread is enough, since mail leaves from jobs, a few at a time; it saves the dependency on an
    asynchronous client.
    """

    def __init__(self, server: SMTPServer, *, sender: str, tls: ssl.SSLContext | None = None) -> None:
        self._server = server
        self._sender = Sender.read(sender)
        self._tls = tls or _default_tls(server)
        self._turns = asyncio.Semaphore(_SMTP_CONNECTIONS)

    async def send(self, message: EmailMessage) -> None:
        completed = complete(message, sender=self._sender)
        async with self._turns:
            try:
                await asyncio.to_thread(self._deliver, completed)
            except (smtplib.SMTPException, OSError) as error:
                raise MailNotSent(
                    f"The mail server {self._server.host}:{self._server.port} rejected a message: {_reason(error)}."
                ) from error

    def _deliver(self, message: EmailMessage) -> None:
        with self._connect() as connection:
            if not self._server.is_tls_from_start:
                connection.ehlo()
                if connection.has_extn("starttls"):
                    connection.starttls(context=self._tls)
                elif self._server.user and self._server.host not in _LOOPBACK_HOSTS:
                    raise smtplib.SMTPNotSupportedError("it offers no encryption, so the password was not sent")
            if self._server.user:
                connection.login(self._server.user, self._server.password or "")
            self._hand_over(connection, message)

    def _hand_over(self, connection: smtplib.SMTP, message: EmailMessage) -> None:
        recipient = recipient_of(message)
        options: list[str] = []
        if not recipient.isascii():
            connection.ehlo_or_helo_if_needed()
            if not connection.has_extn("smtputf8"):
                raise MailUndeliverable(
                    f"The mail server {self._server.host}:{self._server.port} does not support SMTPUTF8 (RFC 6531), "
                    "so it can't deliver to an address with non-ASCII letters before the @."
                )
            options = ["SMTPUTF8", "BODY=8BITMIME"]
        content = message_bytes(message, line_end="\r\n")
        connection.sendmail(self._sender.address, [recipient], content, mail_options=options)

    def _connect(self) -> smtplib.SMTP:
        host, port = self._server.host, self._server.port
        if self._server.is_tls_from_start:
            return smtplib.SMTP_SSL(host, port, timeout=_SMTP_TIMEOUT_SECONDS, context=self._tls)
        return smtplib.SMTP(host, port, timeout=_SMTP_TIMEOUT_SECONDS)


def _default_tls(server: SMTPServer) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if server.host in _LOOPBACK_HOSTS:
        # A relay on the same machine has a self-signed certificate, and no network is between.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _reason(error: Exception) -> str:
    """Return the reason without the addresses that some of these errors carry."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = sorted({code for code, _ in error.recipients.values()})
        return f"it refused the recipient with {codes}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"it answered {error.smtp_code}"
    return str(error)
