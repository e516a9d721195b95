"""What staff do on their pages, without script: find accounts and bookings, suspend, cancel and refund."""

from uuid import UUID

import pytest
from sqlalchemy import insert

from fairground.contracts.accounts import Role
from fairground.contracts.booking import BookingStatus
from fairground.kernel.ids import uuid7
from fairground.modules.notifications.emails import SendEmail
from fairground.platform.jobs.tables import JobRow
from tests.support.addresses import HOME_FIELDS
from tests.support.browsing import Reader
from tests.support.marketplace import Market, public_provider
from tests.support.waiting import until

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])


async def _book(market: Market) -> Reader:
    """Let Nora book and pay for an instant service, and return her on the page of the booking."""
    _, page = await public_provider(market, mode="instant")
    nora = await market.user("nora@example.org", role=Role.CUSTOMER, name="Nora Lind")
    await (await nora.open(page)).follow(":")
    await nora.send("Continue to payment", **HOME_FIELDS, party_size="40")
    await nora.send("Book and pay", payment_method="pm_card_visa")
    return nora


async def test_staff_cancels_for_the_customer_with_a_full_refund(market: Market) -> None:
    nora = await _book(market)
    staff = await market.sign_in("ada@example.org")
    await staff.open("/admin/bookings?words=nora+lind")
    await staff.follow("(Oslo)")
    assert "Evening set" in staff.text
    await staff.follow("Cancel …")
    assert (await staff.send("Cancel the booking", choice="provider:policy:9750")).status == 422
    assert "This field is required." in staff.text
    await staff.send("Cancel the booking", choice="provider:policy:9750", reason="The singer is ill.")
    assert (staff.status, "Cancelled" in staff.text, "The singer is ill." in staff.text) == (200, True, True)
    assert "for the provider" in staff.text
    await nora.open("/me/bookings")
    assert "Cancelled" in nora.text
    assert "The singer is ill." not in (await nora.follow("Maya & the Tides")).text


async def test_staff_refunds_a_part_and_never_more_than_is_left(market: Market) -> None:
    await _book(market)
    staff = await market.sign_in("ada@example.org")
    await staff.open(f"/admin/bookings?status={BookingStatus.CONFIRMED}")
    await staff.follow("(Oslo)")
    await staff.follow("Refund …")
    assert "At most €97.50" in staff.text
    await staff.send("Refund", amount="97.51", reason="The sound system failed.")
    assert staff.status == 422
    await staff.send("Refund", amount="nothing", reason="The sound system failed.")
    assert staff.status == 422
    await staff.send("Refund", amount="20", reason="The sound system failed.")
    assert (staff.status, "€20.00" in staff.text, "Confirmed" in staff.text) == (200, True, True)
    await staff.follow("Operations")
    assert "refund" in staff.text
    assert "succeeded" in staff.text


async def test_staff_suspends_and_restores_an_account(market: Market) -> None:
    await market.user("nora@example.org", role=Role.CUSTOMER, name="Nora Lind")
    staff = await market.user("ada@example.org", role=Role.STAFF, name="Ada Staff")
    await staff.open("/admin/accounts?words=nora")
    await staff.follow("Nora Lind")
    assert "Give a role …" not in staff.text
    await staff.follow("Suspend …")
    assert (await staff.send("Suspend")).status == 422
    await staff.send("Suspend", reason="Spam in messages.")
    assert ("Suspended" in staff.text, "Spam in messages." in staff.text) == (True, True)
    await staff.follow("Restore …")
    await staff.send("Restore")
    assert "Suspended" not in staff.text


async def test_only_an_admin_gives_roles(market: Market) -> None:
    await market.user("nora@example.org", role=Role.CUSTOMER, name="Nora Lind")
    admin = await market.user("ada@example.org", role=Role.ADMIN, name="Ada Admin")
    await admin.open("/admin/accounts?words=nora")
    await admin.follow("Nora Lind")
    await admin.follow("Give a role …")
    await admin.send("Give the role", choice="staff")
    assert (admin.status, "Staff" in admin.text) == (200, True)
    await admin.open("/admin/accounts?words=ada")
    await admin.follow("Ada Admin")
    assert "Give a role …" not in admin.text
    assert "Suspend …" not in admin.text


async def test_staff_requeues_dead_letters_one_by_one_and_by_kind(market: Market) -> None:
    staff = await market.user("ada@example.org", role=Role.STAFF, name="Ada Staff")
    jobs = [await _dead_letter(market) for _ in range(3)]
    await staff.open("/admin")
    assert "Failed emails3" in staff.text
    await staff.open("/admin/jobs")
    assert "The server is away." in staff.text
    await staff.post(f"/admin/jobs/{jobs[0]}/requeue")
    assert (staff.status, staff.path) == (200, "/admin/jobs")
    assert (await staff.post(f"/admin/jobs/{jobs[0]}/requeue")).status == 422
    await staff.follow("Requeue all …")
    await staff.send("Requeue all")
    assert "No job has failed for good." in staff.text


async def _dead_letter(market: Market) -> UUID:
    """Store an e-mail that was tried in vain until its attempts were used up; there is nothing to mail behind it."""
    job_id = uuid7()
    async with market.program.db.write() as tx:
        row = {
            "id": job_id,
            "kind": f"notifications:{SendEmail.topic}",
            "queue": "mail",
            "priority": 100,
            "payload": {"notification_id": str(uuid7())},
            "state": "dead",
            "run_at": tx.now(),
            "attempt": 40,
            "max_attempts": 40,
            "crashes": 0,
            "fence": 1,
            "error": "The server is away.",
            "created_at": tx.now(),
            "finished_at": tx.now(),
        }
        await tx.execute(insert(JobRow).values(**row))
    return job_id


async def test_staff_sends_an_email_again(market: Market) -> None:
    await _book(market)
    staff = await market.sign_in("ada@example.org")
    await staff.open("/admin/mail")
    before = len(list(market.mail_dir.glob("*.eml")))
    await staff.send("Send again")
    assert "It is sent again in a moment" in staff.text
    await until(lambda: len(list(market.mail_dir.glob("*.eml"))) > before)
    assert (await staff.post(f"/admin/mail/{uuid7()}/resend")).status == 422


async def test_one_search_finds_accounts_providers_bookings_and_payments(market: Market) -> None:
    await _book(market)
    staff = await market.sign_in("ada@example.org")
    await staff.open("/admin/search?words=maya")
    for found in ("maya@example.org", "Maya & the Tides", "Evening set"):
        assert found in staff.text, found
    await staff.open("/admin/search?words=zzzz")
    assert "No results" in staff.text
