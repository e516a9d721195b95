"""What a form says of a field that is wrong: in words of the page, with the way out, never by a name of the API."""

import html
import re
from collections.abc import Iterator

import pytest

from fairground.contracts.accounts import Role
from fairground.kernel.inputs import Input
from fairground.web.forms import Answers, Form, FormRefused
from fairground.web.pages.dashboard_profile import Profile
from tests.support.browsing import Reader
from tests.support.marketplace import Market, describe, public_provider

ONE_DATABASE = pytest.mark.parametrize("dialect", ["sqlite"])

UNREADABLE = ("abc", "-1", "5.5", "1e400", "NaN", "9" * 5000, "\u202e", "x" * 20_000)
API_NAMES = re.compile(r"\b(lat|lng|bio|[a-z]+_[a-z_]+)\b|Input should|Unable to|Value error")


def _models(base: type[Answers | Input] | None = None) -> Iterator[type[Answers | Input]]:
    """Return what forms are parsed into: classes of pages, and inputs that they share with the API."""
    if base is None:
        yield from (*_models(Answers), *_models(Input))
        return
    for model in base.__subclasses__():
        if model.__module__.startswith(("fairground.web.", "fairground.contracts.")):
            yield model
            yield from _models(model)


def _messages(reader: Reader) -> list[str]:
    """Return the messages of the page: those of its summary first, then those beside the fields."""
    page = reader.answer.text
    _, _, rest = page.partition('class="error-summary"')
    summary, _, fields = rest.partition("</div>")
    found = re.findall(r"<(?:li|p)>(.*?)</(?:li|p)>", summary) + re.findall(r'class="error".*?</p>', fields, re.DOTALL)
    texts = [re.sub(r'^class="error"[^>]*>|<[^>]+>', " ", each) for each in found]
    return [" ".join(html.unescape(text).split()) for text in texts]


@pytest.mark.parametrize("text", UNREADABLE, ids=lambda text: ascii(text)[:12])
def test_value_that_no_field_takes_is_refused_in_words(text: str) -> None:
    refused = []
    for model in set(_models()):
        names = list(model.model_fields)
        try:
            Form(values=dict.fromkeys(names, text), lists={name: [text] for name in names}).parse(model)
        except FormRefused as refusal:
            refused += [str(words) for name, words in refusal.errors.items() if name not in {"starts_at", "id"}]
    assert len(refused) > 5, "as many models have numbers or choices"
    assert [words for words in refused if API_NAMES.search(words)] == []


def test_number_out_of_bounds_is_answered_with_both_bounds() -> None:
    with pytest.raises(FormRefused) as refused:
        Form(values={"lat": "95", "lng": "-181"}).parse(Profile)
    assert refused.value.errors["lat"] == "Write a number from -90 to 90."
    assert refused.value.errors["lng"] == "Write a number from -180 to 180."


@ONE_DATABASE
@pytest.mark.parametrize("party_size", ["0", "-3", "9999", "20000", "9" * 30])
async def test_group_size_out_of_bounds_is_answered_with_the_bounds(market: Market, party_size: str) -> None:
    _, page = await public_provider(market)
    customer = await market.user("nora@example.org", role=Role.CUSTOMER, name="Nora")
    await (await customer.open(page)).follow(":")
    await customer.send("Hold this time", party_size=party_size)
    assert customer.status == 422
    summary, beside = _messages(customer)
    assert summary == "How many people? Enter a group size from 1 to 5000."
    assert beside == "Error: Enter a group size from 1 to 5000."


@ONE_DATABASE
async def test_group_size_that_is_no_number_is_refused_beside_its_field(market: Market) -> None:
    _, page = await public_provider(market)
    customer = await market.user("nora@example.org", role=Role.CUSTOMER, name="Nora")
    await (await customer.open(page)).follow(":")
    await customer.send("Hold this time", party_size="many", note="x" * 2001)
    assert _messages(customer)[0] == "How many people? Write a whole number."


@ONE_DATABASE
async def test_profile_names_no_field_as_the_api_does(market: Market) -> None:
    maya, _ = await public_provider(market)
    long = "x" * 7000
    for changes, words in [
        ({"lat": "59.9", "lng": ""}, "Latitude: Enter both a latitude and a longitude, or neither."),
        ({"lat": "here"}, "Latitude: Write a number, such as 59.91."),
        ({"business_name": long}, "Name that others see: It has 7000 characters. Write at most 120 characters."),
        ({"custom_subtitle": long}, "One line about you: It has 7000 characters. Write at most 160 characters."),
        ({"contact_phone": long}, "Telephone: It has 7000 characters. Write at most"),
        ({"bio": long}, "About you: It has 7000 characters. Write at most 6000 characters."),
        ({"location": "\u202e"}, "City: It has the character U+202E"),
        ({"timezone": "Oslo"}, "Time zone: Choose one of the list."),
    ]:
        await maya.open("/pro/profile")
        await maya.send("Save and preview", **changes)
        messages = _messages(maya)
        assert (maya.status, len(messages)) == (422, 2), words
        assert messages[0].startswith(words)
        assert [each for each in messages if API_NAMES.search(each)] == []
        assert ("<details open>" in maya.answer.text) == bool(changes.keys() & {"lat", "lng", "contact_phone"})


@ONE_DATABASE
async def test_service_names_no_field_as_the_api_does(market: Market) -> None:
    owner = await market.user("maya@example.org", role=Role.PROVIDER, name="Maya")
    await describe(owner, name="Maya & the Tides")
    sound = {"name": "Concert", "category": "pianist", "price": "100", "duration_minutes": "60"}
    for changes, words in [
        ({"price": "0"}, "Price: Write more than 0"),
        ({"price": "much"}, "Price: 'much' is not a number"),
        ({"price": "9" * 30}, "Price: Write more than 0 and at most"),
        ({"duration_minutes": "1"}, "Minutes: Write a number from 5 to 1440."),
        ({"name": "x" * 200}, "Name: It has 200 characters. Write at most 120 characters."),
        ({"description": "x" * 2100}, "What is included? It has 2100 characters. Write at most"),
        ({"category": "plumber"}, "Act: Choose one of the list."),
    ]:
        await owner.open("/pro/services")
        await owner.send("Add it", **(sound | changes))
        messages = _messages(owner)
        assert (owner.status, len(messages)) == (422, 2), words
        assert messages[0].startswith(words)
        assert [each for each in messages if API_NAMES.search(each)] == []


@ONE_DATABASE
async def test_wrong_present_password_is_refused_beside_its_field(market: Market) -> None:
    nora = await market.user("nora@example.org", role=Role.CUSTOMER, name="Nora")
    await nora.open("/me/security")
    await nora.send("Change it", current="not this one", new="quite another sentence")
    assert (nora.status, _messages(nora)) == (
        422,
        [
            "Present password: This is not your present password.",
            "Error: This is not your present password.",
        ],
    )
