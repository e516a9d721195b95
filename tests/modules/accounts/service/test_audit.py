"""Staff read the audit trail with the names of those who acted; others do not."""

from typing import Any

import pytest

from fairground.contracts.accounts import NotPermitted, Role
from fairground.contracts.audit import AuditSubjectInvalid
from fairground.modules.accounts.service import AccountService
from fairground.modules.accounts.service.audit import AuditTrailService
from fairground.modules.accounts.service.staff_accounts import StaffAccountService
from fairground.platform.db.database import Database

PASSWORD = "seven quiet lanterns"


async def test_staff_and_admins_read_the_trail_with_names(service: AccountService, db: Database) -> None:
    people = {
        role: await service.create_user(email=f"{role}@example.org", password=PASSWORD, name=f"A {role}", role=role)
        for role in Role
    }
    staff, customer, trail = people[Role.STAFF], people[Role.CUSTOMER], AuditTrailService(db=db)
    await StaffAccountService(db=db).suspend_user(staff_id=staff.id, user_id=customer.id, reason="Spam.")
    await StaffAccountService(db=db).restore_user(staff_id=None, user_id=customer.id)
    for role in (Role.STAFF, Role.ADMIN):
        restored, suspended = (await trail.list_records(staff_id=people[role].id, limit=9)).data
        assert (suspended.actor_name, suspended.reason) == ("A staff", "Spam.")
        assert suspended.changes == {"status": ["active", "suspended"]}
        assert (restored.actor_id, restored.actor_name) == (None, None)
    of_customer: dict[str, Any] = {"subject_kind": "user", "subject_id": customer.id}
    assert len((await trail.list_records(staff_id=staff.id, **of_customer, limit=9)).data) == 2
    assert len((await trail.list_records(staff_id=staff.id, actor_id=staff.id, limit=9)).data) == 1
    with pytest.raises(AuditSubjectInvalid):
        await trail.list_records(staff_id=staff.id, subject_id=customer.id, limit=9)
    for role in (Role.CUSTOMER, Role.PROVIDER):
        with pytest.raises(NotPermitted):
            await trail.list_records(staff_id=people[role].id, limit=9)
