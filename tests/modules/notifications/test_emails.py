"""An email is sent at least once, not again once it is marked, and in two forms with the same text."""

from html.parser import HTMLParser

import pytest
from sqlalchemy import update

from fairground.contracts.accounts import AccountStatus
from fairground.contracts.booking import BookingRequested
from fairground.contracts.providers import BookingMode
from fairground.modules.notifications.emails import SendEmail
from fairground.modules.notifications.tables import NotificationRow
from fairground.platform.mail.mailer import MailNotSent
from tests.modules.notifications.rig import PUBLIC_URL, Rig, body

pytestmark = pytest.mark.anyio


class Paragraphs(HTMLParser):
    """Collects the text of a page, its links and the tags that are still open."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words = ""
        self.open: list[str] = []
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "meta":
            self.open.append(tag)
        self.links += [value for name, value in attrs if name == "href" and value]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


async def break_mail(rig: Rig) -> None:
    """Replace the mail folder by a file, so that no email can be written."""
    rig.mail_folder.write_text("not a folder")


async def test_email_that_was_not_sent_is_retried(rig: Rig) -> None:
    await break_mail(rig)
    booking = await rig.request()
    for _ in range(2):
        with pytest.raises(MailNotSent):
            await rig.work()
    assert [each.subject_id for each in await rig.listed(rig.customer)] == [booking.id]
    rig.mail_folder.unlink()
    assert rig.mails() == []
    rig.pass_time(minutes=1)
    await rig.work()
    assert sorted(mail["To"] for mail in rig.mails()) == sorted([rig.customer.email, rig.owner.email])


async def test_email_is_not_sent_after_the_booking_moved_on(rig: Rig) -> None:
    await break_mail(rig)
    booking = await rig.request()
    for _ in range(2):
        with pytest.raises(MailNotSent):
            await rig.work()
    rig.mail_folder.unlink()
    await rig.bookings.decline(owner_id=rig.owner.id, booking_id=booking.id, reason=None)
    rig.pass_time(minutes=1)
    await rig.work()
    assert [subject.split(" for ")[0] for subject in rig.subjects(rig.customer)] == [
        "Ada Lovelace declined your request"
    ]
    assert rig.subjects(rig.owner) == []
    assert [each.topic for each in await rig.listed(rig.owner)] == [BookingRequested.topic]


async def test_marked_email_is_not_sent_again(rig: Rig) -> None:
    await rig.request()
    await rig.work()
    (notification,) = await rig.listed(rig.customer)
    await rig.deliver(SendEmail(notification_id=notification.id))
    assert len(rig.subjects(rig.customer)) == 1


async def test_email_that_was_sent_but_not_marked_is_sent_again_with_the_same_id(rig: Rig) -> None:
    await rig.request()
    await rig.work()
    (notification,) = await rig.listed(rig.customer)
    async with rig.db.write() as tx:
        await tx.execute(update(NotificationRow).values(mailed_at=None))
    await rig.deliver(SendEmail(notification_id=notification.id))
    ids = [mail["Message-ID"] for mail in rig.mails() if mail["To"] == rig.customer.email]
    assert ids == [f"<{notification.id}@fair.example>"] * 2


async def test_closed_account_gets_no_email(rig: Rig) -> None:
    rig.accounts.users[rig.customer.id] = rig.customer.model_copy(update={"status": AccountStatus.CLOSED})
    await rig.request()
    await rig.work()
    assert (len(rig.subjects(rig.customer)), len(rig.subjects(rig.owner))) == (0, 1)


async def test_both_forms_have_the_same_text_and_link(rig: Rig) -> None:
    booking = await rig.pay(await rig.hold(mode=BookingMode.INSTANT))
    await rig.work()
    mail = rig.mail_to(rig.customer)
    page = Paragraphs(body(mail, "html"))
    assert page.open == []
    assert page.links == [f"{PUBLIC_URL}/me/bookings/{booking.id}/receipt", f"{PUBLIC_URL}/me/bookings/{booking.id}"]
    written = " ".join(page.words.split())
    for line in body(mail).splitlines():
        said = line.removeprefix("- ").partition(": ")[2] or line
        assert line == "-- " or line.endswith(":") or PUBLIC_URL in line or " ".join(said.split()) in written


async def test_text_of_users_is_escaped(rig: Rig) -> None:
    await rig.request(note="<script>alert(1)</script>\n\nand {{ this }}")
    await rig.work()
    mail = rig.mail_to(rig.owner)
    assert "<script>alert(1)</script>\n\nand {{ this }}" in body(mail)
    assert "<script" not in body(mail, "html")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in body(mail, "html")
