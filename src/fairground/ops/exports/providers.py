"""Providers as lines of JSON, each of which the importer has read before it is written."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import BinaryIO, Final, Protocol
from uuid import UUID

from fairground.contracts.imports import EmbeddedPictures, PicturePlace
from fairground.contracts.media import PictureMaintenance
from fairground.contracts.providers import (
    GALLERY_MAX,
    ExportedProvider,
    ExternalProviders,
    Providers,
    ProviderStatus,
    ServiceIn,
)
from fairground.kernel.money import major_from_minor
from fairground.ops.imports.formats import read_json_line
from fairground.ops.imports.mapping import EXPORT_SOURCE, map_of_export
from fairground.ops.imports.records import RowFault
from fairground.ops.imports.run import RowReader
from fairground.platform.images.formats import encode_data_url
from fairground.verticals.schema import Vertical

_PAGE: Final = 200
# Of one line, which the importer reads whole and refuses above 64 MiB.
_PICTURES_MAX_BYTES: Final = 56 * 1024 * 1024
_COLUMNS: Final = {
    PicturePlace.PORTRAIT: ("profile_picture", 1),
    PicturePlace.PORTFOLIO: ("portfolio_pictures", GALLERY_MAX),
    PicturePlace.SERVICE: ("service_pictures", GALLERY_MAX),
}


@dataclass
class ExportSummary:
    written: int = 0
    services: int = 0
    pictures: int = 0
    unapproved: Counter[ProviderStatus] = field(default_factory=Counter)
    refused: int = 0
    """Approved providers that the importer would reject."""
    drawn_portraits: int = 0
    lost_pictures: int = 0
    """Media has no file of them."""
    surplus_pictures: int = 0
    """They do not fit into the line of their provider."""


class RefusalListener(Protocol):
    def refused(self, provider: ExportedProvider, fault: RowFault) -> None: ...


@dataclass(frozen=True)
class ProviderExport:
    providers: Providers
    external: ExternalProviders
    files: PictureMaintenance
    embedded: EmbeddedPictures
    verticals: Iterable[Vertical]
    listener: RefusalListener

    async def write(self, file: BinaryIO) -> ExportSummary:
        """Write every approved provider that an import can take, one at a time.

        Each provider is as it was at one moment; a change during the export shows on the lines that follow it.

        Raises:
            OSError: The file cannot be written.
        """
        summary, currency = ExportSummary(), await self.providers.get_currency()
        reader = RowReader(map_of_export(currency=currency), self.verticals, vertical=None)
        report = await self.embedded.inspect_embedded()
        has_embedded = bool(sum(report.waiting.values()) or report.fetching)
        async for each in self._read_all():
            if each.status is not ProviderStatus.APPROVED:
                summary.unapproved[each.status] += 1
                continue
            row = _row(each, currency=currency)
            try:
                reader.map_row(read_json_line(summary.written + 1, _line(row)))
            except RowFault as fault:
                summary.refused += 1
                self.listener.refused(each, fault)
                continue
            file.write(_line(row | await self._pictures(each, summary, has_embedded=has_embedded)))
            summary.written += 1
            summary.services += len(each.provider.services)
            summary.drawn_portraits += each.has_drawn_portrait
        return summary

    async def _read_all(self) -> AsyncIterator[ExportedProvider]:
        after: UUID | None = None
        while page := await self.external.list_exported_after(after=after, limit=_PAGE):
            for each in page:
                yield each
            after = page[-1].id

    async def _pictures(
        self, each: ExportedProvider, summary: ExportSummary, *, has_embedded: bool
    ) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {column: [] for column, _ in _COLUMNS.values()}
        left_bytes = _PICTURES_MAX_BYTES
        async for place, url in self._read_pictures(each, summary, has_embedded=has_embedded):
            column, most = _COLUMNS[place]
            if len(found[column]) == most or len(url) > left_bytes:
                summary.surplus_pictures += 1
                continue
            found[column].append(url)
            left_bytes -= len(url)
            summary.pictures += 1
        return {column: urls for column, urls in found.items() if urls}

    async def _read_pictures(
        self, each: ExportedProvider, summary: ExportSummary, *, has_embedded: bool
    ) -> AsyncIterator[tuple[PicturePlace, str]]:
        portrait = [(PicturePlace.PORTRAIT, each.portrait_id)] if each.portrait_id else []
        for place, picture_id in [*portrait, *((PicturePlace.PORTFOLIO, each_id) for each_id in each.gallery_ids)]:
            original = await self.files.find_original(picture_id=picture_id)
            if original is None:
                summary.lost_pictures += 1
            else:
                yield place, encode_data_url(original.content, media_type=original.media_type)
        if has_embedded:
            for picture in await self.embedded.list_waiting(provider_id=each.id):
                # The importer recognises a picture by its bytes and takes any type for what the file is.
                embedded = encode_data_url(picture.content, media_type="application/octet-stream")
                yield picture.place, picture.url or embedded


def _row(each: ExportedProvider, *, currency: str) -> dict[str, object]:
    provider = each.provider
    return {
        "vertical": each.vertical,
        "source": each.source or EXPORT_SOURCE,
        "external_id": provider.external_id,
        **provider.model_dump(include={"business_name", "custom_subtitle", "bio", "location", "timezone"}),
        "lat": _degrees(provider.lat),
        "lng": _degrees(provider.lng),
        "categories": provider.categories,
        "currency": next((service.currency for service in provider.services), currency),
        "services": [_service(service) for service in provider.services],
    }


def _service(service: ServiceIn) -> dict[str, object]:
    fields = service.model_dump(mode="json", exclude={"price_minor", "currency"})
    return fields | {"price": str(major_from_minor(service.price_minor, service.currency))}


def _degrees(value: float | None) -> str | None:
    """Write out a number that JSON might write as 1e-05."""
    return None if value is None else f"{Decimal(repr(value)):f}"


def _line(row: dict[str, object]) -> bytes:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode("utf-8") + b"\n"
