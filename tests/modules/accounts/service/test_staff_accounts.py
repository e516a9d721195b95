"""Staff find, suspend and restore accounts; what each role may do is decided by the service."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from fairground.contracts.accounts import (
    AccountRestored,
    AccountStatus,
    AccountStatusConflict,
    AccountSuspended,
    NotPermitted,
    OpenedSession,
    Role,
    SignInSuspended,
    SuspensionInvalid,
    User,
    UserNotFound,
    WrongCredentials,
)
from fairground.kernel.ids import uuid7
from fairground.kernel.inputs import CursorInvalid
from fairground.modules.accounts.service import AccountService
from fairground.modules.accounts.service.attempt_limiter import AttemptLimiter
from fairground.modules.accounts.service.staff_accounts import StaffAccountService
from fairground.modules.accounts.store import own_accounts
from fairground.platform.db.common.audit import AuditSubject, list_actions
from fairground.platform.db.database import Database
from tests.modules.accounts.conftest import SignIn
from tests.modules.accounts.stand_ins import PASSWORD
from tests.support.outbox import RecordingOutbox
from tests.support.statements import explain, statements_of, without_scans

PEOPLE = 2_000


@pytest.fixture
def staff_accounts(db: Database) -> StaffAccountService:
    return StaffAccountService(db=db)


@pytest.fixture
async def people(service: AccountService) -> dict[Role, User]:
    names = {Role.CUSTOMER: "Nora", Role.PROVIDER: "Maya", Role.STAFF: "Sam", Role.ADMIN: "Ann"}
    users = [(f"{name.lower()}@example.org", f"{name} Berg", role) for role, name in names.items()]
    created = await service.create_users_in_bulk(users=users, password=PASSWORD)
    return {user.role: user for user in created}


async def found(staff_accounts: StaffAccountService, words: str = "", **filters: Any) -> list[str]:
    page = await staff_accounts.search_users(staff_id=None, words=words, limit=50, **filters)
    return [account.email for account in page.data]


async def test_accounts_are_found_by_beginnings_of_address_and_name(
    service: AccountService, staff_accounts: StaffAccountService
) -> None:
    users = [("ada.l@example.org", "Ada Løvelace", Role.CUSTOMER), ("bob@example.net", "Bob Adams", Role.PROVIDER)]
    ada, bob = [user.email for user in await service.create_users_in_bulk(users=users, password=PASSWORD)]
    for words, expected in {
        "": [bob, ada],
        "ada": [bob, ada],
        "ADA LOV": [ada],
        "løve": [ada],
        "ada.l": [ada],
        "ada.l@exa": [ada],
        "bob@": [bob],
        "adams bo": [bob],
        "lace": [],
        "\x00@": [],
        "%": [],
    }.items():
        assert await found(staff_accounts, words) == expected, words
    assert await found(staff_accounts, "ada", role=Role.PROVIDER) == [bob]
    assert await found(staff_accounts, status=AccountStatus.SUSPENDED) == []


async def test_changed_name_is_found_and_the_earlier_one_is_not(
    staff_accounts: StaffAccountService, db: Database, ada: User
) -> None:
    async with db.write() as tx:
        await own_accounts.change_user(tx, ada.id, {"name": "Grace"})
        await own_accounts.replace_words(tx, ada.model_copy(update={"name": "Grace"}))
    assert (await found(staff_accounts, "grace"), await found(staff_accounts, "ada k")) == ([ada.email], [])


async def test_pages_follow_each_other_without_a_gap(
    service: AccountService, staff_accounts: StaffAccountService
) -> None:
    users = [(f"u{n}@example.org", "Ada", Role.CUSTOMER) for n in range(5)]
    await service.create_users_in_bulk(users=users, password=PASSWORD)
    seen, cursor = [], None
    while True:
        page = await staff_accounts.search_users(staff_id=None, words="ada", cursor=cursor, limit=2)
        seen += [account.email for account in page.data]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == [f"u{n}@example.org" for n in (4, 3, 2, 1, 0)]
    with pytest.raises(CursorInvalid):
        await staff_accounts.search_users(staff_id=None, cursor="x", limit=2)


@pytest.mark.parametrize(
    "search",
    [
        {"words": "user77"},
        {"words": "u berg"},
        {"words": "u", "role": Role.PROVIDER},
        {"status": AccountStatus.SUSPENDED},
        {"role": Role.ADMIN},
        {"role": Role.PROVIDER, "status": AccountStatus.SUSPENDED},
        {},
    ],
)
async def test_search_reads_an_index(
    db: Database, service: AccountService, staff_accounts: StaffAccountService, search: dict[str, Any]
) -> None:
    users = [(f"user{n}@example.org", f"Name{n} Berg", Role.CUSTOMER) for n in range(PEOPLE)]
    await service.create_users_in_bulk(users=users, password=PASSWORD)
    with statements_of(db) as statements:
        await staff_accounts.search_users(staff_id=None, limit=20, **search)
    plans = [explain(db, each, preparing=without_scans(db)) for each in statements if "accounts_user" in each[0]]
    for plan in plans:
        assert "Seq Scan" not in plan, plan
        # SQLite says SCAN also of an index that it reads in its order, and of the table of found ids.
        scans = [line for line in plan.splitlines() if "SCAN accounts_user" in line and "INDEX" not in line]
        assert scans == [], plan


async def test_suspension_ends_all_access_and_is_undone(
    staff_accounts: StaffAccountService,
    service: AccountService,
    sign_in: SignIn,
    outbox: RecordingOutbox,
    people: dict[Role, User],
) -> None:
    nora, sam = people[Role.CUSTOMER], people[Role.STAFF]
    browser, token = await sign_in(nora.email), await service.create_token(user_id=nora.id, name="Calendar")
    outbox.events.clear()
    suspended = await staff_accounts.suspend_user(staff_id=sam.id, user_id=nora.id, reason=" Spam.  ")
    assert (suspended.status, suspended.suspension_reason) == (AccountStatus.SUSPENDED, "Spam.")
    for secret in (browser.secret, token.secret):
        assert await service.find_session(secret=secret) is None
    with pytest.raises(SignInSuspended) as refused:
        await sign_in(nora.email)
    assert "Spam" not in refused.value.detail + refused.value.hint
    with pytest.raises(WrongCredentials):
        await sign_in(nora.email, "not the password")
    with pytest.raises(SignInSuspended):
        await service.create_token(user_id=nora.id, name="Calendar")
    with pytest.raises(AccountStatusConflict):
        await staff_accounts.suspend_user(staff_id=sam.id, user_id=nora.id, reason="Again.")

    restored = await staff_accounts.restore_user(staff_id=sam.id, user_id=nora.id)
    assert (restored.status, restored.suspended_at, restored.suspension_reason) == (AccountStatus.ACTIVE, None, None)
    assert outbox.events == [AccountSuspended(user_id=nora.id, version=1), AccountRestored(user_id=nora.id, version=2)]
    await sign_in(nora.email)
    with pytest.raises(AccountStatusConflict):
        await staff_accounts.restore_user(staff_id=sam.id, user_id=nora.id)


async def test_audit_trail_names_who_changed_the_status_of_which_account(
    staff_accounts: StaffAccountService, people: dict[Role, User], db: Database
) -> None:
    nora, ann = people[Role.CUSTOMER], people[Role.ADMIN]
    await staff_accounts.suspend_user(staff_id=ann.id, user_id=nora.id, reason="Nora sent spam.")
    await staff_accounts.restore_user(staff_id=None, user_id=nora.id)
    async with db.read() as tx:
        restored, suspended = (await list_actions(tx, subject=AuditSubject("user", nora.id), limit=9)).data
    assert (suspended.action, restored.action) == ("accounts.suspend", "accounts.restore")
    assert (suspended.actor_id, restored.actor_id) == (ann.id, None)
    assert restored.actor.startswith("command, ")
    assert (suspended.changes, suspended.reason) == ({"status": ["active", "suspended"]}, "Nora sent spam.")
    assert (restored.changes, restored.reason) == ({"status": ["suspended", "active"]}, None)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 1_001])
async def test_suspension_needs_a_reason(
    staff_accounts: StaffAccountService, people: dict[Role, User], reason: str
) -> None:
    with pytest.raises(SuspensionInvalid):
        await staff_accounts.suspend_user(staff_id=None, user_id=people[Role.CUSTOMER].id, reason=reason)


async def test_account_shows_sessions_and_the_last_sign_in(
    staff_accounts: StaffAccountService, sign_in: SignIn, people: dict[Role, User]
) -> None:
    nora = people[Role.CUSTOMER]
    before = await staff_accounts.get_account(staff_id=None, user_id=nora.id)
    opened = await sign_in(nora.email)
    after = await staff_accounts.get_account(staff_id=None, user_id=nora.id)
    assert (before.last_signed_in_at, before.sessions) == (None, [])
    assert after.last_signed_in_at is not None
    assert after.sessions == [opened.session]
    assert await staff_accounts.end_sessions(staff_id=None, user_id=nora.id) == 1
    assert (await staff_accounts.get_account(staff_id=None, user_id=nora.id)).sessions == []


Act = Callable[[StaffAccountService, UUID | None, UUID], Awaitable[Any]]
ACTS: dict[str, Act] = {
    "get": lambda staff, by, of: staff.get_account(staff_id=by, user_id=of),
    "suspend": lambda staff, by, of: staff.suspend_user(staff_id=by, user_id=of, reason="Spam."),
    "end sessions": lambda staff, by, of: staff.end_sessions(staff_id=by, user_id=of),
    "role": lambda staff, by, of: staff.set_role(staff_id=by, user_id=of, role=Role.PROVIDER),
}
ALLOWED = {
    (Role.STAFF, Role.CUSTOMER): {"get", "suspend", "end sessions"},
    (Role.STAFF, Role.PROVIDER): {"get", "suspend", "end sessions"},
    (Role.STAFF, Role.ADMIN): {"get"},
    (Role.STAFF, Role.STAFF): {"get"},
    (Role.ADMIN, Role.CUSTOMER): set(ACTS),
    (Role.ADMIN, Role.PROVIDER): set(ACTS),
    (Role.ADMIN, Role.STAFF): set(ACTS),
    (Role.ADMIN, Role.ADMIN): {"get"},
}
"""By the role that acts and that of the account; of two equal roles it is one's own account."""


