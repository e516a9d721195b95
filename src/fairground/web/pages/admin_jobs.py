"""Background jobs, e-mails and rate limits for staff: what runs, failed and was refused, and doing it again."""

from dataclasses import dataclass
from gettext import gettext as _
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from fairground.contracts.notifications import StaffMails
from fairground.contracts.operations import Operations
from fairground.kernel.errors import DomainError
from fairground.kernel.messages import Queue
from fairground.platform.http.identity import Caller, Staff
from fairground.platform.module import Links
from fairground.web.addresses import read_id
from fairground.web.admin_pages import PAGE_LENGTH, AdminPages, Question, admin_pages, next_address
from fairground.web.forms import Form, FormModel, read_form
from fairground.web.page_route import page_router, see_other
from fairground.web.site import Site

JOBS: Final = "/admin/jobs"
MAIL: Final = "/admin/mail"
_FAILED_SHOWN: Final = 20


class Kind(FormModel):
    kind: str


@dataclass(frozen=True, kw_only=True, slots=True)
class JobPages:
    frame: AdminPages
    operations: Operations
    mails: StaffMails

    async def show_jobs(self, request: Request, caller: Caller, *, form: Form) -> Response:
        kind = request.query_params.get("kind") or None
        letters = await self.operations.list_dead_letters(
            kind=kind, cursor=request.query_params.get("cursor"), limit=PAGE_LENGTH
        )
        return await self.frame.page(
            request,
            caller,
            "admin/jobs.html",
            status=form.status if form.is_refused else 200,
            jobs=await self.operations.read_jobs(),
            letters=letters,
            kind=kind,
            next=next_address(request, letters.next_cursor),
            form=form,
            nav_path=JOBS,
        )

    async def show_mails(self, request: Request, caller: Caller, *, form: Form) -> Response:
        query = request.query_params
        page = await self.mails.list_mails(
            user_id=read_id(query.get("user")), cursor=query.get("cursor"), limit=PAGE_LENGTH
        )
        failed = await self.operations.list_dead_letters(queue=Queue.MAIL, limit=_FAILED_SHOWN)
        return await self.frame.page(
            request,
            caller,
            "admin/mail.html",
            status=form.status if form.is_refused else 200,
            page=page,
            failed=failed.data,
            next=next_address(request, page.next_cursor),
            is_sent="sent" in query,
            form=form,
            nav_path=MAIL,
        )


def routes(site: Site, links: Links) -> APIRouter:
    pages = JobPages(frame=admin_pages(site, links), operations=links.of(Operations), mails=links.of(StaffMails))
    router = page_router(site.renderer)
    _add_jobs(router, pages)
    _add_kinds(router, pages)
    _add_mails(router, pages)
    _add_limits(router, pages)
    return router


def _add_jobs(router: APIRouter, pages: JobPages) -> None:
    @router.get(JOBS)
    async def show_jobs(request: Request, caller: Staff) -> Response:
        return await pages.show_jobs(request, caller, form=Form())

    @router.post(JOBS + "/{job_id}/requeue")
    async def requeue_job(request: Request, caller: Staff, job_id: UUID) -> Response:
        try:
            await pages.operations.requeue_job(staff_id=caller.user_id, job_id=job_id)
        except DomainError as refusal:
            return await pages.show_jobs(request, caller, form=Form().refused(refusal))
        return see_other(JOBS)


def _add_kinds(router: APIRouter, pages: JobPages) -> None:
    @router.get(JOBS + "/requeue")
    async def ask_to_requeue(request: Request, caller: Staff) -> Response:
        kind = request.query_params.get("kind", "")
        jobs = await pages.operations.read_jobs()
        if kind not in jobs.dead_by_kind:
            return see_other(JOBS)
        question = Question(
            title=_("Requeue all dead letters of this kind?"),
            about=kind,
            effects=[_("Each job starts over with all its attempts. Correct the cause of the error first.")],
            action=f"{JOBS}/requeue",
            button=_("Requeue all"),
            back=JOBS,
            hidden={"kind": kind},
        )
        return await pages.frame.ask(request, caller, question, form=Form(), nav=JOBS)

    @router.post(JOBS + "/requeue")
    async def requeue_kind(request: Request, caller: Staff) -> Response:
        form = await read_form(request)
        try:
            await pages.operations.requeue_kind(staff_id=caller.user_id, kind=form.parse(Kind).kind)
        except DomainError as refusal:
            return await pages.show_jobs(request, caller, form=form.refused(refusal))
        return see_other(JOBS)


def _add_mails(router: APIRouter, pages: JobPages) -> None:
    @router.get(MAIL)
    async def show_mails(request: Request, caller: Staff) -> Response:
        return await pages.show_mails(request, caller, form=Form())

    @router.post(MAIL + "/{mail_id}/resend")
    async def resend_mail(request: Request, caller: Staff, mail_id: UUID) -> Response:
        try:
            await pages.mails.resend_mail(staff_id=caller.user_id, mail_id=mail_id)
        except DomainError as refusal:
            return await pages.show_mails(request, caller, form=Form().refused(refusal))
        return see_other(f"{MAIL}?sent=1")

    @router.post(MAIL + "/jobs/{job_id}/requeue")
    async def requeue_mail(request: Request, caller: Staff, job_id: UUID) -> Response:
        try:
            await pages.operations.requeue_job(staff_id=caller.user_id, job_id=job_id)
        except DomainError as refusal:
            return await pages.show_mails(request, caller, form=Form().refused(refusal))
        return see_other(f"{MAIL}?sent=1")


def _add_limits(router: APIRouter, pages: JobPages) -> None:
    @router.get("/admin/limits")
    async def show_limits(request: Request, caller: Staff) -> Response:
        limits = await pages.operations.read_limits()
        return await pages.frame.page(request, caller, "admin/limits.html", limits=limits)
