"""Signing in, opening an account, and signing out."""

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Request
from pydantic import Field, StringConstraints
from starlette.responses import Response

from fairground.contracts.accounts import Accounts, Role, SessionKind
from fairground.kernel.errors import DomainError
from fairground.platform.http.identity import ClientKey, Visitor
from fairground.platform.http.security import SessionCookie
from fairground.platform.links import Links
from fairground.web.forms import Answers, Form, read_form
from fairground.web.page_route import local_path, page_router, see_other
from fairground.web.rendering import PRIVATE, UNSTORED, Renderer
from fairground.web.site import Site

# Tells only our script that there is a session: it carries no right and no name.
HINT_COOKIE: Final = "signed_in"
HOME: Final = {"customer": "/me/bookings", "provider": "/pro", "admin": "/admin/approvals"}
ERROR_FIELDS: Final = {
    "accounts.email_taken": "email",
    "accounts.email_unfit": "email",
    "accounts.name_unfit": "name",
    "accounts.password_unfit": "password",
}

# A blank at the end of a password belongs to it.
Password = Annotated[str, StringConstraints(strip_whitespace=False, max_length=1000)]


class Credentials(Answers):
    email: Annotated[str, Field(max_length=320)]
    password: Password


class Registration(Credentials):
    name: str
    role: Literal["customer", "provider"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SignInPages:
    renderer: Renderer
    accounts: Accounts
    cookie: SessionCookie

    def show(self, request: Request, template: str, *, form: Form, status: int = 200) -> Response:
        return self.renderer.page(request, f"sign_in/{template}.html", status=status, headers=PRIVATE, form=form)

    async def sign_in(self, request: Request, *, credentials: Credentials, client: str, wanted: str) -> Response:
        """Open a session and lead to where the reader wanted to go."""
        opened = await self.accounts.sign_in(
            email=credentials.email,
            password=credentials.password,
            kind=SessionKind.BROWSER,
            name=request.headers.get("user-agent", ""),
            client=client,
            replaces=self.cookie.read(request),
        )
        response = see_other(local_path(wanted, otherwise=HOME[opened.user.role.value]))
        self.cookie.set(response, secret=opened.secret)
        response.set_cookie(
            HINT_COOKIE, "1", path="/", samesite="lax", max_age=90 * 24 * 60 * 60, secure=self.cookie.is_on_https
        )
        return response


def routes(site: Site, links: Links) -> APIRouter:
    pages = SignInPages(renderer=site.renderer, accounts=links.of(Accounts), cookie=site.cookie)
    router = page_router(pages.renderer)

    @router.get("/login")
    async def ask_credentials(request: Request, visitor: Visitor) -> Response:
        wanted = request.query_params.get("next", "")
        if visitor is not None:
            return see_other(local_path(wanted, otherwise=HOME[visitor.role]))
        return pages.show(request, "login", form=Form(values={"next": wanted}))

    @router.post("/login")
    async def sign_in(request: Request, client: ClientKey) -> Response:
        form = await read_form(request)
        try:
            pages.cookie.refuse_where_unsafe()
            credentials = form.parse(Credentials)
            wanted = form.values.get("next", "")
            return await pages.sign_in(request, credentials=credentials, client=client, wanted=wanted)
        except DomainError as refusal:
            refused = form.refused(refusal)
            return pages.show(request, "login", form=refused, status=refused.status)

    @router.get("/signup")
    async def ask_registration(request: Request) -> Response:
        values = {"role": "customer", **request.query_params}
        return pages.show(request, "signup", form=Form(values=values))

    @router.post("/signup")
    async def register(request: Request, client: ClientKey) -> Response:
        form = await read_form(request)
        try:
            pages.cookie.refuse_where_unsafe()
            wanted = form.parse(Registration)
            await pages.accounts.register(
                email=wanted.email,
                password=wanted.password,
                name=wanted.name,
                role=Role(wanted.role),
                client=client,
            )
            return await pages.sign_in(request, credentials=wanted, client=client, wanted=form.values.get("next", ""))
        except DomainError as refusal:
            refused = form.refused(refusal, fields=ERROR_FIELDS)
            return pages.show(request, "signup", form=refused, status=refused.status)

    @router.post("/logout")
    async def sign_out(visitor: Visitor) -> Response:
        if visitor is not None:
            await pages.accounts.revoke_session(user_id=visitor.user_id, session_id=visitor.session_id)
        response = see_other("/")
        pages.cookie.clear(response)
        response.delete_cookie(HINT_COOKIE, path="/")
        return response

    @router.get("/_f/account")
    async def show_account(visitor: Visitor) -> Response:
        return pages.renderer.part("sign_in/_account.html", headers=UNSTORED, viewer=visitor)

    return router
