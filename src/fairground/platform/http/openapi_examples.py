"""Examples of requests and responses, made from their schemas: a value for each name, else one for each type."""

from collections.abc import Mapping
from typing import Any, Final

Schema = Mapping[str, Any]
_REFERENCE: Final = "#/components/schemas/"
_DEPTH_MAX: Final = 8  # of schemas inside schemas, so that one that contains itself ends

_AMOUNT_MINOR: Final = 8000
_ID: Final = "0199a3c2-7d10-7c4e-9b1f-3f6f2f9f4a11"
_BY_NAME: Final[Mapping[str, Any]] = {
    "after": 0,
    "alt": "Maya at the piano, in warm light",
    "author_name": "Ada Lovelace",
    "bio": "I have taught mathematics for twelve years, online and in Oslo.",
    "business_name": "Maya Lind",
    "categories": ["mathematics"],
    "category": "mathematics",
    "action_url": None,
    "city": "Oslo",
    "country": "NO",
    "currency": "EUR",
    "cursor": "WyIyMDI3LTAxLTEyVDA5OjAwOjAwKzAwOjAwIiwgIjAxOTkiXQ",
    "custom_subtitle": "Mathematics that makes sense",
    "customer_name": "Ada Lovelace",
    "date": "2027-01-12",
    "description": "One hour, at your pace.",
    "duration_minutes": 60,
    "decline_reason": None,
    "email": "ada@example.org",
    "end": "17:00",
    "ends_at": "2027-01-12T10:00:00Z",
    "from_date": "2027-01-12",
    "failure_code": None,
    "id_or_slug": "maya-lind",
    "language": "en",
    "lat": 59.91,
    "is_paused": False,
    "limit": 20,
    "lng": 10.75,
    "location": "Oslo",
    "max_duration_minutes": None,
    "max_people": 2,
    "meeting_details": "https://meet.example.org/maya-lind",
    "min_people": 1,
    "name": "Ada Lovelace",
    "next_cursor": None,
    "note": "We are two beginners.",
    "page": 1,
    "party_size": 2,
    "password": "four words make it",
    "payment_method": "pm_card_visa",
    "phone": "+47 22 00 00 00",
    "place": "online",
    "places": ["online"],
    "postal_code": "0150",
    "provider_name": "Maya Lind",
    "provider_slug": "maya-lind",
    "q": "algebra",
    "rating": 5,
    "rating_count": 12,
    "reason": "I am travelling that week.",
    "service_name": "Algebra, one hour",
    "side": "customer",
    "slug": "maya-lind",
    "start": "09:00",
    "starts_at": "2027-01-12T09:00:00Z",
    "street": "Storgata 1",
    "text": "Clear, patient and on time.",
    "timezone": "Europe/Oslo",
    "to_date": "2027-01-18",
    "token": "the token of the mailed link",
    "travel_radius_km": None,
    "vertical": "tutors",
    "wall_time": "2027-01-12T09:00",
}
_BY_FORMAT: Final[Mapping[str, Any]] = {
    "uuid": _ID,
    "date-time": "2027-01-12T09:00:00Z",
    "date": "2027-01-12",
    "time": "09:00:00",
    "uri": "https://fair.example/p/maya-lind",
    "binary": "(bytes of the file)",
}


def example_of(document: Schema, schema: Schema, *, name: str = "", depth: int = 0) -> Any:
    """Return a value that the schema allows.

    Args:
        document: The OpenAPI document in which the schema's references are.
        name: Of the property or parameter; decides the value where the type allows it.
    """
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].removeprefix(_REFERENCE)]
    for fixed in ("example", "const"):
        if fixed in schema:
            return schema[fixed]
    if schema.get("examples"):
        return schema["examples"][0]
    if "enum" in schema:
        return schema["enum"][0]
    for several in ("anyOf", "oneOf", "allOf"):
        if schema.get(several):
            return _example_of_one(document, schema[several], name=name, depth=depth)
    if name in _BY_NAME and _fits(_BY_NAME[name], schema):
        return _BY_NAME[name]
    if name.endswith("_minor") and schema.get("type") == "integer":
        return _AMOUNT_MINOR
    return _example_of_type(document, schema, depth=depth)


def _example_of_one(document: Schema, choices: list[Schema], *, name: str, depth: int) -> Any:
    is_usually_null = _BY_NAME.get(name, name) is None or depth >= _DEPTH_MAX
    if is_usually_null and {"type": "null"} in choices:
        return None
    chosen = next((choice for choice in choices if choice.get("type") != "null"), choices[0])
    return example_of(document, chosen, name=name, depth=depth)


def _example_of_type(document: Schema, schema: Schema, *, depth: int) -> Any:
    match schema.get("type"):
        case "object" if depth < _DEPTH_MAX:
            return _example_of_object(document, schema, depth=depth + 1)
        case "array":
            items = schema.get("items", {})
            return [] if depth >= _DEPTH_MAX else [example_of(document, items, depth=depth + 1)]
        case "integer" | "number":
            return _example_of_number(schema)
        case "boolean":
            return schema.get("default", True)
        case "string":
            return _BY_FORMAT.get(schema.get("format", ""), "text")
        case _:
            return {}


def _example_of_object(document: Schema, schema: Schema, *, depth: int) -> dict[str, Any]:
    properties = schema.get("properties", {})
    if not properties and isinstance(schema.get("additionalProperties"), Mapping):
        return {_ID: example_of(document, schema["additionalProperties"], depth=depth)}
    return {name: example_of(document, each, name=name, depth=depth) for name, each in properties.items()}


def _example_of_number(schema: Schema) -> Any:
    least = schema.get("minimum", schema.get("exclusiveMinimum", 0))
    value = schema["default"] if schema.get("default") is not None else max(least, 1)
    return min(value, schema.get("maximum", value))


_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def _fits(value: Any, schema: Schema) -> bool:
    """Return whether a value that was chosen by its name has the type that the schema says."""
    if isinstance(value, list):
        items = schema.get("items", {})
        return schema.get("type") == "array" and bool(value) and _fits(value[0], items)
    return schema.get("format") != "uuid" and isinstance(value, _TYPES.get(schema.get("type", ""), ()))
