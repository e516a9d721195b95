"""The page of the audit trail: who changed what from what to what, and why."""

from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from fairground.contracts.audit import AuditTrail
from fairground.platform.http.identity import Staff
from fairground.platform.module import Links
from fairground.web.addresses import read_id
from fairground.web.forms import Form
from fairground.web.page_cache import UNSTORED
from fairground.web.page_route import page_router
from fairground.web.site import Site

PAGE_LENGTH: Final = 50
SUBJECT_KINDS: Final = ("provider", "user", "review", "booking", "payment")


def routes(site: Site, links: Links) -> APIRouter:
    router, trail = page_router(site.renderer), links.of(AuditTrail)

    @router.get("/admin/audit")
    async def show_trail(request: Request, caller: Staff) -> Response:
        query = request.query_params
        subject_id, actor_id = read_id(query.get("subject")), read_id(query.get("actor"))
        kind = next((each for each in SUBJECT_KINDS if each == query.get("kind")), SUBJECT_KINDS[0])
        page = await trail.list_records(
            staff_id=caller.user_id,
            subject_kind=None if subject_id is None else kind,
            subject_id=subject_id,
            actor_id=actor_id,
            cursor=query.get("cursor") or None,
            limit=PAGE_LENGTH,
        )
        asked = {"kind": kind, "subject": str(subject_id or ""), "actor": str(actor_id or "")}
        return site.renderer.page(
            request,
            "audit/page.html",
            headers=UNSTORED,
            viewer=caller,
            page=page,
            kinds=SUBJECT_KINDS,
            form=Form(values=asked),
            following=urlencode({**asked, "cursor": page.next_cursor}) if page.next_cursor else None,
        )

    return router
