"""Bulk creation: providers that come whole, checked as their own steps check them and written by a few statements."""

from collections.abc import Sequence
from uuid import UUID

from fairground.contracts.accounts import Accounts, Role, User
from fairground.contracts.providers import (
    IMPORT_MAX_ROWS,
    SERVICES_MAX,
    CreatedProvider,
    NewProvider,
    NotAProvider,
    ProfileExists,
    ProfileInvalid,
    ProvidersChanged,
    ProviderStatus,
    ServiceInvalid,
)
from fairground.contracts.providers.service_rules import Grounds, check_service
from fairground.kernel.ids import uuid7
from fairground.kernel.zones import Clock
from fairground.modules.providers.domain.profiles import (
    ApprovalFacts,
    check_categories,
    check_picture_url,
    check_place,
    check_profile,
    check_reason,
    require_complete,
    split_contact,
)
from fairground.modules.providers.service.access import get_pack, require_staff
from fairground.modules.providers.store import bulk_creation
from fairground.modules.providers.store.bulk_creation import WholeProvider
from fairground.modules.providers.store.external_providers import NamesTaken
from fairground.platform.db.database import Database
from fairground.verticals.loader import Verticals
from fairground.verticals.schema import Vertical


class BulkCreation:
    def __init__(self, *, db: Database, accounts: Accounts, verticals: Verticals, clock: Clock, currency: str) -> None:
        self._db = db
        self._accounts = accounts
        self._verticals = verticals
        self._clock = clock
        self._currency = currency

    async def create_providers_in_bulk(self, *, providers: list[NewProvider], staff_id: UUID) -> list[CreatedProvider]:
        if len(providers) > IMPORT_MAX_ROWS:
            raise ProfileInvalid(f"One call creates at most {IMPORT_MAX_ROWS} providers, not {len(providers)}.")
        await require_staff(self._accounts, staff_id)
        owners = await self._accounts.find_users(user_ids={provider.owner_id for provider in providers})
        checked = [self._check(provider, owners.get(provider.owner_id)) for provider in providers]
        while True:
            try:
                await self._write(checked, staff_id=staff_id)
            except NamesTaken:
                # Another transaction has committed one of these slugs; the next attempt reads it.
                continue
            return [CreatedProvider(id=each.id, service_ids=list(each.services)) for each in checked]

    async def _write(self, providers: Sequence[WholeProvider], *, staff_id: UUID) -> None:
        owner_ids = [provider.owner_id for provider in providers]
        async with self._db.write() as tx:
            taken = await bulk_creation.find_owners(tx, owner_ids)
            if taken or len(set(owner_ids)) < len(owner_ids):
                raise ProfileExists("An account has a profile already, or would get two.")
            await bulk_creation.insert_providers(tx, providers, staff_id=staff_id, created_at=self._clock.now())
            approved = [provider.id for provider in providers if provider.status is ProviderStatus.APPROVED]
            if approved:
                # No tags are invalidated: no page of a new provider can be cached yet.
                await tx.emit(ProvidersChanged(versions=dict.fromkeys(approved, 1)))

    def _check(self, new: NewProvider, owner: User | None) -> WholeProvider:
        if owner is None or owner.role is not Role.PROVIDER:
            raise NotAProvider(f"The account {new.owner_id} has another role, or does not exist.")
        profile, pack = new.profile, get_pack(self._verticals, new.profile.vertical)
        check_place(profile.lat, profile.lng)
        values, contact = split_contact(check_profile(profile.model_dump(exclude={"categories"})))
        categories = check_categories(pack, profile.categories)
        if len(new.services) > SERVICES_MAX:
            raise ServiceInvalid(f"A provider offers at most {SERVICES_MAX} services.")
        grounds = Grounds(
            categories=categories,
            has_address=contact["address"] is not None,
            has_meeting_details=contact["meeting_details"] is not None,
            has_coordinates=profile.lat is not None,
        )
        services = [check_service(pack, service, grounds=grounds, currency=self._currency) for service in new.services]
        if new.status is not ProviderStatus.DRAFT:
            _require_complete(pack, values.get("bio"), services=len(services), is_verified=owner.email_verified)
        return WholeProvider(
            id=uuid7(),
            owner_id=owner.id,
            profile=values | {"profile_picture_url": check_picture_url(new.picture_url)},
            contact=contact | {"contact_email": owner.email},
            categories=categories,
            services={uuid7(): service for service in services},
            status=new.status,
            rejection_reason=_reason(new),
        )


def _reason(new: NewProvider) -> str | None:
    return check_reason(new.rejection_reason or "") if new.status is ProviderStatus.REJECTED else None


def _require_complete(pack: Vertical, bio: str | None, *, services: int, is_verified: bool) -> None:
    facts = ApprovalFacts(
        email_verified=is_verified,
        has_bio=bool(bio),
        has_location=True,
        has_picture=True,
        has_service=services > 0,
        has_hours=False,
    )
    require_complete(pack, facts)