@pytest.mark.parametrize("act", list(ACTS))
@pytest.mark.parametrize("by", list(Role))
@pytest.mark.parametrize("of", list(Role))
async def test_service_decides_what_each_role_may_do(
    staff_accounts: StaffAccountService, people: dict[Role, User], act: str, by: Role, of: Role
) -> None:
    attempt = ACTS[act](staff_accounts, people[by].id, people[of].id)
    if act in ALLOWED.get((by, of), set()):
        await attempt
    else:
        with pytest.raises(NotPermitted):
            await attempt


async def test_staff_acts_on_no_other_staff(
    staff_accounts: StaffAccountService, service: AccountService, people: dict[Role, User]
) -> None:
    other = await service.create_user(email="o@example.org", password=PASSWORD, name="O", role=Role.STAFF)
    with pytest.raises(NotPermitted):
        await staff_accounts.suspend_user(staff_id=people[Role.STAFF].id, user_id=other.id, reason="Spam.")
    await staff_accounts.suspend_user(staff_id=people[Role.ADMIN].id, user_id=other.id, reason="Left.")
    with pytest.raises(NotPermitted):
        await staff_accounts.get_account(staff_id=other.id, user_id=people[Role.CUSTOMER].id)


async def test_customer_cannot_search(staff_accounts: StaffAccountService, people: dict[Role, User]) -> None:
    for role in (Role.CUSTOMER, Role.PROVIDER):
        with pytest.raises(NotPermitted):
            await staff_accounts.search_users(staff_id=people[role].id, limit=9)


