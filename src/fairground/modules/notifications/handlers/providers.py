"""What becomes of a provider is told to the staff and to its owner."""

from collections.abc import Mapping
from typing import Final

from fairground.contracts.accounts import Accounts, Role
from fairground.contracts.catalog import (
    Catalog,
    OwnProvider,
    ProviderApproved,
    ProviderRejected,
    ProviderStatus,
    ProviderSubmitted,
)
from fairground.contracts.reviews import ProviderRated, Reviews
from fairground.kernel.messages import Message
from fairground.modules.notifications.domain import Audience
from fairground.modules.notifications.notices import NoticeWriter
from fairground.modules.notifications.service import NotificationService
from fairground.platform.module import Handler

STAFF_TOLD_AT_MOST: Final = 100  # in one transaction


class ProviderNews:
    def __init__(
        self,
        *,
        service: NotificationService,
        writer: NoticeWriter,
        catalog: Catalog,
        reviews: Reviews,
        accounts: Accounts,
    ) -> None:
        self._service = service
        self._writer = writer
        self._catalog = catalog
        self._reviews = reviews
        self._accounts = accounts

    def table(self) -> Mapping[type[Message], Handler]:
        return {
            ProviderSubmitted: self.tell_staff,
            ProviderApproved: self.tell_of_approval,
            ProviderRejected: self.tell_of_rejection,
            ProviderRated: self.tell_of_review,
        }

    async def tell_staff(self, event: ProviderSubmitted) -> None:
        provider = await self._catalog.get_provider_for_review(provider_id=event.provider_id)
        if provider.status is not ProviderStatus.SUBMITTED:
            return
        staff = await self._accounts.list_users(role=Role.ADMIN, limit=STAFF_TOLD_AT_MOST)
        await self._service.tell(
            [
                self._writer.write(
                    event.topic,
                    audience=Audience.STAFF,
                    user_id=user.id,
                    subject_id=event.provider_id,
                    occasion=_submission(provider),
                    provider=provider,
                )
                for user in staff
            ]
        )

    async def tell_of_approval(self, event: ProviderApproved) -> None:
        await self._tell_of_decision(event, ProviderStatus.APPROVED)

    async def tell_of_rejection(self, event: ProviderRejected) -> None:
        await self._tell_of_decision(event, ProviderStatus.REJECTED)

    async def _tell_of_decision(self, event: ProviderApproved | ProviderRejected, decided: ProviderStatus) -> None:
        provider = await self._catalog.get_provider_for_review(provider_id=event.provider_id)
        if provider.status is not decided:
            return
        notice = self._writer.write(
            event.topic,
            audience=Audience.PROVIDER,
            user_id=event.owner_id,
            subject_id=event.provider_id,
            occasion=_submission(provider),
            event=event,
        )
        await self._service.tell([notice])

    async def tell_of_review(self, event: ProviderRated) -> None:
        if event.review_id is None:
            return
        provider = await self._catalog.get_provider_ref(provider_id=event.provider_id)
        review = await self._reviews.find_review(review_id=event.review_id)
        if provider.owner_id is None or review is None:
            return
        notice = self._writer.write(
            event.topic,
            audience=Audience.PROVIDER,
            user_id=provider.owner_id,
            subject_id=event.provider_id,
            occasion=str(event.rating_count),
            provider=provider,
            review=review,
            rating_count=event.rating_count,
            rating=event.rating_sum / event.rating_count,
        )
        await self._service.tell([notice])


def _submission(provider: OwnProvider) -> str:
    """Return what tells one submission of a profile from the next one."""
    return provider.submitted_at.isoformat() if provider.submitted_at else ""
