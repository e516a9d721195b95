from decimal import Decimal
from typing import Annotated
from uuid import UUID

import pytest
from pydantic import Field, ValidationError

from fairground.contracts.accounts import EmailTaken
from fairground.contracts.booking import PARTY_SIZE_MAX, HoldIn
from fairground.web.forms import Answers, Form, FormRefused


class Question(Answers):
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
