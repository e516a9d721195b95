"""Sign-in, registration and sign-out; and the links in emails, which verify an address or set a new password."""

from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from pydantic import Field, StringConstraints
from starlette.responses import Response

from fairground.contracts.accounts import Accounts, OwnAccounts, Role, SessionKind
from fairground.kernel.errors import DomainError
from fairground.platform.http.identity import Caller, ClientKey, SignedIn, Visitor
from fairground.platform.http.security import SessionCookie
from fairground.platform.module import Links
from fairground.web.addresses import local_path
from fairground.web.forms import Form, FormModel, FormRefused, read_form
from fairground.web.page_cache import PRIVATE, UNSTORED
from fairground.web.page_route import page_router, see_other
from fairground.web.rendering import Renderer
from fairground.web.site import Site

# Only shows our script that there is a session: it carries no right and no name.
HINT_COOKIE: Final = "signed_in"
HOME: Final = {"customer": "/me/bookings", "provider": "/pro", "staff": "/admin", "admin": "/admin"}
NEXT_MAX_LENGTH: Final = 500
ERROR_FIELDS: Final = {
    "accounts.email_taken": "email",
    "accounts.email_unfit": "email",
    "accounts.name_unfit": "name",
    "accounts.password_unfit": "password",
}

# A blank at the end of a password belongs to it.
Password = Annotated[str, StringConstraints(strip_whitespace=False, max_length=1000)]


class Credentials(FormModel):
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

    async def sign_in(self, request: Request, *, credentials: Credentials, client: str, next_path: str) -> Response:
        """Open a session, and redirect to the page that led here."""
        opened = await self.accounts.sign_in(
            email=credentials.email,
            password=credentials.password,
            kind=SessionKind.BROWSER,
            name=request.headers.get("user-agent", ""),
            client=client,
            replaces=self.cookie.read(request),
        )
        response = see_other(local_path(next_path, otherwise=HOME[opened.user.role.value]))
        self.cookie.set(response, secret=opened.secret)
        response.set_cookie(
            HINT_COOKIE, "1", path="/", samesite="lax", max_age=90 * 24 * 60 * 60, secure=self.cookie.is_on_https
        )
        return response


class EmailAddress(FormModel):
    email: Annotated[str, Field(max_length=320)]


class Token(FormModel):
    token: str


class NewPassword(Token):
    password: Password


@dataclass(frozen=True, kw_only=True, slots=True)
class EmailLinkPages:
    renderer: Renderer
    accounts: Accounts

    def show(self, request: Request, template: str, *, form: Form, status: int = 200, **values: Any) -> Response:
        # The address contains a secret until it is used, so it is neither stored nor sent to other sites.
        headers = {**UNSTORED, "Referrer-Policy": "no-referrer"}
        return self.renderer.page(
            request, f"sign_in/{template}.html", status=status, headers=headers, form=form, **values
        )


def routes(site: Site, links: Links) -> APIRouter:
    accounts = links.of(Accounts)
    router = page_router(site.renderer)
    sign_in = SignInPages(renderer=site.renderer, accounts=accounts, cookie=site.cookie)
    _add_sign_in(router, sign_in)
    _add_registration(router, sign_in)
    emailed = EmailLinkPages(renderer=site.renderer, accounts=accounts)
    _add_verification(router, emailed)
    _add_reset(router, emailed)
    _add_email_change(router, emailed, links.of(OwnAccounts))
    return router


def _add_sign_in(router: APIRouter, pages: SignInPages) -> None:
    @router.get("/login")
    async def show_sign_in(request: Request, visitor: Visitor) -> Response:
        next_path = request.query_params.get("next", "")
        if visitor is not None:
            return see_other(local_path(next_path, otherwise=HOME[visitor.role]))
        return pages.show(request, "login", form=Form(values={"next": next_path}))

    @router.post("/login")
    async def sign_in(request: Request, client: ClientKey) -> Response:
        form = await read_form(request)
        try:
            pages.cookie.refuse_where_unsafe()
            credentials = form.parse(Credentials)
            next_path = form.values.get("next", "")
            return await pages.sign_in(request, credentials=credentials, client=client, next_path=next_path)
        except DomainError as refusal:
            refused = form.refused(refusal)
            return pages.show(request, "login", form=refused, status=refused.status)

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


def _add_registration(router: APIRouter, pages: SignInPages) -> None:
    @router.get("/signup")
    async def show_registration(request: Request, visitor: Visitor) -> Response:
        if visitor is not None:
            return see_other(_place_of(request, visitor))
        values = {"role": "customer", **request.query_params}
        return pages.show(request, "signup", form=Form(values=values))

    @router.post("/signup")
    async def register(request: Request, visitor: Visitor, client: ClientKey) -> Response:
        if visitor is not None:
            return see_other(HOME[visitor.role])
        form = await read_form(request)
        refused = _find_unfit(pages.accounts, form)
        if refused is not None:
            return pages.show(request, "signup", form=refused, status=refused.status)
        try:
            pages.cookie.refuse_where_unsafe()
            registration, next_path = form.parse(Registration), form.values.get("next", "")
            await pages.accounts.register(
                email=registration.email,
                password=registration.password,
                name=registration.name,
                role=Role(registration.role),
                client=client,
                next_path=_carried(next_path),
            )
            return await pages.sign_in(request, credentials=registration, client=client, next_path=next_path)
        except DomainError as refusal:
            refused = form.refused(refusal, fields=ERROR_FIELDS)
            return pages.show(request, "signup", form=refused, status=refused.status)


