"""Mistakes of a user of the command line: each is printed as one sentence, without a traceback."""

from typing import Final

from typer import TyperException

from fairground.entrypoints.server import AddressError
from fairground.entrypoints.settings import SettingsError
from fairground.kernel.errors import DomainError, Unavailable
from fairground.ops.exports.output import ExportRefused
from fairground.ops.imports.records import ImportRefused
from fairground.platform.db.dialect.base import DatabaseInUse, DatabaseUnavailable, DatabaseURLError
from fairground.platform.db.dialect.guards import GuardError
from fairground.platform.db.schema import SchemaMismatch
from fairground.platform.mail.mailer import MailURLError
from fairground.platform.mail.message import SenderError
from fairground.verticals.loader import PackError


class Mistake(Exception):
    """A mistake that only one command can find."""


MISTAKES: Final = (
    AddressError,
    DatabaseInUse,
    DatabaseURLError,
    DomainError,
    ExportRefused,
    GuardError,
    ImportRefused,
    MailURLError,
    SenderError,
    Mistake,
    PackError,
    SchemaMismatch,
    SettingsError,
    TyperException,
)


def explain_mistake(mistake: Exception) -> str:
    """Return the text to print: one sentence with its hint, or the help of a group called without a command."""
    if isinstance(mistake, TyperException):
        return _explain_usage(mistake)
    return f"fairground: {_sentence(mistake)}"


def _sentence(mistake: Exception) -> str:
    if not isinstance(mistake, DomainError):
        return str(mistake)
    hint = mistake.hint
    if isinstance(mistake, DatabaseUnavailable) and hint == DatabaseUnavailable.hint:
        # For a command the usual cause is that the settings name the wrong database.
        hint = "Check that the database is running and that FAIRGROUND_DATABASE_URL is correct, then try again."
    # An operator may see the host, port or file that the public must not see.
    reason = mistake.reason.rstrip(".") if isinstance(mistake, Unavailable) else ""
    detail = f"{mistake.detail.rstrip('.')}: {reason}." if reason else mistake.detail
    return f"{detail} {hint}".strip()


def _explain_usage(mistake: TyperException) -> str:
    text = mistake.format_message()
    if text.startswith("Usage:"):
        return text  # a group without a command: its help is the answer
    context = getattr(mistake, "ctx", None)
    command = context.command_path if context else "fairground"
    text = " ".join(text.replace("Value error, ", "").replace("Input should be", "it must be").split()).rstrip(".")
    return f"fairground: {text}. See `{command} --help`."
