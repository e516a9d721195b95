"""Claiming an imported provider: by a form that staff decides about, or by the link of an invitation."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from fairground.contracts.accounts import Accounts, Role
from fairground.contracts.providers import ProviderDetail, Providers
from fairground.contracts.providers.claims import Claims, Invitation, InvitationUnusable
from fairground.kernel.errors import DomainError
from fairground.platform.http.identity import Caller, ClientKey, SignedIn, Staff, Visitor
from fairground.platform.module import Links
from fairground.web.forms import Form, FormModel, read_form
from fairground.web.page_cache import UNSTORED
from fairground.web.page_route import page_router, see_other
from fairground.web.pages.sign_in import ERROR_FIELDS, Credentials, Password, SignInPages, Token
from fairground.web.rendering import Renderer
from fairground.web.site import Site

DASHBOARD: Final = "/pro"
APPROVALS: Final = "/admin/approvals"


class Reason(FormModel):
    reason: str


class NewOwner(FormModel):
    name: str
    password: Password


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimPages:
    renderer: Renderer
    accounts: Accounts
    providers: Providers
    claims: Claims
    sign_in: SignInPages

    async def show_request(
        self, request: Request, caller: Caller, provider: ProviderDetail, *, form: Form, status: int = 200
    ) -> Response:
        return self.renderer.page(
            request,
            "claims/request.html",
            status=status,
            headers=UNSTORED,
            viewer=caller,
            provider=provider,
            claim=await self.claims.find_own_claim(user_id=caller.user_id, provider_id=provider.id),
            own=await self.providers.find_provider_owned_by(owner_id=caller.user_id),
            form=form,
        )

    def show_invitation(
        self,
        request: Request,
        visitor: Caller | None,
        *,
        invitation: Invitation | None,
        form: Form,
        status: int = 200,
    ) -> Response:
        # The address contains a secret until it is used, so it is neither stored nor sent to other sites.
        return self.renderer.page(
            request,
            "claims/invitation.html",
            status=status,
            headers={**UNSTORED, "Referrer-Policy": "no-referrer"},
            viewer=visitor,
            invitation=invitation,
            form=form,
        )

    async def find_invitation(self, token: str) -> Invitation | None:
        try:
            return await self.claims.get_invitation(token=token)
        except InvitationUnusable:
            return None

    async def show_decision(
        self, request: Request, caller: Caller, *, claim_id: UUID, form: Form, status: int = 200
    ) -> Response:
        claim = await self.claims.get_claim(claim_id=claim_id)
        provider = await self.providers.get_provider_for_review(provider_id=claim.provider_id)
        return self.renderer.page(
            request,
            "approvals/claim.html",
            status=status,
            headers=UNSTORED,
            viewer=caller,
            claim=claim,
            provider=provider,
            form=form,
        )

    async def accept_as_new(self, request: Request, *, invitation: Invitation, form: Form, client: str) -> Response:
        """Open an account for the address of the invitation, make it the owner, and sign it in."""
        self.sign_in.cookie.refuse_where_unsafe()
        new = form.parse(NewOwner)
        # The link was mailed to this address, so there is nothing left to confirm; without a link nothing is counted.
        user = await self.accounts.create_user(
            email=invitation.email, password=new.password, name=new.name, role=Role.PROVIDER
        )
        await self.claims.accept_invitation(user_id=user.id, token=form.values["token"])
        credentials = Credentials(email=invitation.email, password=new.password)
        return await self.sign_in.sign_in(request, credentials=credentials, client=client, next_path=DASHBOARD)


def routes(site: Site, links: Links) -> APIRouter:
    accounts = links.of(Accounts)
    pages = ClaimPages(
        renderer=site.renderer,
        accounts=accounts,
        providers=links.of(Providers),
        claims=links.of(Claims),
        sign_in=SignInPages(renderer=site.renderer, accounts=accounts, cookie=site.cookie),
    )
    router = page_router(site.renderer)
    _add_request(router, pages)
    _add_invitation(router, pages)
    _add_decision(router, pages)
    return router


def _add_request(router: APIRouter, pages: ClaimPages) -> None:
    @router.get("/p/{id_or_slug}/claim")
    async def show_claim(request: Request, caller: SignedIn, id_or_slug: str) -> Response:
        provider = await pages.providers.get_provider(id_or_slug=id_or_slug)
        return await pages.show_request(request, caller, provider, form=Form())

    @router.post("/p/{id_or_slug}/claim")
    async def request_claim(request: Request, caller: SignedIn, id_or_slug: str) -> Response:
        provider = await pages.providers.get_provider(id_or_slug=id_or_slug)
        form = await read_form(request)
        try:
            reason = form.parse(Reason).reason
            await pages.claims.request_claim(user_id=caller.user_id, provider_id=provider.id, reason=reason)
        except DomainError as refusal:
            refused = form.refused(refusal)
            return await pages.show_request(request, caller, provider, form=refused, status=refused.status)
        return see_other(f"/p/{provider.slug}/claim")


def _add_invitation(router: APIRouter, pages: ClaimPages) -> None:
    @router.get("/claim")
    async def show_invitation(request: Request, visitor: Visitor) -> Response:
        # Programs that scan mails follow links; only a person presses the button.
        form = Form(values={"token": request.query_params.get("token", "")})
        invitation = await pages.find_invitation(form.values["token"])
        return pages.show_invitation(request, visitor, invitation=invitation, form=form)

    @router.post("/claim")
    async def accept_invitation(request: Request, visitor: Visitor, client: ClientKey) -> Response:
        form = await read_form(request)
        try:
            token = form.parse(Token).token
            if visitor is None:
                invitation = await pages.claims.get_invitation(token=token)
                return await pages.accept_as_new(request, invitation=invitation, form=form, client=client)
            await pages.claims.accept_invitation(user_id=visitor.user_id, token=token)
        except DomainError as refusal:
            refused = form.refused(refusal, fields=ERROR_FIELDS if visitor is None else None)
            found = await pages.find_invitation(form.values.get("token", ""))
            return pages.show_invitation(request, visitor, invitation=found, form=refused, status=refused.status)
        return see_other(DASHBOARD)


def _add_decision(router: APIRouter, pages: ClaimPages) -> None:
    @router.get("/admin/claims/{claim_id}")
    async def show_claim_to_decide(request: Request, caller: Staff, claim_id: UUID) -> Response:
        return await pages.show_decision(request, caller, claim_id=claim_id, form=Form())

    @router.post("/admin/claims/{claim_id}/grant")
    async def grant_claim(request: Request, caller: Staff, claim_id: UUID) -> Response:
        try:
            await pages.claims.grant_claim(staff_id=caller.user_id, claim_id=claim_id)
        except DomainError as refusal:
            form = Form().refused(refusal)
            return await pages.show_decision(request, caller, claim_id=claim_id, form=form, status=form.status)
        return see_other(APPROVALS)

    @router.post("/admin/claims/{claim_id}/refuse")
    async def refuse_claim(request: Request, caller: Staff, claim_id: UUID) -> Response:
        form = await read_form(request)
        try:
            reason = form.parse(Reason).reason
            await pages.claims.refuse_claim(staff_id=caller.user_id, claim_id=claim_id, reason=reason)
        except DomainError as refusal:
            refused = form.refused(refusal)
            return await pages.show_decision(request, caller, claim_id=claim_id, form=refused, status=refused.status)
        return see_other(APPROVALS)
