"""Accounts for staff: search, one with its facts, and what staff do with it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from gettext import gettext as _
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from fairground.contracts.accounts import (
    AccountStatus,
    Role,
    StaffAccountDetail,
    StaffAccounts,
)
from fairground.contracts.audit import AuditTrail
from fairground.contracts.booking.staff import StaffBookings
from fairground.contracts.notifications import StaffMails
from fairground.contracts.staff_payments import StaffPayments
from fairground.kernel.errors import DomainError
from fairground.platform.http.identity import Caller, Staff
from fairground.platform.module import Links
from fairground.web.admin_pages import PAGE_LENGTH, AdminPages, Question, admin_pages, next_address, searched
from fairground.web.forms import Form, FormModel, read_form
from fairground.web.page_route import page_router, see_other
from fairground.web.site import Site

PATH: Final = "/admin/accounts"
ROLE_WORDS: Final = {
    Role.CUSTOMER: _("Customer"),
    Role.PROVIDER: _("Provider"),
    Role.STAFF: _("Staff"),
    Role.ADMIN: _("Admin"),
}
STATUS_WORDS: Final = {
    AccountStatus.ACTIVE: _("Active"),
    AccountStatus.SUSPENDED: _("Suspended"),
    AccountStatus.CLOSED: _("Closed"),
}
_SHOWN: Final = 10  # bookings, payments and e-mails on the page of an account
_ACTIONS_SHOWN: Final = 50


class Suspension(FormModel):
    reason: str


class RoleChoice(FormModel):
    choice: Role


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountPages:
    frame: AdminPages
    accounts: StaffAccounts
    bookings: StaffBookings
    payments: StaffPayments
    mails: StaffMails
    trail: AuditTrail

    async def show(self, request: Request, caller: Caller, user_id: UUID) -> Response:
        account = await self.accounts.get_account(staff_id=caller.user_id, user_id=user_id)
        bookings = await self.bookings.search_bookings(staff_id=caller.user_id, user_id=user_id, limit=_SHOWN)
        is_own = user_id == caller.user_id
        may_act = not is_own and (caller.role == Role.ADMIN or not account.role.is_staff)
        return await self.frame.page(
            request,
            caller,
            "admin/account.html",
            account=account,
            role_words=ROLE_WORDS,
            bookings=bookings,
            mails=(await self.mails.list_mails(user_id=user_id, limit=_SHOWN)).data,
            entries=(
                await self.trail.list_records(
                    staff_id=caller.user_id, subject_kind="user", subject_id=user_id, limit=_ACTIONS_SHOWN
                )
            ).data,
            payments=await self.payments.list_payments_of(payer_id=user_id, limit=_SHOWN),
            may_act=may_act,
            may_give_roles=caller.role == Role.ADMIN and not is_own and account.status is not AccountStatus.CLOSED,
        )


def routes(site: Site, links: Links) -> APIRouter:
    pages = AccountPages(
        frame=admin_pages(site, links),
        accounts=links.of(StaffAccounts),
        bookings=links.of(StaffBookings),
        payments=links.of(StaffPayments),
        mails=links.of(StaffMails),
        trail=links.of(AuditTrail),
    )
    router = page_router(site.renderer)
    _add_search(router, pages)
    _add_action(router, pages, "suspend", _ask_to_suspend, _suspend)
    _add_action(router, pages, "restore", _ask_to_restore, _restore)
    _add_action(router, pages, "end-sessions", _ask_to_end_sessions, _end_sessions)
    _add_action(router, pages, "role", _ask_for_role, _give_role)
    return router


def _add_search(router: APIRouter, pages: AccountPages) -> None:
    @router.get(PATH)
    async def search_accounts(request: Request, caller: Staff) -> Response:
        query = request.query_params
        role, status = query.get("role", ""), query.get("status", "")
        page = await pages.accounts.search_users(
            staff_id=caller.user_id,
            words=query.get("words", ""),
            role=Role(role) if role in set(Role) else None,
            status=AccountStatus(status) if status in set(AccountStatus) else None,
            cursor=query.get("cursor"),
            limit=PAGE_LENGTH,
        )
        return await pages.frame.page(
            request,
            caller,
            "admin/accounts.html",
            page=page,
            next=next_address(request, page.next_cursor),
            form=searched(request),
            role_words=ROLE_WORDS,
            roles=[("", _("Any")), *((each.value, words) for each, words in ROLE_WORDS.items())],
            statuses=[("", _("Any")), *((each.value, words) for each, words in STATUS_WORDS.items())],
        )

    @router.get(PATH + "/{user_id}")
    async def show_account(request: Request, caller: Staff, user_id: UUID) -> Response:
        return await pages.show(request, caller, user_id)


_Ask = Callable[[StaffAccountDetail], Question]
_Act = Callable[[StaffAccounts, UUID, UUID, Form], Awaitable[object]]


def _add_action(router: APIRouter, pages: AccountPages, name: str, question_of: _Ask, act: _Act) -> None:
    """Add the page that asks before an action, and the form that it sends."""

    async def ask(request: Request, caller: Caller, user_id: UUID, *, form: Form) -> Response:
        account = await pages.accounts.get_account(staff_id=caller.user_id, user_id=user_id)
        shown = form if form.values else replace(form, values={"choice": account.role.value})
        return await pages.frame.ask(request, caller, question_of(account), form=shown, nav=PATH)

    @router.get(f"{PATH}/{{user_id}}/{name}")
    async def ask_before(request: Request, caller: Staff, user_id: UUID) -> Response:
        return await ask(request, caller, user_id, form=Form())

    @router.post(f"{PATH}/{{user_id}}/{name}")
    async def carry_out(request: Request, caller: Staff, user_id: UUID) -> Response:
        form = await read_form(request)
        try:
            await act(pages.accounts, caller.user_id, user_id, form)
        except DomainError as refusal:
            return await ask(request, caller, user_id, form=form.refused(refusal))
        return see_other(f"{PATH}/{user_id}")


def _question(account: StaffAccountDetail, name: str, *, title: str, button: str, effects: list[str]) -> Question:
    address = f"{PATH}/{account.id}"
    about = f"{account.name}, {account.email}"
    return Question(title=title, about=about, effects=effects, action=f"{address}/{name}", button=button, back=address)


def _ask_to_suspend(account: StaffAccountDetail) -> Question:
    effects = [
        _("All sessions and API tokens end, and the account cannot sign in until it is restored."),
        _("If it is a provider's, the page is hidden. Bookings stay as they are."),
    ]
    question = _question(account, "suspend", title=_("Suspend this account?"), button=_("Suspend"), effects=effects)
    return replace(question, has_reason=True)


def _ask_to_restore(account: StaffAccountDetail) -> Question:
    effects = [_("The account can sign in again, and its provider's page is shown again.")]
    return _question(account, "restore", title=_("Restore this account?"), button=_("Restore"), effects=effects)


def _ask_to_end_sessions(account: StaffAccountDetail) -> Question:
    effects = [_("The account is signed out in every browser, and its API tokens end.")]
    return _question(
        account, "end-sessions", title=_("End all sessions?"), button=_("End all sessions"), effects=effects
    )


def _ask_for_role(account: StaffAccountDetail) -> Question:
    effects = [_("A new role ends all sessions and API tokens of the account.")]
    explained = {
        Role.CUSTOMER: _("Books providers."),
        Role.PROVIDER: _("Also offers services."),
        Role.STAFF: _("May use these pages."),
        Role.ADMIN: _("May also give roles, and act on accounts of staff."),
    }
    question = _question(account, "role", title=_("Give another role?"), button=_("Give the role"), effects=effects)
    return replace(question, choices=[(role.value, words, explained[role]) for role, words in ROLE_WORDS.items()])


async def _suspend(accounts: StaffAccounts, staff_id: UUID, user_id: UUID, form: Form) -> object:
    return await accounts.suspend_user(staff_id=staff_id, user_id=user_id, reason=form.parse(Suspension).reason)


async def _restore(accounts: StaffAccounts, staff_id: UUID, user_id: UUID, _form: Form) -> object:
    return await accounts.restore_user(staff_id=staff_id, user_id=user_id)


async def _end_sessions(accounts: StaffAccounts, staff_id: UUID, user_id: UUID, _form: Form) -> object:
    return await accounts.end_sessions(staff_id=staff_id, user_id=user_id)


async def _give_role(accounts: StaffAccounts, staff_id: UUID, user_id: UUID, form: Form) -> object:
    return await accounts.set_role(staff_id=staff_id, user_id=user_id, role=form.parse(RoleChoice).choice)
