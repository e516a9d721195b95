"""The CPU time of rendering: against Pillow as it is usually used, against sharp, against thumbor.

The source is a drawn photo of 12 megapixels and, where the real data is, a sheet of real ones of the same size. These
are small and sharp to the pixel, so they are enlarged until a pixel takes as many bytes as in a camera's large photos.
"""

import asyncio
import io
import os
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from PIL import Image

from benchmarks.measuring import Cost, Meter, Rounds
from benchmarks.peers import sharp, thumbor
from benchmarks.results import Recorder
from fairground.platform.images.child import EngineName, open_engine
from fairground.platform.images.formats import PictureFormat
from fairground.platform.images.recipes import MASTER, PLACEHOLDER, UPLOAD, Recipe, Shape, gallery
from fairground.platform.images.renderer import Renderer
from fairground.platform.images.rendering.canvas import render
from fairground.platform.images.settings import ImageSettings
from tests.support.drawn_photo import draw_photo
from tests.support.proofs import Dose

SECTION: Final = "Pictures"
AVATARS: Final = Dose()(small=20, full=40)
COUNT: Final = Dose()(small=1, full=5)
"""How many pictures of a kind a round makes."""
SIZE_PX: Final = (4032, 3024)
WEBP, JPEG = (
    Recipe(Shape.WHOLE, 512, kind, quality) for kind, quality in ((PictureFormat.WEBP, 90), (PictureFormat.JPEG, 85))
)
AGAINST_PILLOW_MAX: Final = {PictureFormat.WEBP: 0.4, PictureFormat.JPEG: 0.29}
# Pillow's names for the settings of our recipes: with another effort, encoders would be compared.
SAME_EFFORT: Final[dict[PictureFormat, dict[str, Any]]] = {
    PictureFormat.WEBP: {"method": 2},
    PictureFormat.JPEG: {"optimize": True},
}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photos") / "drawn.jpg"
    draw_photo(*SIZE_PX).jpegsave(str(path), Q=90)
    return path


