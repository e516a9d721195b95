"""What a mail's header says is what every reader of it understands, on every Python."""

import base64
import email.policy
import re
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fairground.kernel.text import shown_line
from fairground.platform.mail.message import (
    POLICY,
    Sender,
    SenderError,
    address_field,
    address_in,
    message_id,
    text_field,
)

EXAMPLES: Final = [
    "Booked: Straßenmusik Köln José “Pepe” Müller, Sat 5 Dec 2026, 20:00 (São Paulo, UTC-3)",
    "Literally =?utf-8?q?x?= in a subject",
    "=?utf-8?q?x?=",
    "Plain words that fill more than one line of a header, because a business has a long name, as many have",
    "x" * 200,
    "山田　太郎" * 40,
    'A "quoted" ü “word” \\ and a comma, (a comment) <tag>',
    "👨\u200d👩\u200d👧\u200d👦 " * 20,
    "Hi\r\nBcc: eve@example.org",
    " = ? =_? ",
    "",
]
RFC_2047_LINE: Final = 76


def written(**fields: str) -> bytes:
    message = EmailMessage(policy=POLICY)
    for name, value in fields.items():
        message[name] = value
    message.set_content("x")
    return message.as_bytes()


def head_lines(content: bytes, name: str) -> list[str]:
    """Return the lines of one field."""
    lines = content.decode("ascii").partition("\n\n")[0].split("\n")
    start = next(number for number, line in enumerate(lines) if line.startswith(f"{name}:"))
    end = next((number for number in range(start + 1, len(lines)) if not lines[number].startswith(" ")), len(lines))
    return lines[start:end]


def decoded_by_hand(value: str) -> str:
    """Decode by RFC 2047 §6.2 and RFC 5322 §2.2.3 alone: a third reader, without the library's parser."""
    unfolded = value.replace("\n", "")
    pattern = r"=\?utf-8\?b\?([A-Za-z0-9+/=]*)\?="
    joined = re.sub(rf"({pattern})\s+(?={pattern})", r"\1", unfolded)
    return re.sub(pattern, lambda word: base64.b64decode(word[1]).decode("utf-8"), joined)


def readings(content: bytes) -> list[str]:
    """Return the subject as three readers understand it."""
    modern = message_from_bytes(content, policy=email.policy.default)["Subject"]
    old = message_from_bytes(content, policy=email.policy.compat32)["Subject"]
    raw = "\n".join(head_lines(content, "Subject")).partition(": ")[2]
    return [str(modern), str(make_header(decode_header(old.replace("\n", "")))), decoded_by_hand(raw)]


def check_subject(text: str) -> None:
    content = written(Subject=text_field("Subject", text))
    expected = shown_line(text, most=2_000)
    assert readings(content) == [expected] * 3
    lines = head_lines(content, "Subject")
    assert max(map(len, lines)) <= RFC_2047_LINE
    words = [word for line in lines for word in line.split() if word.startswith("=?")]
    assert all(len(word) <= 75 for word in words)


@pytest.mark.parametrize("text", EXAMPLES)
def test_subject_is_read_as_it_was_written(text: str) -> None:
    check_subject(text)


@given(st.text(max_size=300))
@example("a" * 60 + " " + "b" * 60)
@example("é " * 100)
def test_any_subject_is_read_as_it_was_written(text: str) -> None:
    check_subject(text)


@given(st.text(max_size=150))
@example("Fair, Oslo")
@example("=?utf-8?q?x?=")
@example("Fair (Oslo)")
@example("a" * 100)
def test_any_name_of_a_sender_is_read_as_it_was_written(name: str) -> None:
    expected = shown_line(name, most=200)
    content = written(From=address_field("From", name=name, address="hello@fair.example"))

    (modern,) = message_from_bytes(content, policy=email.policy.default)["From"].addresses
    assert modern.addr_spec == "hello@fair.example"
    if content.count(b"=?utf-8?b?") > 1:
        # Python 3.11's reader keeps the blank between the encoded words of a name, against RFC 2047 §6.2.
        assert modern.display_name.replace(" ", "") == expected.replace(" ", "")
    else:
        assert modern.display_name == expected
    old = message_from_bytes(content, policy=email.policy.compat32)["From"].replace("\n", "")
    phrase, address = parseaddr(old)
    assert (str(make_header(decode_header(phrase))) if phrase else "", address) == (expected, "hello@fair.example")
    assert address_in(address_field("From", name=name, address="hello@fair.example")) == "hello@fair.example"


def test_control_the_library_alone_takes_a_quoted_encoded_word_for_one() -> None:
    message = EmailMessage()
    message["Subject"] = "Literally =?utf-8?q?x?= in a subject"
    message.set_content("x")
    read = message_from_bytes(message.as_bytes(), policy=email.policy.default)["Subject"]
    assert str(read) != "Literally =?utf-8?q?x?= in a subject"


def test_control_a_plain_utf8_line_break_would_begin_a_field() -> None:
    content = written(Subject=text_field("Subject", "Hi\nBcc: eve@example.org"))
    assert message_from_bytes(content, policy=POLICY)["Bcc"] is None
    assert message_from_bytes(content.replace(b"Hi Bcc", b"Hi\nBcc"), policy=POLICY)["Bcc"] == "eve@example.org"


@pytest.mark.parametrize(
    ("written_as", "field"),
    [
        ("Fairground <no-reply@localhost>", "Fairground <no-reply@localhost>"),
        ("Fair, Oslo <hello@fair.example>", '"Fair, Oslo" <hello@fair.example>'),
        ('"Fair, Oslo" <hello@fair.example>', '"Fair, Oslo" <hello@fair.example>'),
        ('The "best" fair <hello@fair.example>', r'"The \"best\" fair" <hello@fair.example>'),
        ("hello@fäir.example", "hello@xn--fir-qla.example"),
        ("<hello@fair.example>", "hello@fair.example"),
        ("Fair  Oslo <Hello@Fair.example>", "Fair Oslo <Hello@fair.example>"),
        ("Mail <mail@box.local>", "Mail <mail@box.local>"),
    ],
)
def test_sender_is_one_address_with_its_name_quoted_where_it_must_be(written_as: str, field: str) -> None:
    assert Sender.read(written_as).field == field


@pytest.mark.parametrize(
    "written_as",
    [
        "",
        "Fairground",
        "a@fair.example, b@fair.example",
        "Fair\r\nBcc: eve@example.org <hello@fair.example>",
        "Fair\u202e <hello@fair.example>",
        "Fair <hello@fair.example\r\nBcc: eve@example.org>",
        "josé@fair.example",
        "hello@fair example",
    ],
)
def test_other_sender_is_refused_with_the_setting_in_one_sentence(written_as: str) -> None:
    with pytest.raises(SenderError, match="FAIRGROUND_MAIL_FROM") as refused:
        Sender.read(written_as)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("host", "right_side"),
    [("fair.example", "fair.example"), ("fäir.example", "xn--fir-qla.example"), ("::1", "[IPv6:::1]")],
)
def test_message_id_is_ascii(host: str, right_side: str) -> None:
    assert message_id("1", host=host) == f"<1@{right_side}>"
