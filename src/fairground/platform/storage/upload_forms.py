"""Upload forms and their policies: a policy names the one file that a form admits, in the format that S3 reads."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from fairground.kernel.errors import Conflict, Invalid
from fairground.platform.storage.keys import Retention, content_type_of, retention_of

_RANGE: Final = "content-length-range"


class UploadRefused(Invalid):
    """The request is not what the form admits."""

    code = "storage.upload_refused"
    hint = "Ask for a new form, and send its fields as they are, with the file after them as `file`."


class UploadTooLarge(Invalid):
    """`context["max_bytes"]` holds what is allowed."""

    code = "storage.upload_too_large"
    hint = "Send a smaller file."


class UploadTaken(Conflict):
    """Each form brings one file."""

    code = "storage.upload_taken"
    hint = "Ask for a new form."


class UploadMissing(Conflict):
    code = "storage.upload_missing"
    hint = "Send the file first."


@dataclass(frozen=True, slots=True)
class UploadForm:
    """A form that its holder may send once, before it expires: its fields, and after them the file as `file`."""

    url: str
    """Where it is posted to, as multipart/form-data. It begins with a slash when it is at this server."""
    fields: Mapping[str, str]
    key: str
    max_bytes: int
    expires_at: datetime


def upload_fields(key: str) -> dict[str, str]:
    """Return the fields that every upload form has.

    Raises:
        ValueError: The key is not in quarantine, so the sender of the form would be trusted.
    """
    if retention_of(key) is not Retention.UPLOAD:
        raise ValueError(f"{key} is not in quarantine, where uploads go.")
    return {"key": key, "Content-Type": content_type_of(key)}


def write_policy(fields: Mapping[str, str], *, max_bytes: int, expires_at: datetime) -> str:
    """Return a policy in base64 that admits these fields as they are and a file of 1 to `max_bytes` bytes."""
    conditions = [*({name: value} for name, value in fields.items()), [_RANGE, 1, max_bytes]]
    document = {"expiration": f"{expires_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", "conditions": conditions}
    return base64.b64encode(json.dumps(document, separators=(",", ":")).encode()).decode()


def evaluate_policy(policy: str, fields: Mapping[str, str], *, now: datetime) -> int:
    """Return how many bytes the file of a form with these fields may have, by a policy of ours.

    Args:
        policy: From `write_policy`; the caller has checked its signature.
        fields: All fields of the form but policy and signature.

    Raises:
        UploadRefused: It has expired, or was written for another form.
    """
    try:
        document = json.loads(base64.b64decode(policy, validate=True))
        expires_at = datetime.fromisoformat(document["expiration"])
        [[_, _, max_bytes]] = [each for each in document["conditions"] if isinstance(each, list)]
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise UploadRefused("The policy cannot be read.") from error
    if now >= expires_at:
        raise UploadRefused("The form has expired.")
    admitted = {key: value for each in document["conditions"] if isinstance(each, dict) for key, value in each.items()}
    if fields != admitted:
        wrong = sorted(name for name in admitted.keys() | fields.keys() if admitted.get(name) != fields.get(name))
        raise UploadRefused(f"The form allows no other value of {', '.join(wrong)[:200]}.")
    return int(max_bytes)


def too_large(max_bytes: int) -> UploadTooLarge:
    return UploadTooLarge(f"The file is larger than {max_bytes} bytes.", max_bytes=max_bytes)
