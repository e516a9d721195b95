"""Staff hide and restore reviews: what is shown and counted follows, with a version, and the audit trail says why."""

import asyncio
from collections.abc import Collection
from typing import cast
from uuid import UUID

import pytest

from fairground.contracts.accounts import Accounts, NotPermitted, Role, User
from fairground.contracts.booking import Bookings
from fairground.contracts.reviews import (
    ProviderRated,
    Review,
    ReviewHidden,
    ReviewInvalid,
    ReviewNotFound,
    ReviewRestored,
    ReviewVisibilityConflict,
)
from fairground.kernel.ids import uuid7
from fairground.modules.reviews.moderation import ReviewModeration
from fairground.modules.reviews.service import ReviewService
from fairground.platform.db.common.audit import AuditSubject, list_actions
from fairground.platform.db.database import Database
from tests.modules.reviews.test_service import OWNER, PROVIDER, AccountsOfAnna, KnownBookings
from tests.support.outbox import RecordingOutbox

pytestmark = pytest.mark.anyio

STAFF = uuid7()


class AccountsWithStaff(AccountsOfAnna):
    async def get_user(self, *, user_id: UUID) -> User:
        user = await super().get_user(user_id=user_id)
        return user.model_copy(update={"role": Role.STAFF}) if user_id == STAFF else user


class Desk:
    def __init__(self, db: Database) -> None:
        self.bookings = KnownBookings()
        accounts, bookings = cast("Accounts", AccountsWithStaff()), cast("Bookings", self.bookings)
        self.reviews = ReviewService(db=db, accounts=accounts, bookings=bookings)
        self.moderation = ReviewModeration(db=db, accounts=accounts, bookings=bookings)

    async def write(self, rating: int, *, by_provider: bool = False) -> Review:
        side = self.bookings.add()
        author_id = OWNER if by_provider else side.customer_id
        return await self.reviews.write_review(
            author_id=author_id, booking_id=side.booking_id, rating=rating, text=f"{rating} stars."
        )

    async def shown(self) -> tuple[Collection[UUID], int]:
        page = await self.reviews.list_provider_reviews(provider_id=PROVIDER, limit=10)
        return [review.id for review in page.data], page.total


@pytest.fixture
def desk(db: Database) -> Desk:
    return Desk(db)


async def test_hidden_review_is_neither_shown_nor_counted_until_it_is_restored(
    desk: Desk, db: Database, outbox: RecordingOutbox
) -> None:
    good, bad = await desk.write(5), await desk.write(1)
    outbox.events.clear()
    hidden = await desk.moderation.hide_review(staff_id=STAFF, review_id=bad.id, reason=" Insults. ")
    assert hidden.hidden_reason == "Insults."
    assert await desk.shown() == ([good.id], 1)
    with pytest.raises(ReviewVisibilityConflict):
        await desk.moderation.hide_review(staff_id=STAFF, review_id=bad.id, reason="Again.")
    await desk.moderation.restore_review(staff_id=STAFF, review_id=bad.id)
    assert await desk.shown() == ([bad.id, good.id], 2)
    with pytest.raises(ReviewVisibilityConflict):
        await desk.moderation.restore_review(staff_id=STAFF, review_id=bad.id)

    fewer, hiding, more, restoring = outbox.events
    assert fewer == ProviderRated(provider_id=PROVIDER, rating_sum=5, rating_count=1, version=3)
    assert more == ProviderRated(provider_id=PROVIDER, rating_sum=6, rating_count=2, version=4)
    assert isinstance(hiding, ReviewHidden)
    assert isinstance(restoring, ReviewRestored)
    assert (hiding.reason, hiding.author_id) == ("Insults.", restoring.author_id)
    async with db.read() as tx:
        restore, hide = (await list_actions(tx, subject=AuditSubject("review", bad.id), limit=9)).data
    assert (hide.action, hide.actor_id, hide.reason) == ("reviews.hide", STAFF, "Insults.")
    assert (hide.changes, restore.changes) == ({"is_hidden": [False, True]}, {"is_hidden": [True, False]})


async def test_hidden_review_of_a_booking_is_shown_to_its_author_alone(desk: Desk) -> None:
    review = await desk.write(1)
    await desk.moderation.hide_review(staff_id=STAFF, review_id=review.id, reason="Insults.")
    customer_id = desk.bookings.sides[review.booking_id].customer_id
    [own] = await desk.reviews.list_booking_reviews(booking_id=review.booking_id, viewer_id=customer_id)
    assert own.hidden_reason == "Insults."
    assert await desk.reviews.list_booking_reviews(booking_id=review.booking_id, viewer_id=OWNER) == []


async def test_review_by_a_provider_changes_no_totals(desk: Desk, outbox: RecordingOutbox) -> None:
    review = await desk.write(1, by_provider=True)
    outbox.events.clear()
    await desk.moderation.hide_review(staff_id=STAFF, review_id=review.id, reason="Insults.")
    assert [type(event) for event in outbox.events] == [ReviewHidden]


async def test_one_of_several_concurrent_hidings_counts(desk: Desk) -> None:
    await desk.write(5)
    bad = await desk.write(1)
    hidings = (desk.moderation.hide_review(staff_id=STAFF, review_id=bad.id, reason="Insults.") for _ in range(4))
    results = await asyncio.gather(*hidings, return_exceptions=True)
    assert sum(isinstance(each, ReviewVisibilityConflict) for each in results) == 3
    assert (await desk.shown())[1] == 1


async def test_staff_list_the_newest_of_all_or_of_the_hidden(desk: Desk) -> None:
    reviews = [await desk.write(rating) for rating in (5, 4, 3, 2)]
    await desk.moderation.hide_review(staff_id=STAFF, review_id=reviews[1].id, reason="Spam.")
    first = await desk.moderation.list_reviews(staff_id=STAFF, limit=3)
    second = await desk.moderation.list_reviews(staff_id=STAFF, cursor=first.next_cursor, limit=3)
    assert [each.rating for each in (*first.data, *second.data)] == [2, 3, 4, 5]
    hidden = await desk.moderation.list_reviews(staff_id=STAFF, is_hidden=True, provider_id=PROVIDER, limit=9)
    assert [each.rating for each in hidden.data] == [4]
    assert (await desk.moderation.list_reviews(staff_id=STAFF, provider_id=uuid7(), limit=9)).data == []


async def test_others_may_do_nothing_and_a_reason_is_needed(desk: Desk) -> None:
    review, moderation = await desk.write(1), desk.moderation
    for attempt in (
        moderation.list_reviews(staff_id=OWNER, limit=1),
        moderation.hide_review(staff_id=OWNER, review_id=review.id, reason="No."),
        moderation.restore_review(staff_id=OWNER, review_id=review.id),
    ):
        with pytest.raises(NotPermitted):
            await attempt
    with pytest.raises(ReviewInvalid):
        await moderation.hide_review(staff_id=STAFF, review_id=review.id, reason=" ")
    with pytest.raises(ReviewNotFound):
        await moderation.hide_review(staff_id=STAFF, review_id=uuid7(), reason="No.")