def _find_unfit(accounts: Accounts, form: Form) -> Form | None:
    """Return the form with every wrong field named, or None when no field is wrong by itself."""
    errors: dict[str, str | DomainError] = {}
    try:
        form.parse(Registration)
    except FormRefused as refusal:
        errors |= refusal.errors
    given = {name: value for name in ("email", "password", "name") if (value := form.values.get(name, "")).strip()}
    for unfit in accounts.check_registration(
        email=given.get("email"), password=given.get("password"), name=given.get("name")
    ):
        errors.setdefault(ERROR_FIELDS[unfit.code], unfit)
    return replace(form, errors=errors) if errors else None


def _carried(next_path: str) -> str:
    """Return a path as a mailed link carries it; none that leads elsewhere or is too long for a line."""
    path = local_path(next_path, otherwise="")
    return path if len(path) <= NEXT_MAX_LENGTH else ""


def _place_of(request: Request, visitor: Caller) -> str:
    """Return where the sign-up page leads a reader who has an account: where they were going, or to their own pages."""
    wants_to_offer = request.query_params.get("role") == "provider" and not visitor.is_staff
    return local_path(request.query_params.get("next"), otherwise="/pro" if wants_to_offer else HOME[visitor.role])


def _add_verification(router: APIRouter, pages: EmailLinkPages) -> None:
    @router.get("/verify-email")
    async def show_verification(request: Request, visitor: Visitor) -> Response:
        # Programs that scan mails follow links; only a person presses the button.
        query = request.query_params
        form = Form(values={"token": query.get("token", ""), "next": query.get("next", "")})
        return pages.show(request, "verify", form=form, viewer=visitor, state="asked")

    @router.post("/verify-email")
    async def verify(request: Request, visitor: Visitor) -> Response:
        form = await read_form(request)
        try:
            await pages.accounts.verify_email(token=form.parse(Token).token)
        except DomainError as refusal:
            refused = form.refused(refusal)
            return pages.show(request, "verify", form=refused, status=refused.status, viewer=visitor, state="asked")
        continue_to = _continue_to(form.values.get("next", ""), visitor)
        return pages.show(request, "verify", form=form, viewer=visitor, state="verified", continue_to=continue_to)

    @router.post("/verify-email/send")
    async def send_verification(request: Request, caller: SignedIn) -> Response:
        next_path = _carried((await read_form(request)).values.get("next", ""))
        await pages.accounts.send_verification(user_id=caller.user_id, next_path=next_path)
        return pages.show(request, "verify", form=Form(), viewer=caller, state="sent")


def _continue_to(next_path: str, visitor: Caller | None) -> str:
    """Return where the reader was going; by way of the sign-in page where they are not signed in."""
    if visitor is not None:
        return local_path(next_path, otherwise=HOME[visitor.role])
    path = local_path(next_path, otherwise="")
    return f"/login?{urlencode({'next': path})}" if path else "/login"


def _add_reset(router: APIRouter, pages: EmailLinkPages) -> None:
    @router.get("/password-reset")
    async def show_reset_request(request: Request) -> Response:
        return pages.show(request, "forgot", form=Form(), is_sent=False)

    @router.post("/password-reset")
    async def send_reset(request: Request, client: ClientKey) -> Response:
        form = await read_form(request)
        try:
            await pages.accounts.request_password_reset(email=form.parse(EmailAddress).email, client=client)
        except DomainError as refusal:
            refused = form.refused(refusal)
            return pages.show(request, "forgot", form=refused, status=refused.status, is_sent=False)
        return pages.show(request, "forgot", form=form, is_sent=True)

    @router.get("/reset-password")
    async def show_new_password(request: Request) -> Response:
        form = Form(values={"token": request.query_params.get("token", "")})
        return pages.show(request, "reset", form=form, is_done=False)

    @router.post("/reset-password")
    async def reset_password(request: Request) -> Response:
        form = await read_form(request)
        try:
            new = form.parse(NewPassword)
            await pages.accounts.reset_password(token=new.token, password=new.password)
        except DomainError as refusal:
            refused = form.refused(refusal, fields=ERROR_FIELDS)
            return pages.show(request, "reset", form=refused, status=refused.status, is_done=False)
        return pages.show(request, "reset", form=form, is_done=True)


def _add_email_change(router: APIRouter, pages: EmailLinkPages, own: OwnAccounts) -> None:
    @router.get("/change-email")
    async def show_email_change(request: Request, visitor: Visitor) -> Response:
        form = Form(values={"token": request.query_params.get("token", "")})
        return pages.show(request, "change_email", form=form, viewer=visitor, changed=None)

    @router.post("/change-email")
    async def confirm_email_change(request: Request, visitor: Visitor) -> Response:
        form = await read_form(request)
        try:
            changed = await own.confirm_email_change(token=form.parse(Token).token)
        except DomainError as refusal:
            refused = form.refused(refusal)
            return pages.show(
                request, "change_email", form=refused, status=refused.status, viewer=visitor, changed=None
            )
        return pages.show(request, "change_email", form=form, viewer=visitor, changed=changed)
