"""Checks the pictures of an installation: `fairground images doctor`."""

from collections.abc import AsyncIterator
from importlib.metadata import PackageNotFoundError, version
from typing import Final
from uuid import UUID

from fairground.contracts.imports import EmbeddedPictures
from fairground.contracts.media import PictureMaintenance
from fairground.contracts.providers import Galleries
from fairground.kernel.errors import DomainError
from fairground.platform.images.child import EngineName
from fairground.platform.images.formats import PictureFormat
from fairground.platform.images.monogram import monogram
from fairground.platform.images.recipes import Recipe, Shape
from fairground.platform.images.renderer import Renderer
from fairground.platform.images.settings import ImageSettings
from fairground.platform.module import Check, CheckResult, CheckStatus, Links, Module

NAME: Final = "images"

_ADDRESSES_SHOWN_MAX: Final = 20
_FORMATS: Final = (PictureFormat.JPEG, PictureFormat.WEBP, PictureFormat.AVIF)
_PACKAGES: Final = {EngineName.VIPS: "pyvips-binary", EngineName.PILLOW: "pillow"}


def build(links: Links) -> Module:
    maintenance, galleries, embedded = links.of(PictureMaintenance), links.of(Galleries), links.of(EmbeddedPictures)

    async def check_all() -> AsyncIterator[CheckResult]:
        yield await _check_engine()
        # The slowest is last: it lists every file of the store.
        for results in (
            _check_embedded(embedded),
            _check_chosen(maintenance, galleries),
            _check_stored(maintenance),
        ):
            async for result in results:
                yield result

    return Module(name=NAME, checks=[Check(NAME, check_all)])


async def _check_engine() -> CheckResult:
    for engine in _PACKAGES:
        formats = await _list_formats(engine)
        if formats:
            break
    else:
        return CheckResult(CheckStatus.FAILED, "No image library found. Run `make install` to install pyvips-binary.")
    text = f"Pictures are rendered with {engine} ({_version(_PACKAGES[engine])}), as {', '.join(formats)}."
    if PictureFormat.AVIF not in formats:
        return CheckResult(
            CheckStatus.FAILED, f"{text} Browsers prefer AVIF, which is missing. Run `make install` to add it."
        )
    if engine is EngineName.PILLOW:
        return CheckResult(
            CheckStatus.WARNING, f"{text} This works, but pyvips-binary needs half the CPU. Consider installing it."
        )
    return CheckResult(CheckStatus.OK, text)


async def _list_formats(engine: EngineName) -> list[PictureFormat]:
    """Return the formats that an engine can write; none where it is missing."""
    drawing = monogram("Fair Ground", seed="")

    async def load() -> bytes:
        return drawing

    renderer, formats = Renderer(ImageSettings(renderers=1), engine=engine), []
    async with renderer.running():
        for picture_format in _FORMATS:
            try:
                await renderer.render("drawing", (Recipe(Shape.SQUARE, 64, picture_format, 80),), load)
            except DomainError:
                continue
            formats.append(picture_format)
    return formats


def _version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return "of the system"


async def _check_embedded(embedded: EmbeddedPictures) -> AsyncIterator[CheckResult]:
    report = await embedded.inspect_embedded()
    if report.addresses:
        yield CheckResult(
            CheckStatus.FAILED,
            f"{report.addresses} rows contain a whole picture (data:) instead of a URL, because a database constraint "
            "is missing. Run `fairground db upgrade` to recreate it, set these values to NULL and import the pictures "
            "again.",
        )
    else:
        yield CheckResult(CheckStatus.OK, "No row contains a whole picture (data:) instead of a URL.")
    if waiting := sum(report.waiting.values()):
        yield CheckResult(
            CheckStatus.WARNING, f"{waiting} imported pictures are waiting to be converted at /admin/migrations."
        )
    if report.fetching:
        yield CheckResult(CheckStatus.OK, f"{report.fetching} imported pictures are being downloaded.")
    for code, count in sorted(report.failed.items()):
        text = f"{count} imported pictures can't be shown ({code}). Fix them at the source and import them again."
        yield CheckResult(CheckStatus.WARNING, text)
    for failed in report.failed_addresses[:_ADDRESSES_SHOWN_MAX]:
        text = f"{failed.url} (provider {failed.provider_id}): {failed.detail}"
        yield CheckResult(CheckStatus.WARNING, text)


async def _check_chosen(maintenance: PictureMaintenance, galleries: Galleries) -> AsyncIterator[CheckResult]:
    missing, after = 0, UUID(int=0)
    while chosen := await galleries.list_chosen(after=after):
        missing += len(await maintenance.find_missing(picture_ids=chosen))
        after = chosen[-1]
    if missing:
        text = f"{missing} pictures used in portraits or galleries are missing. Their owners need to upload new ones."
        yield CheckResult(CheckStatus.FAILED, text)
    else:
        yield CheckResult(CheckStatus.OK, "All pictures of portraits and galleries are available.")


async def _check_stored(maintenance: PictureMaintenance) -> AsyncIterator[CheckResult]:
    report = await maintenance.inspect_pictures()
    states = ", ".join(f"{count} {state}" for state, count in sorted(report.by_state.items()))
    yield CheckResult(CheckStatus.OK, f"Pictures: {states or 'none'}.")
    if report.bare:
        yield CheckResult(
            CheckStatus.WARNING,
            f"{report.bare} originals have no rendered sizes. They are rendered on the next request.",
        )
    if report.lost_renditions:
        text = f"{report.lost_renditions} sizes are missing from storage. They are rendered again on the next request."
        yield CheckResult(CheckStatus.WARNING, text)
    if report.lost_originals:
        text = f"{report.lost_originals} originals are missing from storage. Restore `original/` from a backup."
        yield CheckResult(CheckStatus.FAILED, text)
    if not report.lost_originals and not report.lost_renditions:
        yield CheckResult(CheckStatus.OK, "All files in use are in storage.")