@pytest.fixture(scope="module")
def sheet(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photos") / "sheet.jpg"
    photos: list[Image.Image] = [Image.open(photo) for photo in sorted((real_data / "photos").glob("*.jpg"))]
    photos = [photo.resize((photo.width * 8 // 5, photo.height * 8 // 5), Image.Resampling.BICUBIC) for photo in photos]
    whole, (across, down) = Image.new("RGB", SIZE_PX), photos[0].size
    places = [(left, top) for top in range(0, SIZE_PX[1], down) for left in range(0, SIZE_PX[0], across)]
    for number, place in enumerate(places):
        whole.paste(photos[number % len(photos)], place)
    whole.save(path, quality=90)
    return path


@pytest.fixture(params=["drawn", "sheet"])
def photo(request: pytest.FixtureRequest) -> Path:
    path: Path = request.getfixturevalue(request.param)
    return path


def cost_of(work: Callable[[], object], *, count: int = COUNT) -> Cost:
    meter = Meter(os.getpid())
    for _ in range(count):
        work()
    return meter.cost(units=count)


def by_pillow(content: bytes, recipes: list[Recipe]) -> None:
    """Make each picture as most programs do: decode all of it, scale it, encode it."""
    for recipe in recipes:
        image = Image.open(io.BytesIO(content))
        size = (recipe.width_px, round(image.height * recipe.width_px / image.width))
        scaled = image.resize(size, Image.Resampling.LANCZOS)
        scaled.save(io.BytesIO(), recipe.format.value, quality=recipe.quality, **SAME_EFFORT[recipe.format])


def in_turns(**sides: Callable[[], Cost]) -> Rounds:
    rounds = Rounds()
    for name in rounds.turns(*sides):
        rounds.add(name, sides[name]())
    return rounds


@pytest.mark.parametrize("recipe", [WEBP, JPEG], ids=["webp", "jpeg"])
@pytest.mark.parametrize("name", [EngineName.VIPS, EngineName.PILLOW])
def test_one_picture_against_pillow(photo: Path, recipe: Recipe, name: EngineName, record: Recorder) -> None:
    content, (_, engine) = photo.read_bytes(), open_engine(name)
    rounds = in_turns(
        ours=lambda: cost_of(lambda: render(engine, content, [recipe])),
        theirs=lambda: cost_of(lambda: by_pillow(content, [recipe])),
    )
    what, against = f"{photo.stem}: 12 MP to 512 px {recipe.format} by {name}", "Pillow: full decode, LANCZOS"
    most = AGAINST_PILLOW_MAX[recipe.format] if name is EngineName.VIPS else None
    record.compare(SECTION, what, against, rounds, unit="picture", cpu_ratio_max=most)


@pytest.mark.parametrize("name", [EngineName.VIPS, EngineName.PILLOW])
def test_a_gallery_against_pillow(photo: Path, name: EngineName, record: Recorder) -> None:
    content, (_, engine) = photo.read_bytes(), open_engine(name)
    widths = gallery(PictureFormat.WEBP)
    rounds = in_turns(
        ours=lambda: cost_of(lambda: render(engine, content, (*widths, PLACEHOLDER))),
        theirs=lambda: cost_of(lambda: by_pillow(content, list(widths)), count=1),
        upload=lambda: cost_of(lambda: render(engine, content, UPLOAD), count=1),
    )
    what = f"{photo.stem}: 400, 800 and 1200 px WebP and placeholder by {name}"
    most = 0.37 if name is EngineName.VIPS else None
    record.compare(SECTION, what, "Pillow: three full decodes", rounds, unit="gallery", cpu_ratio_max=most)
    upload = rounds.median("upload").cpu_seconds * 1_000
    record.note(SECTION, f"{photo.stem}: all of an upload by {name}", upload, "ms of CPU")


@pytest.mark.parametrize("recipe", [WEBP, JPEG], ids=["webp", "jpeg"])
def test_one_picture_against_sharp(
    photo: Path, recipe: Recipe, tmp_path_factory: pytest.TempPathFactory, record: Recorder
) -> None:
    peer = sharp.install(tmp_path_factory.mktemp("sharp"))
    content, (_, engine) = photo.read_bytes(), open_engine(EngineName.VIPS)
    rounds = in_turns(
        ours=lambda: cost_of(lambda: render(engine, content, [recipe])),
        theirs=lambda: peer.cost(photo, recipe.format.value, recipe.quality, count=COUNT),
    )
    what = f"{photo.stem}: 12 MP to 512 px {recipe.format}"
    record.compare(SECTION, what, "sharp, the same libvips", rounds, unit="picture", cpu_ratio_max=1.25)


@pytest.fixture
def thumbor_server(tmp_path: Path, drawn: Path) -> Iterator[tuple[str, int]]:
    (tmp_path / "photo.jpg").write_bytes(drawn.read_bytes())
    with thumbor.serving(tmp_path) as server:
        yield server


@pytest.fixture
def content(drawn: Path) -> bytes:
    return drawn.read_bytes()


async def test_an_avatar_from_its_master_against_thumbor_from_the_original(
    thumbor_server: tuple[str, int], content: bytes, record: Recorder
) -> None:
    """Ours: a child process and what this process does for it, without HTTP. Theirs: the server, with HTTP."""
    address, process_id = thumbor_server
    (master,) = render(open_engine(EngineName.VIPS)[1], content, [MASTER]).derivatives

    async def load() -> bytes:
        return master.content

    renderer = Renderer(ImageSettings(renderers=1))
    async with renderer.running(), httpx.AsyncClient() as client:
        for kind in (PictureFormat.WEBP, PictureFormat.JPEG):
            recipe = Recipe(Shape.SQUARE, 256, kind, 80)
            theirs_at = f"{address}/256x256/filters:format({kind})/photo.jpg"
            rounds = Rounds()
            for name in rounds.turns("ours", "theirs"):
                meter = Meter(os.getpid()) if name == "ours" else Meter(process_id)
                count = AVATARS if name == "ours" else AVATARS // 4
                for at in range(count):
                    if name == "ours":
                        await renderer.render(f"avatar {at}", [recipe], load)
                    else:
                        (await client.get(theirs_at)).raise_for_status()
                rounds.add(name, meter.cost(units=count))
            what, against = f"an avatar of 256 px {kind}, from its master", "thumbor 7.8, from the original, by HTTP"
            record.compare(SECTION, what, against, rounds, unit="picture", cpu_ratio_max=0.1)


async def test_the_loop_while_pictures_are_made(content: bytes, record: Recorder) -> None:
    async def load() -> bytes:
        return content

    async def render_twenty() -> None:
        await asyncio.gather(*(renderer.render(f"photo {at}", UPLOAD, load) for at in range(20)))

    renderer = Renderer(ImageSettings(renderers=1))
    async with renderer.running():
        await renderer.render("warm", UPLOAD, load)
        started = time.process_time()
        await render_twenty()
        record.note(SECTION, "one upload, our process alone", (time.process_time() - started) / 20 * 1000, "ms of CPU")
        rendering = await _longest_turn(render_twenty())
    record.note(SECTION, "longest turn of the event loop while 20 uploads are rendered", rendering * 1000, "ms of CPU")


async def _longest_turn(work: Coroutine[object, object, None]) -> float:
    """Return the most that the loop did at once, in CPU: wall time would include other work of the machine."""
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        while True:
            started = time.thread_time()
            await asyncio.sleep(0)
            longest = max(longest, time.thread_time() - started)

    async with asyncio.TaskGroup() as group:
        ticking = group.create_task(tick())
        await work
        ticking.cancel()
    return longest


@pytest.mark.parametrize("name", [EngineName.VIPS, EngineName.PILLOW])
async def test_memory_for_the_largest_png(name: EngineName, content: bytes, record: Recorder) -> None:
    out, before = io.BytesIO(), _children()
    photo = Image.open(io.BytesIO(content)).resize((8_900, 6_600))
    photo.quantize(64, dither=Image.Dither.NONE).convert("RGB").save(out, "PNG", compress_level=1)

    async def load() -> bytes:
        return out.getvalue()

    renderer = Renderer(ImageSettings(renderers=1), engine=name)
    async with renderer.running():
        await renderer.render("small", [PLACEHOLDER], _small)
        (child,) = _children() - before
        most = _most_bytes(child)
        await renderer.render("png", UPLOAD, load)
        most = _most_bytes(child) - most - len(out.getvalue())
    what = f"memory for a PNG of 59 MP by {name}, beside its {len(out.getvalue()) >> 20} MiB"
    record.note(SECTION, what, most / 2**20, "MiB at most")


async def _small() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 64)).save(out, "PNG")
    return out.getvalue()


def _most_bytes(process_id: int) -> int:
    return int(Path(f"/proc/{process_id}/status").read_text().split("VmHWM:")[1].split()[0]) * 1024


def _children() -> set[int]:
    return {int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()}
