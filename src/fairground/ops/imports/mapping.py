"""MAP.toml: which column of a file becomes which field of a provider. docs/reference/import-map.md specifies it."""

import re
import tomllib
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from string import Formatter
from typing import Annotated, Final, Literal, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fairground.contracts.imports import ImportedPicture, ImportedProvider, PicturePlace
from fairground.contracts.providers import (
    BIO_MAX_LENGTH,
    CATEGORIES_MAX,
    DURATION_MAX_MINUTES,
    EXTERNAL_ID_MAX_LENGTH,
    LOCATION_MAX_LENGTH,
    NAME_MAX_LENGTH,
    SUBTITLE_MAX_LENGTH,
    BookingMode,
    ServiceIn,
)
from fairground.kernel.text import (
    EmailRefused,
    TextRefused,
    check_identifier,
    clean_line,
    clean_text,
    normalise_email,
)
from fairground.kernel.zones import find_zone
from fairground.ops.imports.numbers import NumberFormat
from fairground.ops.imports.pictures import PICTURES, read_pictures
from fairground.ops.imports.records import ImportRefused, RowFault, show_column, show_columns
from fairground.ops.imports.services import read_booking_mode, read_services
from fairground.verticals.schema import Vertical

_LINE_END: Final = re.compile("\r\n|[\n\r\x0b\x85\u2028\u2029]")

SOURCE_PATTERN: Final = "[a-z0-9][a-z0-9._-]{0,79}"
_SOURCE: Final = re.compile(SOURCE_PATTERN)
EXPORT_SOURCE: Final = "fairground"
"""The source of exported providers that no import has made; their external id is the id that they had."""


class _Clean(Protocol):
    def __call__(self, text: str, *, most: int) -> str: ...


class Rule(BaseModel):
    """Where a field comes from: exactly one of a column, a template of columns, or a fixed value."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: str | None = None
    template: str | None = None
    value: str | int | float | None = None
    values: dict[str, str] = Field(default_factory=dict)
    """Replaces what was found by what it means here; of `categories` each word as well. "" leaves it out."""
    default: str | None = None
    """Taken where nothing was found."""
    skip_unknown: bool = False
    """Leaves out the words that are no category; for `categories` alone."""

    @model_validator(mode="after")
    def _has_one_origin(self) -> Self:
        if sum(origin is not None for origin in (self.column, self.template, self.value)) != 1:
            raise ValueError("give exactly one of column, template and value")
        _ = self.columns  # a template that cannot be parsed raises here
        return self

    @property
    def columns(self) -> list[str]:
        if self.template is not None:
            return [name for _, name, _, _ in Formatter().parse(self.template) if name]
        return [self.column] if self.column is not None else []

    @property
    def label(self) -> str:
        return ", ".join(self.columns)

    def find(self, fields: dict[str, str]) -> str:
        """Return the text as the row has it."""
        if self.column is not None:
            found = fields.get(self.column, "")
        elif self.template is not None:
            found = self.template.format_map({name: fields.get(name, "") for name in self.columns})
        else:
            found = str(self.value)
        return found

    def read(self, fields: dict[str, str]) -> str:
        """Return the text on one line."""
        text = " ".join(self.find(fields).split())
        return self.values.get(text, text) or self.default or ""

    def read_lines(self, fields: dict[str, str]) -> str:
        """Return the text with its line breaks, each line as `read` returns it."""
        lines = [" ".join(line.split()) for line in _LINE_END.split(self.find(fields))]
        text = "\n".join(lines).strip("\n")
        return self.values.get(text, text) or self.default or ""

    def read_words(self, fields: dict[str, str]) -> dict[str, str]:
        """Return the words between commas after `values`, each with the one that was found."""
        text = " ".join(self.find(fields).split())
        found = [text] if text in self.values else _words(text)
        meant = {word: each for each in found for word in _words(self.values.get(each, each))}
        return meant or {word: word for word in _words(self.default or "")}


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


class Fields(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    external_id: Rule
    business_name: Rule
    location: Rule
    categories: Rule
    custom_subtitle: Rule | None = None
    bio: Rule | None = None
    lat: Rule | None = None
    lng: Rule | None = None
    timezone: Rule | None = None
    service_name: Rule | None = None
    price: Rule | None = None
    duration_minutes: Rule | None = None
    booking_mode: Rule | None = None
    services: Rule | None = None
    currency: Rule | None = None
    """Of `services`; a row in another currency than the map's is rejected."""
    vertical: Rule | None = None
    source: Rule | None = None
    """Of the row's external id, where it is not the map's."""
    contact_email: Rule | None = None
    """The owner's, for an invitation to claim the provider."""
    profile_picture: Rule | None = None
    portfolio_pictures: Rule | None = None
    service_pictures: Rule | None = None

    @model_validator(mode="after")
    def _only_categories_have_unknown_words(self) -> Self:
        for name, rule in self.rules().items():
            if rule.skip_unknown and name != "categories":
                raise ValueError(f"skip_unknown belongs to categories alone, not to {name}")
        return self

    @property
    def columns(self) -> set[str]:
        return {column for rule in self.rules().values() for column in rule.columns}

    def rules(self) -> dict[str, Rule]:
        return {name: rule for name in type(self).model_fields if (rule := getattr(self, name)) is not None}


