"""Claims of imported providers: by users, and decided by staff."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from fairground.contracts.providers import REASON_MAX_LENGTH
from fairground.contracts.providers.claims import Claim, Claims, ClaimToDecide
from fairground.kernel.inputs import Input, text_field
from fairground.platform.http.identity import SignedIn, Staff
from fairground.platform.http.routing import api_router

CLAIMS_MAX: int = 100  # of one answer


class ClaimIn(Input):
    reason: Annotated[
        str,
        Field(min_length=1),
        text_field(most=REASON_MAX_LENGTH, description="Who you are, and where staff can see it."),
    ]


class RefusalIn(Input):
    reason: Annotated[str, Field(min_length=1), text_field(most=REASON_MAX_LENGTH, description="The user reads it.")]


class ClaimListOut(BaseModel):
    data: list[ClaimToDecide]


def claim_routes(claims: Claims) -> APIRouter:
    router = api_router(tags=["claims"])

    @router.post("/service-provider-profiles/{provider_id}/claims", status_code=HTTPStatus.CREATED)
    async def request_claim(caller: SignedIn, provider_id: UUID, body: ClaimIn) -> Claim:
        """Claim an imported provider that has no owner (`is_claimed` is false). Staff review each claim."""
        return await claims.request_claim(user_id=caller.user_id, provider_id=provider_id, reason=body.reason)

    @router.get("/provider-claims")
    async def list_claims(
        _caller: Staff, limit: Annotated[int, Query(ge=1, le=CLAIMS_MAX)] = CLAIMS_MAX
    ) -> ClaimListOut:
        """List claims awaiting review, oldest first."""
        return ClaimListOut(data=await claims.list_waiting_claims(limit=limit))

    @router.post("/provider-claims/{claim_id}/grant")
    async def grant_claim(caller: Staff, claim_id: UUID) -> Claim:
        """Approve a claim: the claimant becomes the owner. Other claims for the provider are declined."""
        return await claims.grant_claim(staff_id=caller.user_id, claim_id=claim_id)

    @router.post("/provider-claims/{claim_id}/refuse")
    async def refuse_claim(caller: Staff, claim_id: UUID, body: RefusalIn) -> Claim:
        """Decline a claim, with a reason that is emailed to the claimant. They can claim again."""
        return await claims.refuse_claim(staff_id=caller.user_id, claim_id=claim_id, reason=body.reason)

    return router
