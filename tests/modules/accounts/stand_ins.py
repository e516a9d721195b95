"""What the tests of accounts use in place of a slow hash and a mailbox."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import argon2

PASSWORD: Final = "correct horse battery"


class CountingAlgorithm(argon2.PasswordHasher):
    """argon2 at its cheapest, which counts how often it was made to work."""

    def __init__(self, **parameters: Any) -> None:
        super().__init__(**({"time_cost": 1, "memory_cost": 8, "parallelism": 1} | parameters))
        self.computations = 0

    def hash(self, *arguments: Any, **options: Any) -> str:
        self.computations += 1
        return super().hash(*arguments, **options)

    def verify(self, *arguments: Any, **options: Any) -> Any:
        self.computations += 1
        return super().verify(*arguments, **options)


class MailFolder:
    """Reads what a FolderMailer wrote."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def messages(self) -> list[EmailMessage]:
        files = sorted(self.path.glob("*.eml"))
        return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]

    def last_link(self) -> tuple[str, str]:
        """Return the path and the token of the link in the newest mail."""
        body = self.messages()[-1].get_body(("plain",))
        assert body is not None
        (link,) = (line for line in body.get_content().splitlines() if line.startswith("http"))
        return urlsplit(link).path, parse_qs(urlsplit(link).query)["token"][0]
