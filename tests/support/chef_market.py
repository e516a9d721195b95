"""A chef whose services differ in their price, their place and their length, in a marketplace of a test."""

from dataclasses import dataclass
from datetime import time
from typing import Any, Final
from uuid import UUID

from fairground.contracts.accounts import Accounts, Role
from fairground.contracts.booking import AvailabilityRules, Bookings, WeeklyHours
from fairground.contracts.providers import BookingMode, NewProvider, Providers, ProviderStatus
from fairground.verticals.pricing import PriceModel
from tests.support.addresses import HOME
from tests.support.marketplace import PASSWORD, Market
from tests.support.providers import a_profile, a_service

ZONE: Final = "Europe/Oslo"
PICTURE: Final = f"{UUID(int=1)}.svg"
DINNER: Final[dict[str, Any]] = {
    "name": "Dinner",
    "price_model": PriceModel.PERSON,
    "price_minor": 8_000,
    "duration_minutes": 180,
    "booking_mode": BookingMode.INSTANT,
    "min_people": 2,
    "max_people": 12,
    "travel_radius_km": 30,
    "places": ["customer"],
}
CLASS: Final[dict[str, Any]] = {
    "name": "Class",
    "price_model": PriceModel.HOUR,
    "price_minor": 6_000,
    "duration_minutes": 60,
    "max_duration_minutes": 180,
    "booking_mode": BookingMode.REQUEST,
    "places": ["online"],
}
TASTING: Final[dict[str, Any]] = {
    "name": "Tasting",
    "price_minor": 12_000,
    "duration_minutes": 90,
    "booking_mode": BookingMode.INSTANT,
    "places": ["provider", "customer"],
}


@dataclass(frozen=True, kw_only=True)
class ChefMarket:
    market: Market
    owner_id: UUID
    provider_id: UUID
    slug: str
    services: dict[str, UUID]


async def add_chef(market: Market, *services: dict[str, Any]) -> ChefMarket:
    """Add an approved chef, who is open all week, with these services or the three above."""
    links = market.program.links
    accounts, providers = links.of(Accounts), links.of(Providers)
    owner = await accounts.create_user(email="chef@example.org", password=PASSWORD, name="Kim Berg", role=Role.PROVIDER)
    staff = await accounts.create_user(email="staff@example.org", password=PASSWORD, name="Staff", role=Role.ADMIN)
    offered = services or (DINNER, CLASS, TASTING)
    currency = await providers.get_currency()
    pictures_dir = market.program.settings.pictures_dir
    pictures_dir.mkdir(exist_ok=True)
    (pictures_dir / PICTURE).write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    new = NewProvider(
        owner_id=owner.id,
        profile=a_profile(
            vertical="chefs",
            business_name="Kim's Kitchen",
            categories=["nordic"],
            contact_phone="+47 22 00 00 01",
            address=HOME,
            meeting_details="https://meet.example.org/kim",
        ),
        services=[a_service(category="nordic", currency=currency, **service) for service in offered],
        picture_url=f"/pictures/{PICTURE}",
        status=ProviderStatus.APPROVED,
    )
    [created] = await providers.create_providers_in_bulk(providers=[new], staff_id=staff.id)
    weekly = [WeeklyHours(weekday=day, start=time(8), end=time(22)) for day in range(7)]
    rules = AvailabilityRules(timezone=ZONE, weekly=weekly)
    await links.of(Bookings).set_first_rules(rules={created.id: rules})
    names = [service["name"] for service in offered]
    return ChefMarket(
        market=market,
        owner_id=owner.id,
        provider_id=created.id,
        slug=(await providers.get_provider_ref(provider_id=created.id)).slug,
        services=dict(zip(names, created.service_ids, strict=True)),
    )
