"""What the links in mails lead to: verifying an address, and setting a new password."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from fairground.contracts.accounts import Accounts
from fairground.kernel.errors import DomainError
from fairground.platform.http.identity import ClientKey, SignedIn, Visitor
from fairground.platform.links import Links
from fairground.web.forms import Answers, Form, read_form
from fairground.web.page_route import page_router
from fairground.web.pages.sign_in import ERROR_FIELDS, Password
from fairground.web.rendering import UNSTORED, Renderer
from fairground.web.site import Site


class Address(Answers):
    email: Annotated[str, Field(max_length=320)]


class Token(Answers):
    token: str


class NewPassword(Token):
    password: Password


@dataclass(frozen=True, kw_only=True, slots=True)
class MailedLinkPages:
    renderer: Renderer
    accounts: Accounts

    def show(self, request: Request, template: str, *, form: Form, status: int = 200, **values: Any) -> Response:
        # The address contains a secret until it is used, so it is neither stored nor sent to other sites.
        headers = {**UNSTORED, "Referrer-Policy": "no-referrer"}
        return self.renderer.page(
            request, f"sign_in/{template}.html", status=status, headers=headers, form=form, **values
        )


def routes(site: Site, links: Links) -> APIRouter:
    pages = MailedLinkPages(renderer=site.renderer, accounts=links.of(Accounts))
    router = page_router(pages.renderer)
    _add_verification(router, pages)
    _add_reset(router, pages)
    return router


def _add_verification(router: APIRouter, pages: MailedLinkPages) -> None:
    @router.get("/verify-email")
    async def ask_verification(request: Request, visitor: Visitor) -> Response:
        # Programs that scan mails follow links; only a person presses the button.
        form = Form(values={"token": request.query_params.get("token", "")})
        return pages.show(request, "verify", form=form, viewer=visitor, state="asked")

    @router.post("/verify-email")
    async def verify(request: Request, visitor: Visitor) -> Response:
        form = await read_form(request)
        try:
            await pages.accounts.verify_email(token=form.parse(Token).token)
        except DomainError as refusal:
            refused = form.refused(refusal)
            return pages.show(request, "verify", form=refused, status=refused.status, viewer=visitor, state="asked")
        return pages.show(request, "verify", form=form, viewer=visitor, state="verified")

    @router.post("/verify-email/send")
    async def send_verification(request: Request, caller: SignedIn) -> Response:
        await pages.accounts.send_verification(user_id=caller.user_id)
        return pages.show(request, "verify", form=Form(), viewer=caller, state="sent")


def _add_reset(router: APIRouter, pages: MailedLinkPages) -> None:
    @router.get("/password-reset")
    async def ask_address(request: Request) -> Response:
        return pages.show(request, "forgot", form=Form(), is_sent=False)

    @router.post("/password-reset")
    async def send_reset(request: Request, client: ClientKey) -> Response:
        form = await read_form(request)
        try:
            await pages.accounts.request_password_reset(email=form.parse(Address).email, client=client)
        except DomainError as refusal:
            refused = form.refused(refusal)
            return pages.show(request, "forgot", form=refused, status=refused.status, is_sent=False)
        return pages.show(request, "forgot", form=form, is_sent=True)

    @router.get("/reset-password")
    async def ask_password(request: Request) -> Response:
        form = Form(values={"token": request.query_params.get("token", "")})
        return pages.show(request, "reset", form=form, is_done=False)

    @router.post("/reset-password")
    async def reset_password(request: Request) -> Response:
        form = await read_form(request)
        try:
            wanted = form.parse(NewPassword)
            await pages.accounts.reset_password(token=wanted.token, password=wanted.password)
        except DomainError as refusal:
            refused = form.refused(refusal, fields=ERROR_FIELDS)
            return pages.show(request, "reset", form=refused, status=refused.status, is_done=False)
        return pages.show(request, "reset", form=form, is_done=True)
