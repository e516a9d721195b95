"""The mail that is kept in a folder where no mail server is named, for trying things out on one machine."""

import email
import email.policy
from email.message import EmailMessage
from pathlib import Path
from typing import Final, NamedTuple

from fastapi import APIRouter, Request
from starlette.responses import Response

from fairground.kernel.errors import NotFound
from fairground.platform.module import Links
from fairground.web.page_cache import UNSTORED
from fairground.web.page_route import page_router
from fairground.web.rendering import Renderer
from fairground.web.site import Site

_SHOWN: Final = 100


class MailNotFound(NotFound):
    code = "web.mail_not_found"
    hint = "See /mail for all emails."


class KeptMail(NamedTuple):
    name: str
    message: EmailMessage

    @property
    def text(self) -> str:
        body = self.message.get_body(("plain",))
        return str(body.get_content()) if body is not None else ""

    @property
    def attachments(self) -> list[str]:
        return [part.get_filename() or part.get_content_type() for part in self.message.iter_attachments()]


def routes(site: Site, links: Links) -> APIRouter:  # noqa: ARG001 - every area is given both
    router = page_router(site.renderer)
    if site.mail_dir is not None:
        _add_mail(router, site.renderer, site.mail_dir)
    return router


def _add_mail(router: APIRouter, renderer: Renderer, folder: Path) -> None:

    @router.get("/mail")
    def list_mail(request: Request) -> Response:
        mails = [_read(file) for file in sorted(folder.glob("*.eml"), reverse=True)[:_SHOWN]]
        return renderer.page(request, "mail/list.html", headers=UNSTORED, mails=mails)

    @router.get("/mail/{name}")
    def show_mail(request: Request, name: str) -> Response:
        file = next((file for file in folder.glob("*.eml") if file.name == name), None)
        if file is None:
            raise MailNotFound("This email does not exist.")
        return renderer.page(request, "mail/one.html", headers=UNSTORED, mail=_read(file))


def _read(file: Path) -> KeptMail:
    message = email.message_from_bytes(file.read_bytes(), _class=EmailMessage, policy=email.policy.default)
    return KeptMail(file.name, message)
