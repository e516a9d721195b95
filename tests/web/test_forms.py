import html
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import pytest
from pydantic import Field, ValidationError

from fairground.contracts.accounts import EmailTaken, Role
from fairground.contracts.booking import PARTY_SIZE_MAX, HoldIn
from fairground.kernel.inputs import Input
from fairground.web.forms import Form, FormModel, FormRefused
from fairground.web.pages.dashboard_profile import Profile
from tests.support.addresses import HOME_FIELDS
from tests.support.browsing import Reader
from tests.support.marketplace import Market, describe, public_provider


class Question(FormModel):
    name: Annotated[str, Field(max_length=5)]
    price: Annotated[Decimal, Field(ge=0)] = Decimal(1)
    tags: Annotated[list[str], Field(default_factory=list)]


def _errors(**values: str) -> dict[str, object]:
    with pytest.raises(FormRefused) as refused:
        Form(values=values).parse(Question)
    return dict(refused.value.errors)


def test_an_empty_field_counts_as_not_filled_in() -> None:
    assert Form(values={"name": " Ada ", "price": "  "}).parse(Question) == Question(name="Ada", tags=[])
    assert _errors(name="  ") == {"name": "Fill this in."}


def test_every_wrong_field_is_named_in_words() -> None:
    assert _errors(name="too long", price="a lot") == {
        "name": "Write at most 5 characters.",
        "price": "Write a number, such as 59.91.",
    }
    assert _errors(name="Ada", price="-1") == {"price": "Write 0 or more."}


def test_form_is_read_by_the_input_that_the_api_takes() -> None:
    fields = {"service_id": str(UUID(int=1)), "starts_at": "2030-05-17T10:00Z", "party_size": " 4 ", "place": " "}
    read = Form(values={**fields, "shown_by_the_page_alone": "x"}).parse(HoldIn)
    assert (read.service_id, read.party_size, read.place) == (UUID(int=1), 4, None)
    with pytest.raises(FormRefused) as refused:
        Form(values={**fields, "party_size": str(PARTY_SIZE_MAX + 1)}).parse(HoldIn)
    assert refused.value.errors == {"party_size": f"Write a number from 1 to {PARTY_SIZE_MAX}."}
    with pytest.raises(ValidationError, match="party_size"):
        HoldIn.model_validate({**fields, "party_size": PARTY_SIZE_MAX + 1})


def test_boxes_are_taken_together() -> None:
    form = Form(values={"name": "Ada", "tags": "b"}, lists={"tags": ["a", "b"]})
    assert form.parse(Question).tags == ["a", "b"]


def test_a_refusal_stands_beside_its_field_or_above_the_form() -> None:
    form, taken = Form(values={"name": "Ada"}), EmailTaken("ada@example.org has an account.")
    assert form.refused(taken, fields={"accounts.email_taken": "email"}).errors == {"email": taken}
    assert form.refused(taken).refusal is taken
    assert form.refused(taken).values == form.values


ONE_DATABASE = pytest.mark.parametrize("dialect", ["sqlite"])

UNREADABLE = ("abc", "-1", "5.5", "1e400", "NaN", "9" * 5000, "\u202e", "x" * 20_000)
API_NAMES = re.compile(r"\b(lat|lng|bio|[a-z]+_[a-z_]+)\b|Input should|Unable to|Value error")


def _models(base: type[FormModel | Input] | None = None) -> Iterator[type[FormModel | Input]]:
    """Return what forms are parsed into: classes of pages, and inputs that they share with the API."""
    if base is None:
        yield from (*_models(FormModel), *_models(Input))
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
        # An address has fields of its own in a form.
        names = [name for name in model.model_fields if name != "address"]
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
    await customer.send("Continue to payment", **HOME_FIELDS, party_size=party_size)
    assert customer.status == 422
    summary, beside = _messages(customer)
    assert summary == "How many people? Enter a group size from 1 to 5000."
    assert beside == "Error: Enter a group size from 1 to 5000."


@ONE_DATABASE
async def test_group_size_that_is_no_number_is_refused_beside_its_field(market: Market) -> None:
    _, page = await public_provider(market)
    customer = await market.user("nora@example.org", role=Role.CUSTOMER, name="Nora")
    await (await customer.open(page)).follow(":")
    await customer.send("Continue to payment", **HOME_FIELDS, party_size="many", note="x" * 2001)
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
        ({"address_street": "Storgata 1", "address_country": "NO"}, "City: Fill this in."),
        ({"meeting_details": "x" * 501}, "Meeting link or number: It has 501 characters. Write at most 500"),
    ]:
        await maya.open("/pro/profile")
        await maya.send("Save", **changes)
        messages = _messages(maya)
        assert (maya.status, len(messages)) == (422, 2), words
        assert messages[0].startswith(words)
        assert [each for each in messages if API_NAMES.search(each)] == []
        assert ("<details open>" in maya.answer.text) == bool(changes.keys() & {"lat", "lng"})


@ONE_DATABASE
async def test_service_names_no_field_as_the_api_does(market: Market) -> None:
    owner = await market.user("maya@example.org", role=Role.PROVIDER, name="Maya")
    await describe(owner, name="Maya & the Tides")
    sound = {"name": "Concert", "category": "pianist", "price": "100", "duration_minutes": "60"}
    for changes, words in [
        ({"price": "0"}, "Price: Write more than 0"),
        ({"price": "much"}, "Price: Write an amount such as 1250.50."),
        ({"price": "1.250"}, "Price: Write it without a thousands separator, such as 1250.50."),
        ({"price": "1,250"}, "Price: Write it without a thousands separator, such as 1250.50."),
        ({"price": "9" * 30}, "Price: Write more than 0 and at most"),
        ({"duration_minutes": "1"}, "Duration: Write a number from 5 to 1440."),
        ({"duration_minutes": "7"}, "Duration: It is 7; it must be 30 to 1440."),
        ({"max_duration_minutes": "90"}, "Longest booking: It belongs to a price by the hour. Leave it empty."),
        ({"price_model": "hour", "max_duration_minutes": "70"}, "Longest booking: It is 70; it must be whole half"),
        ({"price_model": "guest"}, "What does the price buy? Choose one of the list."),
        ({"min_people": "9", "max_people": "4"}, "Most people: It is 4; it must be 9 or more."),
        ({"max_people": "5001"}, "Most people: It is 5001; it must be 1 to 5000."),
        ({"places": "provider"}, "Where does it take place? Customers who come to you need your address"),
        ({"travel_radius_km": "40"}, "How far do you travel? The distance is measured from your place on the map"),
        ({"name": "x" * 200}, "Name: It has 200 characters. Write at most 120 characters."),
        ({"description": "x" * 2100}, "What is included? It has 2100 characters. Write at most"),
        ({"category": "plumber"}, "Act: Choose one of the list."),
    ]:
        await owner.open("/pro/services")
        await owner.send("Add service", **(sound | changes))
        messages = _messages(owner)
        assert (owner.status, len(messages)) == (422, 2), words
        assert messages[0].startswith(words)
        assert [each for each in messages if API_NAMES.search(each)] == []


@ONE_DATABASE
async def test_wrong_present_password_is_refused_beside_its_field(market: Market) -> None:
    nora = await market.user("nora@example.org", role=Role.CUSTOMER, name="Nora")
    await nora.open("/me/settings")
    await nora.send("Change password", current="not this one", new="quite another sentence")
    assert (nora.status, _messages(nora)) == (
        422,
        [
            "Current password: Incorrect password.",
            "Error: Incorrect password.",
        ],
    )
