"""What a user of the command line can get wrong; each is told in one sentence, without a traceback."""

from typing import Final

from typer import TyperException

from fairground.entrypoints.demo import DemoRefused
from fairground.entrypoints.serve import AddressError
from fairground.entrypoints.settings import SettingsError
from fairground.kernel.errors import DomainError, Unavailable
from fairground.ops.imports.faults import ImportRefused
from fairground.platform.db.dialect.base import DatabaseInUse, DatabaseUnavailable, DatabaseURLError
from fairground.platform.db.dialect.guards import GuardError
from fairground.platform.db.schema import SchemaMismatch
from fairground.platform.mail.headers import SenderError
from fairground.platform.mail.mailer import MailURLError
from fairground.verticals.loader import PackError


class Mistake(Exception):
    """Something that one command alone can find wrong."""


MISTAKES: Final = (
    AddressError,
    DatabaseInUse,
    DatabaseURLError,
    DemoRefused,
    DomainError,
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


def say(mistake: Exception) -> str:
    """Return what to print: one sentence with the way out, or the help that was missing."""
    if isinstance(mistake, TyperException):
        return _say_usage(mistake)
    return f"fairground: {_sentence(mistake)}"


def _sentence(mistake: Exception) -> str:
    if not isinstance(mistake, DomainError):
        return str(mistake)
    hint = mistake.hint
    if isinstance(mistake, DatabaseUnavailable) and hint == DatabaseUnavailable.hint:
        # No request was cut off here: most often the database is not where the settings say.
        hint = "Check that it runs and that FAIRGROUND_DATABASE_URL names it, then try again."
    # The operator may see what the public must not: which host, port or file it was.
    reason = mistake.reason.rstrip(".") if isinstance(mistake, Unavailable) else ""
    detail = f"{mistake.detail.rstrip('.')}: {reason}." if reason else mistake.detail
    return f"{detail} {hint}".strip()


def _say_usage(mistake: TyperException) -> str:
    said = mistake.format_message()
    if said.startswith("Usage:"):
        return said  # a group without a command: its help is the answer
    context = getattr(mistake, "ctx", None)
    command = context.command_path if context else "fairground"
    said = " ".join(said.replace("Value error, ", "").replace("Input should be", "it must be").split()).rstrip(".")
    return f"fairground: {said}. `{command} --help` tells how to say it."
