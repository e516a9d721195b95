"""A site that has accounts and nothing else."""

from pathlib import Path
from typing import Any

import httpx

from fairground.contracts.accounts import Accounts
from fairground.modules.accounts.module import build
from fairground.platform.db.database import Database
from fairground.platform.http.app import create_app
from fairground.platform.http.identity import Authenticator
from fairground.platform.mail.mailer import FolderMailer
from fairground.platform.module import Links
from tests.modules.accounts.stand_ins import MailFolder
from tests.support.runtime import make_runtime


class Site:
    """The application at one public address."""

    def __init__(self, db: Database, *, public_url: str, folder: Path) -> None:
        links = Links()
        mailer = FolderMailer(folder, sender="no-reply@fair.example")
        self.module = build(make_runtime(db, folder, public_url=public_url, mailer=mailer), links)
        self.mail = MailFolder(folder)
        self.accounts: Accounts = links.of(Accounts)
        self.app = create_app(
            db=db,
            authenticator=links.of(Authenticator),
            api=self.module.routers,
            pages=[],
            public_url=public_url,
        )
        self._public_url = public_url

    def browser(self, **options: Any) -> httpx.AsyncClient:
        """Return a client that keeps cookies, and sends from our own pages."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url=self._public_url,
            headers={"Sec-Fetch-Site": "same-origin"},
            **options,
        )
