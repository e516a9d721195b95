"""Forms of pages: the values as they were typed, their validation, and the errors beside the fields."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from gettext import gettext as _
from http import HTTPStatus
from typing import Final, TypeVar, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails
from starlette.requests import Request

from fairground.kernel.errors import DomainError, Invalid, LimitExceeded
from fairground.kernel.inputs import Input

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
            raise FormRefused({str(each["loc"][0]): _in_words(each, model) for each in error.errors()}) from error

    def refused(self, error: DomainError, *, fields: Mapping[str, str] | None = None) -> "Form":
        """Return the form with the reason beside the field that is at fault, else above all fields.

        Args:
            fields: By code of error, the field that is at fault; unset, the one that the error itself names.
        """
        if isinstance(error, FormRefused):
            return replace(self, errors=error.errors, refusal=None)
        named = (fields or {}).get(error.code)
        name = named or str(error.context.get("field", ""))
        if named or name in self.values:
            return replace(self, errors={name: error}, refusal=None)
        return replace(self, errors={}, refusal=error)


async def read_form(request: Request) -> Form:
    """Return the form in a request, without its files."""
    sent = await request.form()
    lists: dict[str, list[str]] = {}
    for name, value in sent.multi_items():
        if isinstance(value, str):
            lists.setdefault(name, []).append(value)
    return Form(values={name: values[-1] for name, values in lists.items()}, lists=lists)


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
}


def _in_words(error: ErrorDetails, model: type[BaseModel]) -> str:
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
