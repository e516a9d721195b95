"""What a row says of services: one by columns of its own, or all of them as a JSON array in one column."""

from typing import Final

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from fairground.contracts.providers import (
    DURATION_MAX_MINUTES,
    DURATION_MIN_MINUTES,
    NAME_MAX_LENGTH,
    PRICE_MAX_MINOR,
    SERVICE_DESCRIPTION_MAX_LENGTH,
    SERVICES_MAX,
    BookingMode,
    ServiceIn,
    ServiceTerms,
)
from fairground.contracts.providers.service_rules import Grounds, check_service
from fairground.kernel.errors import Invalid
from fairground.kernel.money import AmountInvalid, currency_exponent, read_amount
from fairground.kernel.text import TextRefused, clean_text, require_line
from fairground.ops.imports.records import RowFault
from fairground.verticals.pricing import PriceModel
from fairground.verticals.schema import Place, Vertical


class ServiceFields(BaseModel):
    """One object of the array."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    category: str
    price: str
    """In major units, as `price` of a row."""
    price_model: PriceModel = PriceModel.BOOKING
    duration_minutes: int
    max_duration_minutes: int | None = None
    min_people: int = 1
    max_people: int | None = None
    places: list[Place] | None = None
    travel_radius_km: int | None = None
    booking_mode: str = BookingMode.REQUEST
    description: str | None = None
    is_paused: bool = False


_AS_THEY_ARE: Final = (set(ServiceTerms.model_fields) - {"price_minor", "currency"}) | {"places", "is_paused"}
_SERVICES: Final = TypeAdapter(list[ServiceFields])


def read_price_minor(text: str, *, currency: str, column: str) -> int:
    """Raise RowFault when the text is no price."""
    try:
        minor = read_amount(text, currency)
    except AmountInvalid as refusal:
        raise RowFault(column, refusal.problem, refusal.hint) from refusal
    if minor == 0:
        raise RowFault(column, f"{text} is no price", "write what it costs, or leave it empty")
    if minor > PRICE_MAX_MINOR:
        most = PRICE_MAX_MINOR // 10 ** currency_exponent(currency)
        raise RowFault(column, f"{text} is out of range", f"it must be from 0 to {most}")
    return minor


def read_booking_mode(text: str, *, pack: Vertical, column: str) -> BookingMode:
    """Raise RowFault when services of the vertical are not booked like this."""
    modes = pack.booking.modes
    if text not in modes:
        raise RowFault(column, f"{text!r} is no booking mode here", f"write {' or '.join(modes)}")
    return BookingMode(text)


def read_services(text: str, *, pack: Vertical, currency: str, column: str, has_coordinates: bool) -> list[ServiceIn]:
    """Return the services that a JSON array describes; none of an empty text.

    Args:
        has_coordinates: Of the row, which a travel radius needs.

    Raises:
        RowFault: It is no such array, or a service in it cannot be offered.
    """
    if not text:
        return []
    try:
        # In a file of JSON the array comes as its objects with commas between them.
        found = _SERVICES.validate_json(text if text.startswith("[") else f"[{text}]")
    except ValidationError as error:
        first = error.errors()[0]
        where = " ".join(str(part) for part in first["loc"])
        raise RowFault(column, f"{where}: {first['msg']}".removeprefix(": "), "write an array of services") from None
    if len(found) > SERVICES_MAX:
        raise RowFault(column, f"{len(found)} services", f"leave at most {SERVICES_MAX}")
    services = [_service(each, pack=pack, currency=currency, column=column) for each in found]
    # The owner who claims the provider fills in an address and meeting details. The row has their categories.
    grounds = Grounds(
        categories={service.category for service in services},
        has_address=True,
        has_meeting_details=True,
        has_coordinates=has_coordinates,
    )
    for service in services:
        try:
            check_service(pack, service, grounds=grounds, currency=currency)
        except Invalid as refusal:
            raise RowFault(column, f"{service.name}: {refusal.detail.rstrip('.')}", refusal.hint.rstrip(".")) from None
    return services


def _service(fields: ServiceFields, *, pack: Vertical, currency: str, column: str) -> ServiceIn:
    try:
        name = require_line(fields.name, most=NAME_MAX_LENGTH)
        description = clean_text(fields.description or "", most=SERVICE_DESCRIPTION_MAX_LENGTH) or None
    except TextRefused as refused:
        raise RowFault(column, f"a text {refused.reason}", refused.hint.rstrip(".")) from None
    category = pack.find_category(fields.category)
    if category is None:
        known = ", ".join(entry.slug for entry in pack.categories)
        raise RowFault(column, f"{fields.category!r} is no category", f"write one of {known}")
    if not DURATION_MIN_MINUTES <= fields.duration_minutes <= DURATION_MAX_MINUTES:
        bounds = f"it must be from {DURATION_MIN_MINUTES} to {DURATION_MAX_MINUTES}"
        raise RowFault(column, f"{fields.duration_minutes} minutes are out of range", bounds)
    return ServiceIn(
        name=name,
        category=category.slug,
        price_minor=read_price_minor(fields.price, currency=currency, column=column),
        currency=currency,
        **fields.model_dump(include=_AS_THEY_ARE),
        booking_mode=read_booking_mode(fields.booking_mode, pack=pack, column=column),
        description=description,
    )
