"""Where an S3-compatible store is, read from FAIRGROUND_STORAGE_URL."""

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlsplit

# Names that match need no escaping: neither in a path, nor in a signed text, nor in XML.
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(?:/[A-Za-z0-9][A-Za-z0-9_-]*)*")
_REGION: Final = re.compile(r"[A-Za-z0-9-]+")
_USUAL_REGION: Final = "us-east-1"


class S3URLError(ValueError):
    """The address cannot be used. The message does not repeat it, because it may hold a secret."""


@dataclass(frozen=True, slots=True)
class Credentials:
    key_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class S3Address:
    scheme: str
    host: str
    """With its port, if it is not the usual one."""
    bucket: str
    prefix: str
    """Before every key, with a slash at its end; empty when there is none."""
    region: str

    @classmethod
    def from_url(cls, url: str) -> "S3Address":
        """Read s3://bucket/prefix?endpoint=https://host&region=name; without endpoint it is Amazon's.

        Raises:
            S3URLError: It is something else.
        """
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        region = options.pop("region", _USUAL_REGION)
        endpoint = urlsplit(options.pop("endpoint", "") or f"https://s3.{region}.amazonaws.com")
        prefix = parts.path.strip("/")
        if "@" in parts.netloc or "@" in endpoint.netloc:
            raise S3URLError("it holds a user or a password; those are …_ACCESS_KEY_ID and …_SECRET_ACCESS_KEY")
        if options or parts.fragment:
            raise S3URLError("behind the question mark, only endpoint and region are known")
        if not _BUCKET.fullmatch(parts.netloc):
            raise S3URLError("its bucket is none; names have 3 to 63 small letters, digits, dots and hyphens")
        if prefix and not _PREFIX.fullmatch(prefix):
            raise S3URLError("its prefix has other characters than letters, digits, hyphens, underscores and slashes")
        if not _REGION.fullmatch(region):
            raise S3URLError("its region is none, such as eu-central-1")
        if endpoint.scheme not in {"http", "https"} or not endpoint.hostname or endpoint.path.strip("/"):
            raise S3URLError("its endpoint is not http:// or https:// with a host and no path")
        return cls(
            scheme=endpoint.scheme,
            host=_without_usual_port(endpoint.scheme, endpoint.netloc),
            bucket=parts.netloc,
            prefix=f"{prefix}/" if prefix else "",
            region=region,
        )

    @property
    def bucket_path(self) -> str:
        """The bucket as a path: every such server takes that, while a bucket as part of the host needs names for it."""
        return f"/{self.bucket}"

    def path_of(self, name: str) -> str:
        """Return the path of an object by its whole name."""
        return f"{self.bucket_path}/{name}"

    def url_of(self, path: str) -> str:
        return f"{self.scheme}://{self.host}{path}"


def _without_usual_port(scheme: str, netloc: str) -> str:
    # HTTP clients leave it out of the Host header, which is signed.
    return netloc.lower().removesuffix(":443" if scheme == "https" else ":80")
