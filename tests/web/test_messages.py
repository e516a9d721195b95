"""Messages on the page of a booking and in the inbox: with script and without, on a phone and on a desk."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from playwright.async_api import Page, expect

from fairground.contracts.accounts import Accounts, Role
from fairground.contracts.booking import Bookings
from fairground.contracts.messaging import Messages
from fairground.contracts.providers import Providers
from fairground.kernel.ids import uuid7
from tests.support.addresses import HOME, HOME_FIELDS
from tests.support.browsing import Reader
from tests.support.marketplace import PASSWORD, Market, public_provider
from tests.support.visits import Visit

WIDTHS = (390, 1280)
_DAY, _ONE_MORE = timedelta(days=1), timedelta(seconds=10)
CUSTOMER, PROVIDER = "nora@example.org", "maya@example.org"


@dataclass
class Talk:
    """A confirmed booking, whose sides write to each other outside their browsers."""

    market: Market
    booking_id: UUID
    customer_id: UUID
    owner_id: UUID

    @property
    def path(self) -> str:
        return f"/me/bookings/{self.booking_id}"

    async def write(self, sender_id: UUID, text: str) -> None:
        messages = self.market.program.links.of(Messages)
        await messages.send_message(
            sender_id=sender_id, booking_id=self.booking_id, text=text, client_message_id=uuid7()
        )

    async def texts(self) -> list[str]:
        messages = self.market.program.links.of(Messages)
        thread = await messages.get_thread(user_id=self.customer_id, booking_id=self.booking_id, limit=200)
        return [message.text for message in thread.data]

    async def unread(self, user_id: UUID) -> int:
        return await self.market.program.links.of(Messages).count_unread(user_id=user_id)


async def book(market: Market) -> Talk:
    await public_provider(market, mode="instant")
    links = market.program.links
    customer = await links.of(Accounts).create_user(
        email=CUSTOMER, password=PASSWORD, name="Nora Lind", role=Role.CUSTOMER
    )
    provider = await links.of(Providers).get_provider(id_or_slug="maya-the-tides")
    owner_id = (await links.of(Providers).get_provider_ref(provider_id=provider.id)).owner_id
    assert owner_id is not None
    bookings, today = links.of(Bookings), market.now().date()
    slots = await bookings.list_slots(
        provider_id=provider.id, from_date=today, to_date=today.replace(day=28), service_id=None
    )
    held = await bookings.hold(
        customer_id=customer.id,
        service_id=provider.services[0].id,
        starts_at=slots.slots[-1].starts_at,
        place="customer",
        address=HOME,
        party_size=4,
    )
    await bookings.pay(customer_id=customer.id, booking_id=held.id, payment_method="pm_card_visa")
    return Talk(market, held.id, customer.id, owner_id)


async def _send(page: Page, text: str) -> None:
    await page.locator("#message").click()
    await page.keyboard.type(text)
    async with page.expect_navigation():
        await page.get_by_role("button", name="Send").click()


@pytest.mark.parametrize("has_script", [True, False], ids=["script", "no script"])
@pytest.mark.parametrize("width", WIDTHS)
async def test_both_sides_write_and_find_each_other_in_the_inbox(visit: Visit, width: int, *, has_script: bool) -> None:
    talk = await book(visit.market)
    customer = await visit.signed_in(CUSTOMER, has_script=has_script, width=width)
    await customer.goto(talk.path)
    await expect(customer.get_by_text("No messages yet.")).to_be_visible()
    await _send(customer, "Is there a piano?")
    own = customer.locator(".message.own")
    await expect(own).to_contain_text("You")
    await expect(own).to_contain_text("Is there a piano?")
    await expect(own).to_be_in_viewport()

    provider = await visit.signed_in(PROVIDER, has_script=has_script, width=width)
    await provider.goto("/pro")
    if has_script:
        await expect(provider.get_by_role("link", name="Inbox 1 unread")).to_be_visible()
    async with provider.expect_navigation():
        await provider.locator(".side-nav").get_by_role("link", name="Inbox").click()
    await expect(provider.locator(".inbox-row")).to_contain_text("1 new")
    async with provider.expect_navigation():
        await provider.get_by_role("link", name="Nora Lind").click()
    theirs = provider.locator(".message:not(.own)")
    await expect(theirs).to_contain_text("Nora Lind")
    await expect(theirs.get_by_text("New")).to_be_visible()
    await _send(provider, "There is.")
    await expect(theirs.get_by_text("New")).to_have_count(0)
    assert await talk.unread(talk.owner_id) == 0
    boxes = [await provider.locator(f"#message-{sequence}").bounding_box() for sequence in (1, 2)]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["x"] < boxes[1]["x"], "own messages are on the right"
    assert await provider.evaluate("document.documentElement.scrollWidth") <= width
    assert await talk.texts() == ["Is there a piano?", "There is."]
    assert visit.complaints == []


async def test_open_page_shows_new_messages_only_while_they_can_be_seen(visit: Visit) -> None:
    talk = await book(visit.market)
    await talk.write(talk.customer_id, "Is there a piano?")
    customer = await visit.signed_in(CUSTOMER, has_script=True)
    await customer.clock.install()
    await customer.goto(f"{talk.path}#messages")
    await customer.locator("#message").fill("I was about to ask")
    await talk.write(talk.owner_id, "There is.")
    await customer.clock.run_for(16_000)
    await expect(customer.locator("#message-2")).to_contain_text("There is.")
    await expect(customer.locator("#message-2").get_by_text("New")).to_be_visible()
    assert await customer.locator("#message").input_value() == "I was about to ask"
    assert await talk.unread(talk.customer_id) == 0

    asked: list[str] = []
    customer.on("request", lambda request: asked.append(request.url))
    await customer.clock.run_for(16_000)
    assert len(asked) == 1, "each quarter of a minute asks once"
    await customer.evaluate("Object.defineProperty(document, 'visibilityState', {value: 'hidden', configurable: true})")
    await customer.clock.run_for(60_000)
    assert len(asked) == 1, "a hidden tab asks for nothing"
    await customer.evaluate("delete document.visibilityState")
    await customer.clock.run_for(16_000)
    assert len(asked) == 2
    await customer.evaluate("scrollTo(0, 0); document.querySelector('[role=log]').style.marginTop = '300vh'")
    await customer.wait_for_timeout(0)
    asked.clear()
    await expect(customer.locator("[role=log]")).not_to_be_in_viewport()
    await customer.clock.run_for(60_000)
    assert asked == []
    assert visit.complaints == []


async def test_part_of_a_reader_who_was_signed_out_changes_nothing(market: Market) -> None:
    talk = await book(market)
    await talk.write(talk.owner_id, "Hello")
    part = f"/_f{talk.path}/messages?after=0"
    assert (await market.reader().open(part)).status == 204
    customer = await market.sign_in(CUSTOMER)
    assert "Hello" in (await customer.open(part)).text
    assert (await customer.open(part.replace("after=0", "after=1"))).status == 204
    stranger = await market.user("sam@example.org", role=Role.CUSTOMER, name="Sam")
    assert (await stranger.open(part)).status == 404
    assert (await stranger.open(talk.path)).status == 404


async def test_refused_message_keeps_its_text(market: Market) -> None:
    talk = await book(market)
    customer = await market.sign_in(CUSTOMER)
    await (await customer.open(talk.path)).send("Your message to", message=" ")
    assert customer.status == 422
    assert "The message is empty." in customer.text
    too_long = "x" * 4_001
    await customer.send("Your message to", message=too_long)
    assert (customer.status, "4,001 characters" in customer.text) == (422, True)
    assert _typed(customer) == too_long
    await customer.send("Your message to", message="Hello")
    for number in range(19):
        await customer.send("Your message to", message=f"Hello {number}")
    await customer.send("Your message to", message="One more")
    assert (customer.status, "You’ve sent too many messages in a short time." in customer.text) == (429, True)
    assert _typed(customer) == "One more"
    assert len(await talk.texts()) == 20


def _typed(reader: Reader) -> str:
    [form] = [form for form in reader.reading.forms if "message" in form.names]
    return form.values["message"][0]


async def test_form_that_is_sent_twice_sends_one_message_and_another_text_sends_another(market: Market) -> None:
    talk = await book(market)
    customer = await market.sign_in(CUSTOMER)
    await customer.open(talk.path)
    [form] = [form for form in customer.reading.forms if "message" in form.names]
    [form_id] = form.values["form_id"]
    for text in ("Hello", "Hello", "Good evening"):
        await customer.post(f"{talk.path}/messages", form_id=form_id, message=text)
    assert await talk.texts() == ["Hello", "Good evening"]


async def test_long_thread_is_read_page_by_page(market: Market) -> None:
    talk = await book(market)
    for number in range(1, 61):
        market.program.db.clock_shift += _ONE_MORE
        await talk.write(talk.customer_id if number % 2 else talk.owner_id, f"No. {number}.")
    customer = await market.sign_in(CUSTOMER)
    await customer.open(talk.path)
    assert ("No. 60." in customer.text, "No. 11." in customer.text, "No. 10." in customer.text) == (True, True, False)
    await customer.follow("Earlier messages")
    assert ("No. 1." in customer.text, "No. 10." in customer.text, "No. 11." in customer.text) == (True, True, False)
    await customer.follow("Newest messages")
    assert "No. 60." in customer.text


async def test_closed_conversation_can_be_read_and_says_so(market: Market) -> None:
    talk = await book(market)
    await talk.write(talk.owner_id, "Hello")
    await market.program.links.of(Bookings).cancel(user_id=talk.owner_id, booking_id=talk.booking_id)
    customer = await market.sign_in(CUSTOMER)
    await customer.open(talk.path)
    assert "You can send messages until" in customer.text
    market.program.db.clock_shift += 31 * _DAY
    customer = await market.sign_in(CUSTOMER)
    await customer.open(talk.path)
    assert "Hello" in customer.text
    assert "This conversation was closed on" in customer.text
    assert not [form for form in customer.reading.forms if "message" in form.names]
    await customer.post(f"{talk.path}/messages", form_id=str(uuid7()), message="Too late")
    assert (customer.status, "This conversation is closed." in customer.text) == (422, True)
    assert _typed(customer) == "Too late"


async def test_held_booking_has_no_messages(market: Market) -> None:
    _, page = await public_provider(market)
    customer = await market.user(CUSTOMER, role=Role.CUSTOMER, name="Nora Lind")
    await (await customer.open(page)).follow(":")
    await customer.send("Continue to payment", **HOME_FIELDS, note="", party_size="4")
    await (await customer.open("/me/bookings")).follow("Maya & the Tides")
    assert "On hold" in customer.text
    assert "Messages" not in customer.text
    await customer.open("/me/messages")
    assert "No messages" in customer.text
