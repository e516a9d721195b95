"""Every size is upright, however the camera was held, and holds no trace of place or camera."""

import io
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final

import exifread
import pytest
import pyvips
from PIL import Image, ImageChops, ImageOps, ImageStat
from sqlalchemy import select

from fairground.modules.media.tables import OriginalRow, RenditionRow
from fairground.platform.images.recipes import GALLERY, LADDER_PX, MASTER
from tests.support.databases import copy_of
from tests.support.gallery import Gallery, open_gallery
from tests.support.pictures import draw_scene, exif, list_traces, opened, store, turned
from tests.support.portrait_owners import PortraitOwner, open_portrait_owner
from tests.support.proofs import IS_FULL, Dose

pytestmark = pytest.mark.timeout(1800 if IS_FULL else 180)

ORIENTATIONS: Final = range(1, 9)
FORMATS: Final = ("jpeg", "webp", "avif")


@pytest.fixture(scope="module")
async def gallery(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gallery]:
    folder = tmp_path_factory.mktemp("upright")
    async with open_gallery(copy_of(sqlite_template, folder), folder / "data") as opened_gallery:
        yield opened_gallery


@pytest.fixture(scope="module")
async def owner(gallery: Gallery) -> PortraitOwner:
    return await open_portrait_owner(gallery.program, gallery.visitor)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
async def test_a_drawn_photo_in_every_orientation(
    gallery: Gallery, owner: PortraitOwner, orientation: int, dose: Dose
) -> None:
    scene = draw_scene(700, 500)
    await check(gallery, owner, store(turned(scene, orientation), "JPEG", exif=exif(orientation)), scene, dose=dose)


async def test_the_files_of_a_real_camera(gallery: Gallery, owner: PortraitOwner, real_data: Path, dose: Dose) -> None:
    """As they are, and as they would be had the camera been held otherwise."""
    photos = sorted((real_data / "photos").glob("*.jpg"))
    assert photos
    for photo in photos[: dose(small=1, full=None)]:
        scene = ImageOps.exif_transpose(opened(photo.read_bytes())).convert("RGB")
        await check(gallery, owner, photo.read_bytes(), scene, dose=dose)
        for orientation in random.sample(ORIENTATIONS, dose(small=1, full=8)):
            content = store(turned(scene, orientation), "JPEG", exif=exif(orientation))
            await check(gallery, owner, content, scene, dose=dose)


async def check(gallery: Gallery, owner: PortraitOwner, content: bytes, scene: Image.Image, *, dose: Dose) -> None:
    """Bring a photo as a provider's portrait, and look at everything that can be seen of it."""
    assert read_metadata(content), "The photo must have something to lose."
    picture = await owner.upload(content)
    square = await owner.choose(picture)
    seen = [(each, scene) for each in await whole_pictures(gallery, picture, scene, dose=dose)]
    middle = ImageOps.fit(scene, (512, 512), Image.Resampling.LANCZOS)
    seen += [(each, middle) for each in [await master_of(gallery), *await faces(gallery, square, dose=dose)]]
    for shown, expected in seen:
        assert (read_metadata(shown), list_traces(shown)) == ({}, [])
        assert orientation_of(opened(shown), expected) == 1


async def whole_pictures(gallery: Gallery, picture: Any, scene: Image.Image, *, dose: Dose) -> list[bytes]:
    shown = []
    for width_px, quality in GALLERY:
        for fmt in dose(small=FORMATS[:2], full=FORMATS):
            answer = await gallery.visitor.get(f"{picture['url']}&w={width_px}&q={quality}&fmt={fmt}")
            image = opened(answer.content)
            assert image.format == fmt.upper()
            assert abs(image.width / image.height - scene.width / scene.height) < 0.01
            shown.append(answer.content)
    return shown


async def faces(gallery: Gallery, square: str, *, dose: Dose) -> list[bytes]:
    shown = []
    for width_px in dose(small=(32, 256), full=LADDER_PX[:13]):
        for fmt in FORMATS:
            answer = await gallery.visitor.get(f"{square}&w={width_px}&fmt={fmt}")
            assert opened(answer.content).size == (width_px, width_px)
            shown.append(answer.content)
    return shown


async def master_of(gallery: Gallery) -> bytes:
    """Return the master of what was brought last."""
    async with gallery.program.db.read() as tx:
        newest = select(OriginalRow.digest).order_by(OriginalRow.rendered_at.desc()).limit(1).scalar_subquery()
        expected = RenditionRow.original_digest == newest, RenditionRow.recipe == MASTER.name
        key = await tx.scalar(select(RenditionRow.key).where(*expected))
    async with gallery.program.runtime.files.read(key) as reading:
        return b"".join([chunk async for chunk in reading.chunks])


def read_metadata(content: bytes) -> dict[str, Any]:
    """Return what a program finds that is neither of the libraries which make our pictures."""
    found: dict[str, Any] = exifread.process_file(io.BytesIO(content), details=False)
    return found


def orientation_of(image: Image.Image, expected: Image.Image) -> int:
    """Return the orientation, of eight, in which the expected picture is most like this one: 1 when it is upright."""
    side = (32, 32)
    small = image.convert("RGB").resize(side, Image.Resampling.BOX)
    ways = {way: turned(expected.convert("RGB"), way).resize(side, Image.Resampling.BOX) for way in ORIENTATIONS}
    return min(ways, key=lambda way: sum(ImageStat.Stat(ImageChops.difference(small, ways[way])).mean))


def careless_copies(content: bytes) -> Iterator[bytes]:
    """Make pictures of a photo as a program would that forgets to strip them."""
    # Through memory: other tests of this process may have forbidden libvips all that pictures of ours do not need.
    pixels = opened(content)
    image = pyvips.Image.new_from_memory(pixels.tobytes(), *pixels.size, len(pixels.mode), "uchar").copy()
    image.set_type(pyvips.GValue.blob_type, "exif-data", exif(1))
    yield image.jpegsave_buffer(keep="exif")
    yield image.webpsave_buffer(keep="exif")
    yield store(pixels, "AVIF", exif=exif(1))


@pytest.mark.parametrize("orientation", range(2, 9))
def test_what_was_not_turned_or_stripped_is_noticed(orientation: int) -> None:
    """The control: the reader finds metadata in each format, and no orientation is taken for another."""
    scene = draw_scene(700, 500)
    camera = turned(scene, orientation)
    assert orientation_of(camera, scene) == orientation
    for copy in careless_copies(store(camera, "JPEG", exif=exif(orientation))):
        assert {"Image Make", "GPS GPSLatitude"} <= read_metadata(copy).keys()
        assert list_traces(copy)
