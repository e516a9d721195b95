"""One email: composed for a recipient, completed by the sender, and turned into bytes.

Subject and addresses are encoded here, because the standard library folds some of them wrongly (Python 3.11 to 3.14):
it loses the blank between an encoded word and a quoted one, and it decodes what a subject only quotes. Here a value
that is not plain ASCII becomes encoded words as a whole (RFC 2047), which every reader decodes to the same value. A
long plain value is folded at its blanks (RFC 5322 §2.2.3).
"""

import re
from base64 import b64encode
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from email.generator import BytesGenerator
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, make_msgid
from io import BytesIO
from typing import Any, Final

import idna

from fairground.kernel.text import EmailRefused, TextRefused, clean_line, shown_line, wire_address
from fairground.kernel.zones import SystemClock
from fairground.platform.jobs.lifecycle import CancelJob

_LINE_MAX_CHARACTERS: Final = 76  # RFC 2047 §2, of every line with an encoded word
_WORD_MAX_CHARACTERS: Final = 75
_AROUND_WORD: Final = len("=?utf-8?b??=")
_TEXT_MAX_CHARACTERS: Final = 2_000
_NAME_MAX_CHARACTERS: Final = 200
# Text with =? could be taken for an encoded word, so it becomes one. A longer word could not be folded.
_PLAIN: Final = re.compile(r"(?!.*=\?)(?:[\x21-\x7e]{1,60}(?: |$))*")
_ATOMS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_NAMED: Final = re.compile(r"(?P<name>.*?)\s*<(?P<address>[^<>]*)>")
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')


class MailUndeliverable(CancelJob):
    """No later attempt can deliver the message, so a job that sends it ends with this reason."""


class SenderError(ValueError):
    """The setting of the sender cannot be used; the message says what to write instead."""


@dataclass(frozen=True)
class Sender:
    name: str
    """As people read it; empty for an address alone."""
    address: str
    """In ASCII."""

    @classmethod
    def read(cls, text: str) -> "Sender":
        """Read `Name <address>` or an address alone; the name may hold any character of a line, quoted or not.

        Raises:
            SenderError: It is neither, or has a line break.
        """
        named = _NAMED.fullmatch(text.strip())
        name, address = (named["name"], named["address"]) if named else ("", text)
        if _QUOTED.fullmatch(name):
            name = re.sub(r"\\(.)", r"\1", name[1:-1])
        try:
            sender = cls(name=clean_line(name, most=_NAME_MAX_CHARACTERS), address=wire_address(address))
        except TextRefused as refused:
            raise SenderError(f"The name in FAIRGROUND_MAIL_FROM={text!r} {refused.reason}. {refused.hint}") from None
        except EmailRefused as error:
            raise SenderError(
                f"FAIRGROUND_MAIL_FROM is {text!r}. {error} Use Fairground <hello@fair.example> or just an address."
            ) from None
        if not sender.address.isascii():
            raise SenderError(
                f"FAIRGROUND_MAIL_FROM is {text!r}. Not every mail server accepts non-ASCII letters before the @ of a "
                "sender. Use an address without them."
            )
        return sender

    @property
    def field(self) -> str:
        """The value of the header field From."""
        return address_field("From", name=self.name, address=self.address)

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


class _SourcePolicy(EmailPolicy):
    """Leaves the values that this module wrote unchanged; the standard library writes the other fields."""

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:
        return (name, value) if isinstance(value, _Source) else super().header_store_parse(name, value)


class _Source(str):
    """The value of a field as it is sent, line ends included."""

    __slots__ = ()


# "none": the library must not fold source values again.
POLICY: Final = _SourcePolicy(refold_source="none")


def compose_message(*, to: str, subject: str, text: str, html: str) -> EmailMessage:
    """Return a message to one address, as text and as HTML.

    Args:
        subject: Becomes one line; control characters are left out.

    Raises:
        MailUndeliverable: `to` is no address.
    """
    message = EmailMessage(policy=POLICY)
    try:
        message["To"] = address_field("To", address=wire_address(to))
    except EmailRefused as error:
        raise MailUndeliverable(f"The recipient's address is not valid. {error}") from None
    message["Subject"] = text_field("Subject", subject)
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    return message