async def test_new_role_ends_the_sessions_of_the_old_one(
    staff_accounts: StaffAccountService, service: AccountService, sign_in: SignIn, people: dict[Role, User]
) -> None:
    nora, opened = people[Role.CUSTOMER], await sign_in(people[Role.CUSTOMER].email)
    assert (await staff_accounts.set_role(staff_id=None, user_id=nora.id, role=Role.STAFF)).role is Role.STAFF
    assert await service.find_session(secret=opened.secret) is None
    with pytest.raises(UserNotFound):
        await staff_accounts.set_role(staff_id=None, user_id=uuid7(), role=Role.STAFF)


async def test_staff_who_are_suspended_are_not_listed_as_staff(
    staff_accounts: StaffAccountService, service: AccountService, people: dict[Role, User]
) -> None:
    await staff_accounts.suspend_user(staff_id=None, user_id=people[Role.STAFF].id, reason="Left.")
    assert [user.id for user in await service.list_staff(limit=9)] == [people[Role.ADMIN].id]


def pause_after_verifying(attempts: AttemptLimiter) -> tuple[asyncio.Event, asyncio.Event]:
    """Stop the next sign-in between the verified password and the transaction that opens the session."""
    verified, may_go_on = asyncio.Event(), asyncio.Event()

    async def pause(**_: str) -> None:
        verified.set()
        await may_go_on.wait()

    attempts.uncount_password = pause  # type: ignore[method-assign]
    return verified, may_go_on


async def sign_in_around_a_suspension(
    attempts: AttemptLimiter, staff_accounts: StaffAccountService, sign_in: SignIn, user: User
) -> BaseException | None:
    """Return why the sign-in was refused."""
    signing_in: asyncio.Future[OpenedSession] = asyncio.ensure_future(sign_in(user.email))
    verified, may_go_on = pause_after_verifying(attempts)
    await verified.wait()
    await staff_accounts.suspend_user(staff_id=None, user_id=user.id, reason="Spam.")
    may_go_on.set()
    await asyncio.wait([signing_in])
    return signing_in.exception()


async def test_sign_in_that_overlaps_a_suspension_leaves_no_session(
    attempts: AttemptLimiter, staff_accounts: StaffAccountService, service: AccountService, sign_in: SignIn, ada: User
) -> None:
    refusal = await sign_in_around_a_suspension(attempts, staff_accounts, sign_in, ada)
    assert isinstance(refusal, SignInSuspended)
    assert await service.list_sessions(user_id=ada.id) == []


@pytest.fixture
def without_check_of_the_status(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fairground.modules.accounts.service.sign_in.refuse_suspended", lambda _user: None)


@pytest.mark.usefixtures("without_check_of_the_status")
async def test_control_without_the_check_under_the_lock_a_suspended_user_keeps_a_session(
    attempts: AttemptLimiter,
    staff_accounts: StaffAccountService,
    service: AccountService,
    sign_in: SignIn,
    ada: User,
) -> None:
    assert await sign_in_around_a_suspension(attempts, staff_accounts, sign_in, ada) is None
    assert len(await service.list_sessions(user_id=ada.id)) == 1
