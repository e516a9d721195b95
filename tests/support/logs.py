"""What tests print of errors, where no test has configured logs."""

import structlog


def tell_errors_as_the_program_does() -> None:
    """Print where an error passed and not the values of all variables there, which takes seconds for each error."""
    structlog.dev.ConsoleRenderer.get_active().exception_formatter = structlog.dev.plain_traceback