def recipient_of(message: EmailMessage) -> str:
    return next(address_in(value) for name, value in message.raw_items() if name.lower() == "to")


def message_bytes(message: EmailMessage, *, line_end: str = "\n") -> bytes:
    """Return the message as it is sent; its fields are UTF-8 where the recipient's address needs that (RFC 6532)."""
    written = BytesIO()
    policy = POLICY.clone(linesep=line_end, utf8=not recipient_of(message).isascii())
    BytesGenerator(written, policy=policy).flatten(message)
    return written.getvalue()


def complete(message: EmailMessage, *, sender: Sender) -> EmailMessage:
    """Return a copy of the message with sender, date, id and origin where it has none."""
    completed = deepcopy(message)
    if "From" not in completed:
        completed["From"] = sender.field
    if "Date" not in completed:
        completed["Date"] = format_datetime(SystemClock().now())
    if "Message-ID" not in completed:
        completed["Message-ID"] = make_msgid(domain=sender.domain)
    if "Auto-Submitted" not in completed:
        completed["Auto-Submitted"] = "auto-generated"  # RFC 3834: asks for no out-of-office replies
    return completed


def text_field(name: str, text: str) -> str:
    """Return the value of a field of text, such as Subject; `text` is cut to one line of printable characters."""
    shown = shown_line(text, most=_TEXT_MAX_CHARACTERS)
    column = len(name) + len(": ")
    if _PLAIN.fullmatch(shown):
        return _Source(_fold(shown.split(" "), column=column))
    return _Source(_fold(_encoded_words(shown, column=column), column=column))


def address_field(field: str, *, address: str, name: str = "") -> str:
    """Return the value of a field with one address, such as To.

    Args:
        address: As `wire_address` returns it. Letters beyond ASCII before the @ stay, for SMTPUTF8 (RFC 6532).
    """
    shown, column = shown_line(name, most=_NAME_MAX_CHARACTERS), len(field) + len(": ")
    if not shown:
        return _Source(address)
    # Plain names stay plain, however long a word is: some readers put a blank between the encoded words of a name.
    is_plain = shown.isascii() and "=?" not in shown
    if is_plain and _ATOMS.fullmatch(shown):
        words = shown.split(" ")
    elif is_plain:
        words = ('"' + re.sub(r'(["\\])', r"\\\1", shown) + '"').split(" ")
    else:
        words = list(_encoded_words(shown, column=column))
    return _Source(_fold([*words, f"<{address}>"], column=column))


def address_in(field: str) -> str:
    """Return the address in a field that `address_field` wrote."""
    return field.rpartition("<")[2].rstrip(">")


def _fold(words: Iterator[str] | list[str], *, column: int) -> str:
    """Put words behind one another, each line as long as it may be."""
    folded, used = "", column
    for word in words:
        if not folded:
            folded, used = word, used + len(word)
        elif used + 1 + len(word) <= _LINE_MAX_CHARACTERS:
            folded, used = f"{folded} {word}", used + 1 + len(word)
        else:
            folded, used = f"{folded}\n {word}", 1 + len(word)
    return folded


def _encoded_words(text: str, *, column: int) -> Iterator[str]:
    """Cut a text into encoded words that each fill a line, between characters and never within one (RFC 2047 §5)."""
    room = min(_LINE_MAX_CHARACTERS - column, _WORD_MAX_CHARACTERS)
    taken = b""
    for character in text:
        encoded = character.encode("utf-8")
        if len(taken) + len(encoded) > (room - _AROUND_WORD) // 4 * 3:
            yield _encoded_word(taken)
            taken, room = b"", _WORD_MAX_CHARACTERS
        taken += encoded
    yield _encoded_word(taken)


def _encoded_word(part: bytes) -> str:
    return f"=?utf-8?b?{b64encode(part).decode('ascii')}?="


def message_id(unique: str, *, host: str) -> str:
    """Return a Message-ID in ASCII (RFC 5322 §3.6.4), whose right side is a host of ours, by name or by number."""
    if ":" in host:
        return f"<{unique}@[IPv6:{host}]>"
    return f"<{unique}@{host if host.isascii() else idna.encode(host, uts46=True).decode('ascii')}>"
