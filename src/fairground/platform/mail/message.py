"""One email: composed for a recipient, completed by the sender, and turned into bytes."""

from copy import deepcopy
from email.generator import BytesGenerator
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from io import BytesIO

from fairground.kernel.clock import SystemClock
from fairground.kernel.text import EmailRefused, wire_address
from fairground.platform.jobs.lifecycle import CancelJob
from fairground.platform.mail.headers import POLICY, Sender, address_field, address_in, new_message, text_field


class MailUndeliverable(CancelJob):
    """No later attempt can deliver the message, so a job that sends it ends with this reason."""


def compose_message(*, to: str, subject: str, text: str, html: str) -> EmailMessage:
    """Return a message to one address, as text and as HTML.

    Args:
        subject: Becomes one line; control characters are left out.

    Raises:
        MailUndeliverable: `to` is no address.
    """
    message = new_message()
    try:
        message["To"] = address_field("To", address=wire_address(to))
    except EmailRefused as error:
        raise MailUndeliverable(f"The address of the recipient cannot be used. {error}") from None
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
