"""What is wrong with the pictures of an installation, and what to do about each."""

from collections.abc import AsyncIterator
from importlib.metadata import PackageNotFoundError, version
from typing import Final
from uuid import UUID

from fairground.contracts.catalog import Galleries
from fairground.contracts.imports import EmbeddedPictures
from fairground.contracts.media import PictureCare
from fairground.kernel.errors import DomainError
from fairground.platform.checks import CheckResult, CheckStatus
from fairground.platform.images.formats import PictureFormat
from fairground.platform.images.monogram import monogram
from fairground.platform.images.recipes import Recipe, Shape
from fairground.platform.images.renderer import Renderer
from fairground.platform.images.settings import ImageSettings
from fairground.platform.images.wire import EngineName

_MADE: Final = (PictureFormat.JPEG, PictureFormat.WEBP, PictureFormat.AVIF)
_PACKAGES: Final = {EngineName.VIPS: "pyvips-binary", EngineName.PILLOW: "pillow"}


async def examine(*, care: PictureCare, galleries: Galleries, embedded: EmbeddedPictures) -> AsyncIterator[CheckResult]:
    """Look at everything, the slowest last: every file of the store is listed."""
    yield await _examine_library()
    for part in (_examine_embedded(embedded), _examine_chosen(care, galleries), _examine_pictures(care)):
        async for result in part:
            yield result


async def _examine_library() -> CheckResult:
    for engine in _PACKAGES:
        formats = await _list_formats(engine)
        if formats:
            break
    else:
        return CheckResult(
            CheckStatus.FAILED, "No picture can be made. `make install` installs pyvips-binary, which makes them."
        )
    told = f"Pictures are made by {engine} ({_version(_PACKAGES[engine])}), as {', '.join(formats)}."
    if PictureFormat.AVIF not in formats:
        return CheckResult(
            CheckStatus.FAILED, f"{told} Browsers ask for AVIF first. `make install` installs what makes it."
        )
    if engine is EngineName.PILLOW:
        return CheckResult(
            CheckStatus.WARNING, f"{told} It works, and takes twice the CPU of pyvips-binary: install that."
        )
    return CheckResult(CheckStatus.OK, told)


async def _list_formats(engine: EngineName) -> list[PictureFormat]:
    """Return in which formats an engine draws a picture; none when it is not there."""
    drawing = monogram("Fair Ground", seed="")

    async def load() -> bytes:
        return drawing

    renderer, formats = Renderer(ImageSettings(renderers=1), engine=engine), []
    async with renderer.running():
        for picture_format in _MADE:
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


async def _examine_embedded(embedded: EmbeddedPictures) -> AsyncIterator[CheckResult]:
    report = await embedded.inspect_embedded()
    if report.addresses:
        yield CheckResult(
            CheckStatus.FAILED,
            f"{report.addresses} rows hold a whole picture (data:) where its address belongs: somebody has dropped what"
            " refuses them. `fairground db upgrade` makes that anew; set these to NULL and import the pictures.",
        )
    else:
        yield CheckResult(CheckStatus.OK, "No row holds a whole picture (data:) where its address belongs.")
    if waiting := sum(report.waiting.values()):
        yield CheckResult(
            CheckStatus.WARNING, f"{waiting} pictures of imports wait: /admin/migrations makes files of them."
        )
    for code, count in sorted(report.failed.items()):
        told = f"{count} pictures of imports cannot be shown ({code}): mend them at their source, and import them."
        yield CheckResult(CheckStatus.WARNING, told)


async def _examine_chosen(care: PictureCare, galleries: Galleries) -> AsyncIterator[CheckResult]:
    missing, after = 0, UUID(int=0)
    while chosen := await galleries.list_chosen(after=after):
        missing += len(await care.find_missing(picture_ids=chosen))
        after = chosen[-1]
    if missing:
        told = f"{missing} pictures that portraits and galleries show are gone: their owners choose others."
        yield CheckResult(CheckStatus.FAILED, told)
    else:
        yield CheckResult(CheckStatus.OK, "All that portraits and galleries show is there.")


async def _examine_pictures(care: PictureCare) -> AsyncIterator[CheckResult]:
    report = await care.inspect_pictures()
    states = ", ".join(f"{count} {state}" for state, count in sorted(report.by_state.items()))
    yield CheckResult(CheckStatus.OK, f"Pictures: {states or 'none'}.")
    if report.bare:
        yield CheckResult(
            CheckStatus.WARNING,
            f"{report.bare} originals have no sizes any more: each is made when somebody asks for it.",
        )
    if report.lost_renditions:
        told = f"{report.lost_renditions} sizes are not in the store: each is made anew when somebody asks for it."
        yield CheckResult(CheckStatus.WARNING, told)
    if report.lost_originals:
        told = f"{report.lost_originals} originals are not in the store: bring `original/` back from a backup of it."
        yield CheckResult(CheckStatus.FAILED, told)
    if not report.lost_originals and not report.lost_renditions:
        yield CheckResult(CheckStatus.OK, "Every file that is referred to is in the store.")
