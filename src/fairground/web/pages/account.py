"""Where a user is signed in: browsers and API tokens."""

from dataclasses import dataclass
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from fairground.contracts.accounts import Accounts
from fairground.kernel.errors import DomainError
from fairground.platform.http.identity import Caller, SignedIn
from fairground.platform.module import Links
from fairground.web.forms import Form, FormModel, read_form
from fairground.web.page_cache import UNSTORED
from fairground.web.page_route import page_router, see_other
from fairground.web.rendering import Renderer
from fairground.web.site import Site

PER_PAGE: Final = 20


class TokenName(FormModel):
    name: Annotated[str, Field(max_length=100)]


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountPages:
    renderer: Renderer
    accounts: Accounts

    async def show(
        self, request: Request, caller: Caller, *, form: Form, status: int = 200, secret: str = "", page: int = 1
    ) -> Response:
        """Show the page; `secret` is a new token, which is shown only once."""
        sessions = await self.accounts.list_sessions(user_id=caller.user_id)
        return self.renderer.page(
            request,
            "me/security.html",
            status=status,
            headers=UNSTORED,
            viewer=caller,
            sessions=sessions[(page - 1) * PER_PAGE : page * PER_PAGE],
            page=page,
            pages=-(-len(sessions) // PER_PAGE),
            current_id=caller.session_id,
            nav_path="/me/security",
            secret=secret,
            form=form,
        )


def routes(site: Site, links: Links) -> APIRouter:
    pages = AccountPages(renderer=site.renderer, accounts=links.of(Accounts))
    router = page_router(pages.renderer)

    @router.get("/me/security")
    async def show_account(
        request: Request, caller: SignedIn, page: Annotated[int, Query(ge=1, le=1_000)] = 1
    ) -> Response:
        return await pages.show(request, caller, form=Form(), page=page)

    @router.post("/me/sessions/{session_id}/revoke")
    async def revoke_session(caller: SignedIn, session_id: UUID) -> Response:
        await pages.accounts.revoke_session(user_id=caller.user_id, session_id=session_id)
        return see_other("/me/security")

    @router.post("/me/tokens")
    async def create_token(request: Request, caller: SignedIn) -> Response:
        form = await read_form(request)
        try:
            opened = await pages.accounts.create_token(user_id=caller.user_id, name=form.parse(TokenName).name)
        except DomainError as refusal:
            return await pages.show(request, caller, form=form.refused(refusal), status=422)
        return await pages.show(request, caller, form=Form(), secret=opened.secret)

    return router
