"""The dashboard's pages of services, without script."""

import re

import pytest

from fairground.contracts.accounts import Role
from fairground.web.forms import FormRefused
from fairground.web.pages.dashboard_services import read_price_minor
from tests.support.browsing import Reader
from tests.support.marketplace import Market, describe, public_provider

ONE_DATABASE = pytest.mark.parametrize("dialect", ["sqlite"])
SOUND = {"name": "Concert", "category": "pianist", "price": "100", "duration_minutes": "60"}


def names(reader: Reader) -> list[str]:
    return re.findall(r'<h2 class="row-title">(.*?)</h2>', reader.answer.text)


async def provider_at_services(market: Market, **profile: str) -> Reader:
    maya = await market.user("maya@example.org", role=Role.PROVIDER, name="Maya Rivera")
    await describe(maya, name="Maya & the Tides")
    if profile:
        await maya.open("/pro/profile")
        await maya.send("Save", **profile)
        assert maya.status == 200
    return await maya.open("/pro/services")


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("12,50", "EUR", 1250),
        ("12.50", "EUR", 1250),
        (" 12,5 ", "EUR", 1250),
        ("1250", "EUR", 125_000),
        ("1250", "JPY", 1250),
        ("12,5", "KWD", 12_500),
        ("1.250", "KWD", 1250),
    ],
)
def test_price_is_read_with_a_comma_or_a_point(text: str, currency: str, minor: int) -> None:
    assert read_price_minor(text, currency=currency) == minor


@pytest.mark.parametrize(
    ("text", "currency", "words"),
    [
        ("1.250", "EUR", "Leave out the thousands separator, as in 1250.50"),
        ("1,250", "EUR", "Leave out the thousands separator, as in 1250.50"),
        ("1,250", "JPY", "Leave out the thousands separator, as in 1250"),
        ("1,250", "KWD", "Leave out the thousands separator"),
        ("1.250,50", "EUR", "an amount such as 1250.50"),
        ("€12", "EUR", "an amount such as 1250.50"),
        ("-5", "EUR", "an amount such as"),
        ("", "EUR", "an amount such as"),
        ("0", "EUR", "more than 0"),
        ("12.5", "JPY", "too many decimals for JPY"),
        ("1000000.01", "EUR", "at most 1000000"),
    ],
)
def test_price_is_never_guessed(text: str, currency: str, words: str) -> None:
    with pytest.raises(FormRefused) as refused:
        read_price_minor(text, currency=currency)
    assert words in refused.value.errors["price"]


@ONE_DATABASE
async def test_service_is_added_edited_and_shown_in_words(market: Market) -> None:
    maya = await provider_at_services(market)
    by_hour = {"price_model": "hour", "price": "79,50", "max_duration_minutes": "180", "min_people": "2"}
    await maya.send("Add service", **(SOUND | by_hour))
    assert maya.path.startswith("/pro/services?done=added")
    for words in (
        "Service added.",
        "Pianist",
        "€79.50 per hour",
        "1 hour to 3 hours",
        "from 2 people",
        "At the customer",
    ):
        assert words in maya.text

    await maya.follow("Edit")
    assert "Edit Concert" in maya.text
    await maya.send("Save changes", price="80", max_people="6", price_model="booking", max_duration_minutes="")
    assert "Changes saved." in maya.text
    assert "€80 per show" in maya.text
    assert "2 to 6 people" in maya.text

    await (await maya.follow("Edit")).send("Save changes", min_people="7")
    assert maya.status == 422
    assert "must be 7 or more, not 6" in maya.text


@ONE_DATABASE
async def test_services_are_duplicated_moved_paused_and_removed(market: Market) -> None:
    maya = await provider_at_services(market)
    await maya.send("Add service", **SOUND)
    await maya.send("Add service", **(SOUND | {"name": "Matinee"}))
    await maya.send("Duplicate Concert")
    assert "Edit Concert (copy)" in maya.text
    assert "Paused: only you can see it." in maya.text
    await maya.send("Save changes", name="Encore")
    assert names(maya) == ["Concert", "Encore", "Matinee"]

    await maya.send("Move down: Encore")
    assert names(maya) == ["Concert", "Matinee", "Encore"]
    await maya.send("Move up: Matinee")
    assert names(maya) == ["Matinee", "Concert", "Encore"]
    await maya.send("Resume Encore")
    await maya.send("Pause Concert")
    await maya.open("/pro/preview")
    assert "Matinee" in maya.text
    assert "Concert" not in maya.text

    await maya.open("/pro/services")
    form = next(form for form in maya.reading.forms if form.action.endswith("/withdraw"))
    await maya.send("Remove it")
    assert form.action not in maya.answer.text
    assert names(maya) == ["Concert", "Encore"]


@ONE_DATABASE
async def test_service_of_another_provider_is_not_found(market: Market) -> None:
    maya = await provider_at_services(market)
    await maya.send("Add service", **SOUND)
    path = next(href for name, href in maya.reading.links if name == "Edit")
    eve = await market.user("eve@example.org", role=Role.PROVIDER, name="Eve")
    await describe(eve, name="Eve")
    await eve.open(path)
    assert eve.status == 404
    assert "This service is no longer available" in eve.text


@ONE_DATABASE
async def test_only_categories_of_the_profile_are_offered(market: Market) -> None:
    maya = await provider_at_services(market)
    options = re.findall(r'<option value="(\w+)"', maya.answer.text)
    assert options == ["pianist", "band"]


@ONE_DATABASE
async def test_places_follow_what_the_profile_says(market: Market) -> None:
    address = {"address_street": "Storgata 1", "address_city": "Oslo", "address_country": "NO"}
    maya = await provider_at_services(market, **address, meeting_details="https://meet.example.org/maya")
    await maya.send("Add service", **SOUND, places=["online", "customer", "provider"])
    for words in ("At the customer’s place", "At your place", "Online"):
        assert words in maya.text.partition("Add a show")[0]

    await maya.open("/pro/profile")
    assert "Only visible to customers with a confirmed booking." in maya.text
    await maya.send("Save", address_street="", address_city="", address_country="")
    assert maya.status == 422
    assert "These services need your address: Concert." in maya.text
    await maya.open("/pro/profile")
    await maya.send("Save", address_street="Karl Johans gate 2")
    assert maya.status == 200
    assert "Karl Johans gate 2" in (await maya.open("/pro/profile")).answer.text


@ONE_DATABASE
async def test_service_without_a_place_is_refused(market: Market) -> None:
    maya = await provider_at_services(market)
    await maya.send("Add service", **SOUND, places=[])
    assert maya.status == 422
    assert "Location: Choose at least one option." in maya.text
    assert 'name="places" value="customer" checked' not in maya.answer.text


@ONE_DATABASE
async def test_paused_service_leaves_the_public_page_at_once(market: Market) -> None:
    maya, page = await public_provider(market)
    stranger = market.reader()
    assert "Evening set" in (await stranger.open(page)).text
    await (await maya.open("/pro/services")).send("Pause Evening set")
    assert "Evening set" not in (await stranger.open(page)).text
    await maya.send("Resume Evening set")
    assert "Evening set" in (await stranger.open(page)).text
