"""Notifies staff of submitted profiles, and owners of decisions and reviews."""

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
from fairground.modules.notifications.domain import Audience
from fairground.modules.notifications.renderers import NotificationRenderer
from fairground.modules.notifications.service import NotificationService

STAFF_MAX: Final = 100  # users of the staff that one submission notifies, in one transaction


class ProviderNotifier:
    def __init__(
        self,
        *,
        service: NotificationService,
        renderer: NotificationRenderer,
        catalog: Catalog,
        reviews: Reviews,
        accounts: Accounts,
    ) -> None:
        self._service = service
        self._renderer = renderer
        self._catalog = catalog
        self._reviews = reviews
        self._accounts = accounts

    async def notify_staff(self, event: ProviderSubmitted) -> None:
        provider = await self._catalog.get_provider_for_review(provider_id=event.provider_id)
        if provider.status is not ProviderStatus.SUBMITTED:
            return
        staff = await self._accounts.list_users(role=Role.ADMIN, limit=STAFF_MAX)
        await self._service.add_notifications(
            [
                self._renderer.render(
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

    async def notify_of_approval(self, event: ProviderApproved) -> None:
        await self._notify_of_decision(event, ProviderStatus.APPROVED)

    async def notify_of_rejection(self, event: ProviderRejected) -> None:
        await self._notify_of_decision(event, ProviderStatus.REJECTED)

    async def _notify_of_decision(self, event: ProviderApproved | ProviderRejected, decided: ProviderStatus) -> None:
        provider = await self._catalog.get_provider_for_review(provider_id=event.provider_id)
        if provider.status is not decided:
            return
        notification = self._renderer.render(
            event.topic,
            audience=Audience.PROVIDER,
            user_id=event.owner_id,
            subject_id=event.provider_id,
            occasion=_submission(provider),
            event=event,
        )
        await self._service.add_notifications([notification])

    async def notify_of_review(self, event: ProviderRated) -> None:
        if event.review_id is None:
            return
        provider = await self._catalog.get_provider_ref(provider_id=event.provider_id)
        review = await self._reviews.find_review(review_id=event.review_id)
        if provider.owner_id is None or review is None:
            return
        notification = self._renderer.render(
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
        await self._service.add_notifications([notification])


def _submission(provider: OwnProvider) -> str:
    """Return a text that differs for each submission of a profile."""
    return provider.submitted_at.isoformat() if provider.submitted_at else ""
