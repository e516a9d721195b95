"""Providers as their owners and staff see them."""

from collections.abc import Collection

from fairground.contracts.accounts import Accounts
from fairground.contracts.providers import OwnProvider
from fairground.modules.providers.domain.approval import Facts, missing
from fairground.modules.providers.service.access import get_pack
from fairground.modules.providers.store.profiles import OwnRecord
from fairground.verticals.loader import Verticals


class OwnViews:
    def __init__(self, *, accounts: Accounts, verticals: Verticals) -> None:
        self._accounts = accounts
        self._verticals = verticals

    async def show(self, record: OwnRecord) -> OwnProvider:
        """Return the view of a record. Called outside any transaction, because it asks accounts."""
        [view] = await self.show_all([record])
        return view

    async def show_all(self, records: Collection[OwnRecord]) -> list[OwnProvider]:
        owners = await self._accounts.find_users(user_ids={record.owner_id for record in records if record.owner_id})
        verified = {owner.id for owner in owners.values() if owner.email_verified}
        return [self.show_known(record, email_verified=record.owner_id in verified) for record in records]

    def show_known(self, record: OwnRecord, *, email_verified: bool) -> OwnProvider:
        """Return the view of a record whose owner the caller knows."""
        pack = get_pack(self._verticals, record.detail.vertical)
        return OwnProvider(
            **dict(record.detail),
            owner_id=record.owner_id,
            status=record.status,
            rejection_reason=record.rejection_reason,
            submitted_at=record.submitted_at,
            missing=missing(pack, facts_of(record, email_verified=email_verified)),
            contact_email=record.contact_email,
            contact_phone=record.contact_phone,
        )


def facts_of(record: OwnRecord, *, email_verified: bool) -> Facts:
    detail = record.detail
    return Facts(
        email_verified=email_verified,
        has_bio=bool(detail.bio),
        has_location=bool(detail.location),
        has_picture=detail.profile_picture_url is not None,
        has_service=bool(detail.services),
        has_hours=record.has_hours,
    )
