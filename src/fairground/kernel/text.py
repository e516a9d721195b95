"""What a text or e-mail address of a user may be: one rule for the API, pages, imports, mails and the command line.

Three kinds of text: a *line* (a name, a place, a phone number), a *text* of several lines (a description, a note), and
an *identifier* that another system made. Lines and texts come back in NFC (UAX #15), so that two spellings that look
the same are the same; NFKC would also turn ½, ② and ﬁ into other characters. Lengths are code points of the result,
which is what both databases count. ADR-0026 says why each character is kept, dropped or refused.

The syntax of addresses is that of `email-validator` (RFC 5321, RFC 6531, IDNA 2008), without a question to the DNS. The
domain is kept in A-labels, so that müller.de and xn--mller-kva.de are one address and every mail server takes it; the
part before the @ may hold letters beyond ASCII (RFC 6531) and is kept in NFC.
"""

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from fairground.kernel.characters import (
    DIRECTION_MARKS,
    DROPPED,
    LINE_BREAKS,
    TAG_FLAG,
    has_meaning,
    is_contextual,
    is_mark,
    is_plain,
    is_refused,
    is_visible,
    name_of,
)
from fairground.kernel.errors import Invalid

# UTS #39 §5.4 forbids more than four nonspacing marks; Burmese and Tibetan words need a few more.
MARKS_MAX: Final = 8
# Normalising is quadratic in the length of a run of marks; UAX #15 bounds it to 30 in a Stream-Safe text.
_NORMALISED_MARKS_MAX: Final = 30
_RAW_FACTOR: Final = 4  # decomposed, a letter has at most four code points: a longer raw text is too long in any form

_LINE_ENDS: Final = ("\r\n", "\r", "\x85", "\u2028", "\u2029")
_BLANKS: Final = re.compile("[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u2800\u3164\uffa0]+")
_OUTER: Final = (
    " \t\n\r\x85\u2028\u2029\u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u202f\u205f\u3000\ufeff"
)
_LAYOUT: Final = frozenset("\n\t")

# The library refuses these, because only a private network knows them; such a network may have its own mail server.
# Its list of them is global to the process, so it stays as it is, and a public name is checked in their place.
_PRIVATE_NAMES: Final = frozenset({"local", "localhost"})
_STAND_IN: Final = ".example"


class TextRefused(ValueError):
    """A text has a character that is not allowed, or too many characters.

    `reason` continues a sentence that begins with the name of the text; `hint` says what to do, as a sentence.
    """

    def __init__(self, reason: str, *, hint: str) -> None:
        super().__init__(f"it {reason}; {hint}")
        self.reason = reason
        self.hint = hint


class EmailRefused(ValueError):
    """A text is not an email address; the message says why, as a sentence."""


def clean_line(text: str, *, most: int) -> str:
    """Return a text of one line with every run of blanks as one; "" when it shows nothing.

    Args:
        most: Code points of the result.

    Raises:
        TextRefused: It has a line break, a tab or another character that a line may not have, or is too long.
    """
    if text.isascii() and text.isprintable():  # nearly every text, and nothing in it but blanks can change
        text = text.strip()
        return _bounded(" ".join(text.split()) if "  " in text else text, most=most)
    return _bounded(_tidy(_trimmed(text, most=most), allowed=frozenset(), is_line=True), most=most)


def clean_text(text: str, *, most: int) -> str:
    """Return a text of any number of lines, which end in U+000A; "" when it shows nothing.

    Args:
        most: Code points of the result.

    Raises:
        TextRefused: It has a character that a text may not have, or is too long.
    """
    text = _trimmed(text, most=most)
    for end in _LINE_ENDS:
        text = text.replace(end, "\n")
    return _bounded(_tidy(text, allowed=_LAYOUT, is_line=False), most=most)


def require_line(text: str, *, most: int) -> str:
    """Return what `clean_line` does; raise TextRefused also when it shows nothing."""
    return clean_line(text, most=most) or _refuse_empty(text, most=most)


def require_text(text: str, *, most: int) -> str:
    """Return what `clean_text` does; raise TextRefused also when it shows nothing."""
    return clean_text(text, most=most) or _refuse_empty(text, most=most)


def check_identifier(text: str, *, most: int) -> str:
    """Return an identifier of another system unchanged: identifiers that differ in a blank are different.

    Raises:
        TextRefused: It is empty, too long, or has a character that a line may not have.
    """
    _refuse_characters(text, allowed=frozenset())
    if not _shows(text):
        _refuse_empty(text, most=most)
    return _bounded(text, most=most)


def shown_line(text: str, *, most: int) -> str:
    """Return what a line can show of any text, cut to `most` code points. Nothing is refused."""
    spaced = "".join(" " if character in LINE_BREAKS else character for character in text[: most * _RAW_FACTOR])
    shown = "".join(character for character in spaced.replace("\t", " ") if not is_refused(character))
    try:
        return _tidy(shown.strip(_OUTER), allowed=frozenset(), is_line=True)[:most].rstrip()
    except TextRefused:  # too many marks on a letter: nothing of it can be read
        return ""