class ProviderMap(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Annotated[str, Field(pattern=f"^{SOURCE_PATTERN}$")]
    """Names where the external ids come from, so that two lists may use the same ones."""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    timezone: str = "UTC"
    """The zone of providers whose row does not name one."""
    encoding: Literal["", "utf-8", "windows-1252"] = ""
    """Of a file without a byte order mark; "" finds UTF-8 and UTF-16."""
    delimiter: Literal["", ",", ";", "\t", "|"] = ""
    """Between the columns of a CSV file; "" finds it."""
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", " ", "'", "\u2019"] = ""
    """Between groups of three digits; "" allows none."""
    fields: Fields

    @model_validator(mode="after")
    def _separators_differ(self) -> Self:
        if self.decimal == self.thousands:
            raise ValueError("decimal and thousands must be two different signs")
        return self


def load_map(path: Path) -> ProviderMap:
    """Read a map.

    Raises:
        ImportRefused: It is not there, not TOML, or says something that a map cannot say.
    """
    try:
        return ProviderMap.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ImportRefused(f"The map {path} cannot be read: {error.strerror}. Name a file with --map.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ImportRefused(f"The map {path} is not TOML: {error}.") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ImportRefused(f"The map {path} is wrong at {where}: {first['msg']}.") from None


def map_of_export(*, currency: str) -> ProviderMap:
    """Return the map of a file that `fairground export providers` has written: its columns are named after fields."""
    of_one_service = {"service_name", "price", "duration_minutes", "booking_mode"}
    fields = {name: Rule(column=name) for name in Fields.model_fields if name not in of_one_service}
    return ProviderMap(source=EXPORT_SOURCE, currency=currency, fields=Fields.model_validate(fields))


def check_columns(provider_map: ProviderMap, columns: list[str] | None) -> None:
    """Raise ImportRefused when the map names a column that the file's header does not."""
    if columns is None:
        return
    for field, rule in provider_map.fields.rules().items():
        for name in rule.columns:
            if name not in columns:
                raise ImportRefused(
                    f"The map's {field} names the column '{show_column(name)}', which the file does not have."
                    f" It has: {show_columns(columns)}."
                )


class RowMapper:
    """Makes a provider of a row, or says what is wrong with it."""

    def __init__(self, provider_map: ProviderMap, vertical: Vertical) -> None:
        self._map = provider_map
        self._numbers = NumberFormat(provider_map.decimal, provider_map.thousands)
        self._vertical = vertical

    def provider_of(self, fields: dict[str, str]) -> ImportedProvider:
        """Raise RowFault when the row does not make a provider."""
        price_minor = self._price_minor(fields)
        lat, lng = self._place(fields)
        services = self._services(fields, has_coordinates=lat is not None)
        return ImportedProvider(
            external_id=self._text(fields, "external_id", longest=EXTERNAL_ID_MAX_LENGTH, clean=check_identifier),
            business_name=self._text(fields, "business_name", longest=NAME_MAX_LENGTH),
            custom_subtitle=self._optional(fields, "custom_subtitle", longest=SUBTITLE_MAX_LENGTH),
            bio=self._bio(fields),
            location=self._text(fields, "location", longest=LOCATION_MAX_LENGTH),
            lat=lat,
            lng=lng,
            timezone=self._timezone(fields),
            categories=self._categories(fields, services),
            service_name=self._service_name(fields),
            price_minor=price_minor,
            duration_minutes=self._duration_minutes(fields),
            booking_mode=self._booking_mode(fields),
            services=services,
            contact_email=self._contact_email(fields),
            pictures=self._pictures(fields),
        )

    def source_of(self, fields: dict[str, str]) -> str:
        """Return where the row's external id comes from; raise RowFault when that is no source."""
        source = self._read(fields, "source") or self._map.source
        if not _SOURCE.fullmatch(source):
            raise self._fault("source", f"{source!r} is no source", "write 1 to 80 of a-z, 0-9, '.', '_' and '-'")
        return source

    def _pictures(self, fields: dict[str, str]) -> list[ImportedPicture]:
        name, service = self._read(fields, "business_name"), self._service_name(fields)
        texts = {PicturePlace.SERVICE: f"{service}, {name}"}
        return [
            picture
            for field, (place, most) in PICTURES.items()
            for picture in read_pictures(
                self._read(fields, field),
                place=place,
                alt=texts.get(place, name),
                most=most,
                column=self.label(field),
            )
        ]

    def _contact_email(self, fields: dict[str, str]) -> str | None:
        text = self._read(fields, "contact_email")
        try:
            return normalise_email(text) if text else None
        except EmailRefused:
            hint = "write it as name@example.org, or leave it empty"
            raise self._fault("contact_email", f"{text[:80]!r} is no e-mail address", hint) from None

    def _service_name(self, fields: dict[str, str]) -> str:
        name = self._optional(fields, "service_name", longest=NAME_MAX_LENGTH)
        return name or self._vertical.words.service.capitalize()

    def _read(self, fields: dict[str, str], name: str) -> str:
        rule = self._rule(name)
        return rule.read(fields) if rule else ""

    def _rule(self, name: str) -> Rule | None:
        rule: Rule | None = getattr(self._map.fields, name)
        return rule

    def _fault(self, name: str, reason: str, hint: str) -> RowFault:
        return RowFault(self.label(name), reason, hint)

    def label(self, name: str) -> str:
        """Return the column that a field comes from, or the field's own name when it comes from none."""
        rule = self._rule(name)
        return (rule.label if rule else "") or name

    def _text(self, fields: dict[str, str], name: str, *, longest: int, clean: _Clean = clean_line) -> str:
        text = self._optional(fields, name, longest=longest, clean=clean)
        if text is None:
            raise self._fault(name, "it is empty", f"fill it in, or give {name} a default in the map")
        return text

    def _optional(self, fields: dict[str, str], name: str, *, longest: int, clean: _Clean = clean_line) -> str | None:
        return self._clean(name, self._read(fields, name), longest=longest, clean=clean)

    def _bio(self, fields: dict[str, str]) -> str | None:
        rule = self._rule("bio")
        text = rule.read_lines(fields) if rule else ""
        return self._clean("bio", text, longest=BIO_MAX_LENGTH, clean=clean_text)

    def _clean(self, name: str, text: str, *, longest: int, clean: _Clean) -> str | None:
        if not text:
            return None
        try:
            return clean(text, most=longest) or None
        except TextRefused as refused:
            hint = refused.hint.rstrip(".")
            raise self._fault(name, f"it {refused.reason}", hint[0].lower() + hint[1:]) from None

    def _decimal(self, fields: dict[str, str], name: str, *, least: int, most: int) -> Decimal | None:
        text = self._read(fields, name)
        if not text:
            return None
        return self._numbers.read_decimal(text, column=self.label(name), least=least, most=most)

    def _place(self, fields: dict[str, str]) -> tuple[float | None, float | None]:
        lat = self._decimal(fields, "lat", least=-90, most=90)
        lng = self._decimal(fields, "lng", least=-180, most=180)
        if (lat is None) != (lng is None):
            raise self._fault("lat" if lat is None else "lng", "it is empty", "give both coordinates or neither")
        return (None if lat is None else float(lat)), (None if lng is None else float(lng))

    def _timezone(self, fields: dict[str, str]) -> str:
        zone = self._read(fields, "timezone") or self._map.timezone
        if find_zone(zone) is None:
            raise self._fault("timezone", f"{zone!r} is no time zone", "write an IANA name such as Europe/Oslo")
        return zone

    def _price_minor(self, fields: dict[str, str]) -> int | None:
        text, column = self._read(fields, "price"), self.label("price")
        return self._numbers.read_price_minor(text, currency=self._map.currency, column=column) if text else None

    def _duration_minutes(self, fields: dict[str, str]) -> int:
        least = self._vertical.booking.least_minutes
        found = self._decimal(fields, "duration_minutes", least=least, most=DURATION_MAX_MINUTES)
        if found is None:
            return self._vertical.booking.duration_minutes[0]
        if found != found.to_integral_value():
            raise self._fault("duration_minutes", f"{found} is not whole", "write whole minutes")
        return int(found)

    def _booking_mode(self, fields: dict[str, str]) -> BookingMode:
        text = self._read(fields, "booking_mode") or BookingMode.REQUEST
        return read_booking_mode(text, pack=self._vertical, column=self.label("booking_mode"))

    def _services(self, fields: dict[str, str], *, has_coordinates: bool) -> list[ServiceIn]:
        rule, currency = self._rule("services"), self._map.currency
        if rule is None:
            return []
        found = self._read(fields, "currency") or currency
        if found != currency:
            mend = f"convert them, or import where FAIRGROUND_CURRENCY={found}"
            raise self._fault("currency", f"prices in {found} where the installation's are in {currency}", mend)
        text, column = rule.find(fields).strip(), self.label("services")
        return read_services(
            text, pack=self._vertical, currency=currency, column=column, has_coordinates=has_coordinates
        )

    def _categories(self, fields: dict[str, str], services: Sequence[ServiceIn]) -> list[str]:
        """Return the categories of the row, and behind them those that only its services have."""
        rule = self._map.fields.categories
        words = rule.read_words(fields)
        if not words:
            raise self._fault("categories", "it is empty", "fill it in, or give categories a default in the map")
        if rule.skip_unknown:
            known = {word: found for word, found in words.items() if self._vertical.find_category(word) is not None}
            words = known or words  # a row without any category is named with its first word
        own = [self._category(word, found=found) for word, found in words.items()]
        slugs = list(dict.fromkeys([*own, *(service.category for service in services)]))
        if len(slugs) > CATEGORIES_MAX:
            raise self._fault("categories", f"{len(slugs)} categories", f"name at most {CATEGORIES_MAX}")
        return slugs

    def _category(self, word: str, *, found: str) -> str:
        category = self._vertical.find_category(word)
        if category is not None:
            return category.slug
        known = ", ".join(entry.slug for entry in self._vertical.categories)
        if word != found:
            reason = f"{word!r}, which values gives for {found!r}, is no category"
            raise self._fault("categories", reason, f"give one of {known} in values")
        raise self._fault("categories", f"{word!r} is no category", f"write one of {known}, or map it in values")
