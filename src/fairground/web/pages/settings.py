"""The settings of an account: name, telephone, e-mail address and password, and its closing."""

from dataclasses import dataclass, replace
from gettext import gettext as _
from typing import Annotated, Final

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from fairground.contracts.accounts import AccountInUse, Accounts, OwnAccounts, WrongCredentials
from fairground.kernel.errors import DomainError
from fairground.platform.http.identity import Caller, SignedIn
from fairground.platform.http.security import SessionCookie
from fairground.platform.module import Links
from fairground.web.forms import Form, FormModel, read_form
from fairground.web.page_cache import UNSTORED
from fairground.web.page_route import page_router, see_other
from fairground.web.pages.sign_in import HINT_COOKIE, Password
from fairground.web.rendering import Renderer
from fairground.web.site import Site

PATH: Final = "/me/settings"
ERROR_FIELDS: Final = {
    "accounts.password_unfit": "new",
    "accounts.email_unfit": "email",
    "accounts.email_taken": "email",
    "accounts.email_unchanged": "email",
}


class Details(FormModel):
    name: str
    phone: str | None = None


class NewEmail(FormModel):
    email: Annotated[str, Field(max_length=320)]
    email_password: Password


class PasswordChange(FormModel):
    current: Password
    new: Password


class Closing(FormModel):
    password: Password


@dataclass(frozen=True, kw_only=True, slots=True)
class SettingsPages:
    renderer: Renderer
    accounts: Accounts
    own: OwnAccounts
    cookie: SessionCookie

    async def show(self, request: Request, caller: Caller, *, form: Form, page: str = "settings") -> Response:
        account = await self.own.get_own_account(user_id=caller.user_id)
        values = {"name": account.name, "phone": account.phone or "", **form.values}
        return self.renderer.page(
            request,
            f"me/{page}.html",
            status=form.status if form.is_refused else 200,
            headers=UNSTORED,
            viewer=caller,
            account=account,
            saved=request.query_params.get("saved", ""),
            nav_path=PATH,
            form=replace(form, values=values),
        )

    async def refuse(
        self,
        request: Request,
        caller: Caller,
        refusal: DomainError,
        *,
        form: Form,
        field: str,
        page: str = "settings",
    ) -> Response:
        """Show the form with the reason; `field` is that of the current password."""
        if isinstance(refusal, WrongCredentials):
            refused = replace(form, errors={field: _("Incorrect password.")})
        else:
            refused = form.refused(refusal, fields=ERROR_FIELDS)
        return await self.show(request, caller, form=refused, page=page)


def routes(site: Site, links: Links) -> APIRouter:
    pages = SettingsPages(
        renderer=site.renderer, accounts=links.of(Accounts), own=links.of(OwnAccounts), cookie=site.cookie
    )
    router = page_router(pages.renderer)
    _add_details(router, pages)
    _add_email(router, pages)
    _add_password(router, pages)
    _add_closing(router, pages)
    return router


def _add_details(router: APIRouter, pages: SettingsPages) -> None:
    @router.get(PATH)
    async def show_settings(request: Request, caller: SignedIn) -> Response:
        return await pages.show(request, caller, form=Form())

    @router.post(PATH)
    async def change_details(request: Request, caller: SignedIn) -> Response:
        form = await read_form(request)
        try:
            await pages.own.change_details(user_id=caller.user_id, changes=form.parse(Details).model_dump())
        except DomainError as refusal:
            return await pages.show(request, caller, form=form.refused(refusal))
        return see_other(f"{PATH}?saved=details")


def _add_email(router: APIRouter, pages: SettingsPages) -> None:
    @router.post("/me/email")
    async def request_email_change(request: Request, caller: SignedIn) -> Response:
        form = await read_form(request)
        try:
            new = form.parse(NewEmail)
            await pages.own.request_email_change(
                user_id=caller.user_id, session_id=caller.session_id, email=new.email, password=new.email_password
            )
        except DomainError as refusal:
            return await pages.refuse(request, caller, refusal, form=form, field="email_password")
        return see_other(f"{PATH}?saved=email")

    @router.post("/me/email/cancel")
    async def cancel_email_change(caller: SignedIn) -> Response:
        await pages.own.cancel_email_change(user_id=caller.user_id)
        return see_other(f"{PATH}?saved=cancelled")


def _add_password(router: APIRouter, pages: SettingsPages) -> None:
    @router.post("/me/password")
    async def change_password(request: Request, caller: SignedIn) -> Response:
        form = await read_form(request)
        try:
            change = form.parse(PasswordChange)
            opened = await pages.accounts.change_password(
                user_id=caller.user_id, session_id=caller.session_id, current=change.current, new=change.new
            )
        except DomainError as refusal:
            return await pages.refuse(request, caller, refusal, form=form, field="current")
        response = see_other(f"{PATH}?saved=password")
        pages.cookie.set(response, secret=opened.secret)
        return response


def _add_closing(router: APIRouter, pages: SettingsPages) -> None:
    @router.get("/me/close")
    async def show_closing(request: Request, caller: SignedIn) -> Response:
        return await pages.show(request, caller, form=Form(), page="close")

    @router.post("/me/close")
    async def close_account(request: Request, caller: SignedIn) -> Response:
        form = await read_form(request)
        try:
            password = form.parse(Closing).password
            await pages.own.close_account(user_id=caller.user_id, session_id=caller.session_id, password=password)
        except AccountInUse as refusal:
            return await pages.show(request, caller, form=replace(form, values={}, refusal=refusal), page="close")
        except DomainError as refusal:
            return await pages.refuse(request, caller, refusal, form=form, field="password", page="close")
        response = see_other("/account-closed")
        pages.cookie.clear(response)
        response.delete_cookie(HINT_COOKIE, path="/")
        return response

    @router.get("/account-closed")
    async def show_closed(request: Request) -> Response:
        return pages.renderer.page(request, "sign_in/closed.html")
