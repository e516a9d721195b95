"""Forms of pages: the values as they were typed, their validation, and the errors beside the fields."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from gettext import gettext as _
from http import HTTPStatus
from typing import Any, Final, TypeVar, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails
from starlette.requests import Request

from fairground.kernel.addresses import Address
from fairground.kernel.errors import DomainError, Invalid, LimitExceeded
from fairground.kernel.inputs import Input

_ADDRESS_PREFIX: Final = "address_"
_ADDRESS_PARTS: Final = ("street", "details", "postal_code", "city", "country")

_Model = TypeVar("_Model", bound="FormModel | Input")


class FormModel(BaseModel):
    """The base of the model of a form. An empty field counts as missing."""

    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True)


class FormRefused(Invalid):
    """Fields are missing or wrong; `errors` has one sentence for each."""

    code = "web.form_refused"

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("Some fields are missing or wrong.")
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Form:
    """The values to show in the fields, and the errors to show beside them: a sentence, or a refusal of the domain."""

    values: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, list[str]] = field(default_factory=dict)
    """All values of fields that may be sent several times, such as checkboxes."""
    errors: Mapping[str, str | DomainError] = field(default_factory=dict)
    refusal: DomainError | None = None
    """Why the whole form was refused, where no single field is at fault."""

    @property
    def is_refused(self) -> bool:
        return bool(self.errors or self.refusal)

    @property
    def status(self) -> HTTPStatus:
        """The status of a page that shows the form again."""
        is_too_much = isinstance(self.refusal, LimitExceeded)
        return HTTPStatus.TOO_MANY_REQUESTS if is_too_much else HTTPStatus.UNPROCESSABLE_ENTITY

    def parse(self, model: type[_Model]) -> _Model:
        """Return the values as a model: one of a page's own, or the input of an operation that the API shares.

        Raises:
            FormRefused: Fields are missing or wrong.
        """
        given: dict[str, object] = {name: value for name, value in self.values.items() if value.strip()}
        for name, info in model.model_fields.items():
            if get_origin(info.annotation) is list:
                given[name] = self.lists.get(name, [])
        try:
            if issubclass(model, Input):
                # A form may have fields besides those of the operation.
                return model.model_validate_strings({name: given[name] for name in model.model_fields if name in given})
            return model.model_validate(given)
        except ValidationError as error:
            raise FormRefused({str(each["loc"][0]): in_words(each, model) for each in error.errors()}) from error

    def refused(self, error: DomainError, *, fields: Mapping[str, str] | None = None) -> "Form":
        """Return the form with the reason beside the field that is at fault, else above all fields.

        Args:
            fields: By code of error, or by the field that the error names, the form's field that is at fault; unset,
                the one that the error names.
        """
        if isinstance(error, FormRefused):
            return replace(self, errors=error.errors, refusal=None)
        field = str(error.context.get("field", ""))
        named = (fields or {}).get(error.code) or (fields or {}).get(field)
        name = named or field
        if named or name in self.values:
            return replace(self, errors={name: error}, refusal=None)
        return replace(self, errors={}, refusal=error)


def read_together(*readers: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
    """Return the values of several readers of one form.

    Raises:
        FormRefused: With the errors of all of them.
    """
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for read in readers:
        try:
            values |= read()
        except FormRefused as refused:
            errors |= refused.errors
    if errors:
        raise FormRefused(errors)
    return values


async def read_form(request: Request) -> Form:
    """Return the form in a request, without its files."""
    sent = await request.form()
    lists: dict[str, list[str]] = {}
    for name, value in sent.multi_items():
        if isinstance(value, str):
            lists.setdefault(name, []).append(value)
    return Form(values={name: values[-1] for name, values in lists.items()}, lists=lists)


def read_address(form: Form) -> Address | None:
    """Return the address of a form, or None when all its fields are empty.

    Raises:
        FormRefused: Fields are missing or wrong.
    """
    given = {part: text for part in _ADDRESS_PARTS if (text := form.values.get(f"{_ADDRESS_PREFIX}{part}", "").strip())}
    if not given:
        return None
    try:
        return Address.model_validate(given)
    except ValidationError as error:
        raise FormRefused(
            {f"{_ADDRESS_PREFIX}{each['loc'][0]}": in_words(each, Address) for each in error.errors()}
        ) from error


def fill_address(address: Address | None) -> dict[str, str]:
    """Return the values of the fields for an address."""
    parts = {part: getattr(address, part) for part in _ADDRESS_PARTS} if address else {}
    return {f"{_ADDRESS_PREFIX}{part}": text for part, text in parts.items() if text}


_CHOOSE: Final = "Choose one of the list."
_NUMBER: Final = "Write a number, such as 59.91."
_OUT_OF_BOUNDS: Final = frozenset({"greater_than_equal", "less_than_equal"})
_SENTENCES: Final[Mapping[str, str]] = {
    "missing": "Fill this in.",
    "string_too_short": "Write at least {min_length} characters.",
    "string_too_long": "Write at most {max_length} characters.",
    "too_short": "Choose at least one.",
    "int_parsing": "Write a whole number.",
    "int_parsing_size": "Write a smaller number.",
    "int_from_float": "Write a whole number.",
    "decimal_parsing": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "greater_than_equal": "Write {ge} or more.",
    "less_than_equal": "Write {le} or less.",
    "enum": _CHOOSE,
    "literal_error": _CHOOSE,
    "uuid_parsing": _CHOOSE,
    **dict.fromkeys(("date_parsing", "date_type", "date_from_datetime_parsing"), "Choose a date."),
    "date_from_datetime_inexact": "Choose a date.",
}


def in_words(error: ErrorDetails, model: type[BaseModel]) -> str:
    """Return what is wrong with a field of a model, as a sentence for the reader of a page."""
    facts = error.get("ctx", {})
    sentence = _SENTENCES.get(error["type"])
    if error["type"] in _OUT_OF_BOUNDS:
        # The error names the bound that was passed, and a reader needs both.
        metadata = model.model_fields[str(error["loc"][0])].metadata
        facts = {bound: getattr(each, bound) for each in metadata for bound in ("ge", "le") if hasattr(each, bound)}
        if len(facts) > 1:
            sentence = "Write a number from {ge} to {le}."
    if sentence is None:
        return error["msg"].removeprefix("Value error, ")
    return _(sentence).format(**facts)
