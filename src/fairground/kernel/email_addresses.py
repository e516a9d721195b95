"""E-mail addresses: their syntax by `email-validator` (RFC 5321, RFC 6531, IDNA 2008), and one normal form.

Nothing is looked up in the DNS. The domain is kept in A-labels, so that müller.de and xn--mller-kva.de are one address
and every mail server takes it; the part before the @ may hold letters beyond ASCII (RFC 6531) and is kept in NFC.
"""

import unicodedata
from typing import Final

# The library refuses these, because only a private network knows them; such a network may have its own mail server.
# Its list of them is global to the process, so the list stays as it is and a public name stands in for them.
_PRIVATE_NAMES: Final = frozenset({"local", "localhost"})
_STAND_IN: Final = ".example"


class EmailRefused(ValueError):
    """A text is no e-mail address; the message says why, as a sentence."""


def normalise_email(text: str) -> str:
    """Return the normal form of an account's address: lower case, NFC, the domain in A-labels.

    Raises:
        EmailRefused: It is no address of a domain with a dot.
    """
    local, domain = _parts(text.strip(), is_public=True)
    if "." not in domain:
        raise EmailRefused("The part after the @-sign has no dot.")
    return f"{unicodedata.normalize('NFC', local.lower())}@{domain}"


def wire_address(text: str) -> str:
    """Return an address for a mail: its domain in A-labels, which may be a name of a private network.

    Raises:
        EmailRefused
    """
    local, domain = _parts(text.strip(), is_public=False)
    return f"{local}@{domain}"


def _parts(text: str, *, is_public: bool) -> tuple[str, str]:
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - large tables

    stand_in = _STAND_IN if text.rpartition("@")[2].rpartition(".")[2].lower() in _PRIVATE_NAMES else ""
    try:
        checked = validate_email(
            text + stand_in, check_deliverability=False, test_environment=True, globally_deliverable=is_public
        )
    except EmailNotValidError as error:
        raise EmailRefused(str(error)) from None
    return checked.local_part, checked.ascii_domain.removesuffix(stand_in)