def normalise_email(text: str) -> str:
    """Return the normal form of an account's address: lower case, NFC, the domain in A-labels.

    Raises:
        EmailRefused: It is no address of a domain with a dot.
    """
    local, domain = _address_parts(text.strip(), is_public=True)
    if "." not in domain:
        raise EmailRefused("The part after the @ has no dot.")
    return f"{unicodedata.normalize('NFC', local.lower())}@{domain}"


def wire_address(text: str) -> str:
    """Return an address for a mail: its domain in A-labels, which may be a name of a private network.

    Raises:
        EmailRefused
    """
    local, domain = _address_parts(text.strip(), is_public=False)
    return f"{local}@{domain}"


@contextmanager
def refused_as(refusal: type[Invalid], subject: str, **context: Any) -> Iterator[None]:
    """Turn TextRefused into the module's own error, whose detail begins with the subject."""
    try:
        yield
    except TextRefused as refused:
        raise refusal(f"{subject} {refused.reason}.", hint=refused.hint, **context) from None


def _trimmed(text: str, *, most: int) -> str:
    text = text.strip(_OUTER)
    if len(text) > most * _RAW_FACTOR:
        raise TextRefused(f"is too long ({len(text):,} characters)", hint=f"Use at most {most:,} characters.")
    return text


def _bounded(text: str, *, most: int) -> str:
    if len(text) > most:
        raise TextRefused(f"is too long ({len(text):,} characters)", hint=f"Use at most {most:,} characters.")
    return text


def _refuse_empty(text: str, *, most: int) -> str:
    seen = next(iter(text.strip()), None)
    if seen is None:
        raise TextRefused("is empty", hint=f"Use 1 to {most} characters.")
    raise TextRefused(f"has no visible characters, only {name_of(seen)}", hint=f"Use 1 to {most} characters.")


def _tidy(text: str, *, allowed: frozenset[str], is_line: bool) -> str:
    if text.isascii():
        if not text.isprintable():
            _refuse_characters(text, allowed=allowed)
    elif not all(map(is_plain, set(text))):
        text = _tidy_unusual(text, allowed=allowed, is_line=is_line)
    elif not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    return _BLANKS.sub(" ", text).strip() if is_line else text


def _tidy_unusual(text: str, *, allowed: frozenset[str], is_line: bool) -> str:
    _refuse_characters(text, allowed=allowed)
    dropped = DROPPED | DIRECTION_MARKS if is_line else DROPPED
    text = "".join(character for character in text if character not in dropped)
    text = (_BLANKS.sub(" ", text) if is_line else text).strip(_OUTER)
    _refuse_marks(text, most=_NORMALISED_MARKS_MAX)
    # Normalised again, because characters between a letter and its mark may be gone.
    text = unicodedata.normalize("NFC", _without_idle(unicodedata.normalize("NFC", text))).strip(_OUTER)
    if not _shows(text):
        return ""
    _refuse_marks(unicodedata.normalize("NFD", text), most=MARKS_MAX)
    if unicodedata.category(text[0])[0] == "M":
        raise TextRefused(f"begins with {name_of(text[0])}, a mark without a letter", hint="Type the letter first.")
    return text


def _without_idle(text: str) -> str:
    """Leave out joiners, selectors and fillers that change nothing where they are."""
    kept: list[str] = []
    for at, character in enumerate(text):
        if not is_contextual(character) or has_meaning(
            character, before="".join(kept[-32:]), after=text[at + 1 : at + 33]
        ):
            kept.append(character)
    return "".join(kept)


def _refuse_marks(text: str, *, most: int) -> None:
    """Raise TextRefused when one letter has more marks: they cover the lines above and below."""
    run = 0
    for character in text:
        run = run + 1 if is_mark(character) else 0
        if run > most:
            raise TextRefused(
                f"has more than {most} marks such as {name_of(character)} on one letter", hint="Remove the marks."
            )


def _refuse_characters(text: str, *, allowed: frozenset[str]) -> None:
    without_flags = TAG_FLAG.sub("", text)
    for character in without_flags:
        if character not in allowed and is_refused(character):
            raise _refusal_of(character)


def _refusal_of(character: str) -> TextRefused:
    named = f"U+{ord(character):04X}"
    if character in LINE_BREAKS:
        return TextRefused(f"has a line break ({named})", hint="Write it on one line.")
    if character == "\t":
        return TextRefused(f"has a tab ({named})", hint="Use a space instead.")
    return TextRefused(f"contains {name_of(character)}, which isn't allowed", hint="Remove it.")


def _shows(text: str) -> bool:
    return any(map(is_visible, text))


def _address_parts(text: str, *, is_public: bool) -> tuple[str, str]:
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - large tables

    stand_in = _STAND_IN if text.rpartition("@")[2].rpartition(".")[2].lower() in _PRIVATE_NAMES else ""
    try:
        checked = validate_email(
            text + stand_in, check_deliverability=False, test_environment=True, globally_deliverable=is_public
        )
    except EmailNotValidError as error:
        raise EmailRefused(str(error)) from None
    return checked.local_part, checked.ascii_domain.removesuffix(stand_in)
