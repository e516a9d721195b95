"""Rows of another system, with whole pictures in them, and how they are imported."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any, Final

from fairground.contracts.imports import Imports
from fairground.contracts.providers import Providers
from fairground.entrypoints.compose import Program
from fairground.ops.imports.mapping import ProviderMap
from fairground.ops.imports.records import Record, RowFault
from fairground.ops.imports.run import Import, Summary
from tests.support.pictures import photograph

MAP: Final = ProviderMap.model_validate(
    {
        "source": "old-system",
        "currency": "EUR",
        "fields": {
            "external_id": {"column": "id"},
            "business_name": {"column": "name"},
            "location": {"value": "Oslo"},
            "categories": {"value": "pianist"},
            "service_name": {"value": "Evening set"},
            "price": {"column": "price", "default": "100"},
            "profile_picture": {"column": "profile_picture_url"},
            "portfolio_pictures": {"template": "{cover_photo_url},{portfolio_image_urls}"},
            "service_pictures": {"column": "media_url"},
        },
    }
)


def embedded(content: bytes, media_type: str = "image/jpeg") -> str:
    return f"data:{media_type};base64,{b64encode(content).decode()}"


def a_photo(width_px: int) -> bytes:
    return photograph(width_px, 300)


ROWS: Final[list[dict[str, Any]]] = [
    {
        "id": "ann",
        "name": "Ann Duo",
        "profile_picture_url": embedded(a_photo(400)),
        "portfolio_image_urls": [embedded(a_photo(410)), embedded(photograph(420, 300, kind="PNG"), "image/png")],
        "media_url": embedded(a_photo(430)),
    },
    {"id": "bob", "name": "Bob", "profile_picture_url": "data:image/jpeg;base64,%%%"},
    {"id": "cyd", "name": "Cyd", "profile_picture_url": embedded(a_photo(440)[:-2000])},
    {"id": "dan", "name": "Dan", "media_url": embedded(b"<svg/>", "image/svg+xml")},
    {"id": "eve", "name": "Eve", "cover_photo_url": ""},
]


class NoRejects:
    """A listener that fails the test when the import rejects a row."""

    def rejected(self, record: Record, fault: RowFault) -> None:
        raise AssertionError(f"{record.line}: {fault}")

    def progressed(self, summary: Summary, *, read_bytes: int) -> None:
        pass


async def bring_in(program: Program, rows: list[dict[str, Any]], *, folder: Path) -> Summary:
    file = folder / "rows.json"
    file.write_text(json.dumps(rows))
    pack = program.verticals.find("artists")
    assert pack is not None
    providers, imports = program.links.of(Providers), program.links.of(Imports)
    return await Import(file, pack, MAP, providers, imports, NoRejects()).run()
