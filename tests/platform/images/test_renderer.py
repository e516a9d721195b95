import asyncio
import io
import os
import random
import signal
import sys
from asyncio.subprocess import PIPE
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from PIL import Image

from fairground.kernel.errors import DomainError
from fairground.platform.images.accepted_pictures import read_head
from fairground.platform.images.child import EngineName
from fairground.platform.images.formats import PictureFormat
from fairground.platform.images.recipes import MASTER, PLACEHOLDER, UPLOAD, Recipe, Shape
from fairground.platform.images.refusals import PictureBroken, PictureTooCostly, RendererBusy, RendererUnavailable
from fairground.platform.images.renderer import Renderer
from fairground.platform.images.rendering.canvas import Rendered
from fairground.platform.images.settings import ImageSettings
from tests.support.hostile_pictures import mutate, progressive_bomb
from tests.support.pictures import is_upright, opened, photograph, store
from tests.support.proofs import Dose
from tests.support.waiting import until

AVATAR: Final = Recipe(Shape.SQUARE, 64, PictureFormat.WEBP, 80)
SMALL: Final = photograph(160, 120)


class Source:
    """A picture that counts its loads, and can be held back."""

    def __init__(self, content: bytes = SMALL) -> None:
        self.loads = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self._content = content

    async def load(self) -> bytes:
        self.loads += 1
        await self.gate.wait()
        return self._content


@asynccontextmanager
async def rendering(*, engine: EngineName = EngineName.BEST, **settings: Any) -> AsyncIterator[Renderer]:
    renderer = Renderer(ImageSettings(**({"renderers": 1} | settings)), engine=engine)
    async with renderer.running():
        yield renderer


def children() -> set[int]:
    """Return the processes that this one has started and that still run."""
    own = Path(f"/proc/self/task/{os.getpid()}/children")
    return {int(pid) for pid in own.read_text().split()}


def is_there(process_id: int) -> bool:
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_child_renders_every_recipe_of_an_upload(engine_name: EngineName) -> None:
    async with rendering(engine=engine_name) as renderer:
        rendered = await renderer.render("photo", UPLOAD, Source(photograph(500, 400, orientation=6)).load)
    assert (rendered.width_px, rendered.height_px) == (500, 400)
    assert {one.recipe for one in rendered.derivatives} >= {MASTER, PLACEHOLDER}
    assert all(is_upright(opened(one.content)) for one in rendered.derivatives)


async def test_thousand_requests_for_ten_pictures_take_ten_renderings() -> None:
    async with rendering(renderers=2, queue_max=8) as renderer:
        sources = [Source() for _ in range(10)]
        renders = [renderer.render(f"photo {at % 10}", [AVATAR], sources[at % 10].load) for at in range(1_000)]
        rendered = await asyncio.gather(*renders)
    assert [source.loads for source in sources] == [1] * 10
    assert len({id(one) for one in rendered}) == 10
    assert renderer.stats.joined == 990
    assert sum(renderer.stats.durations.counts) == 10


async def test_requests_with_distinct_names_are_rendered_separately() -> None:
    """The control of the test above."""
    async with rendering(queue_max=100) as renderer:
        source = Source()
        await asyncio.gather(*(renderer.render(f"photo {at}", [AVATAR], source.load) for at in range(20)))
    assert source.loads == 20


async def test_request_to_a_full_queue_is_refused_at_once() -> None:
    async with rendering(queue_max=2) as renderer, asyncio.TaskGroup() as group:
        source = Source()
        source.gate.clear()
        taken = [group.create_task(renderer.render(f"photo {at}", [AVATAR], source.load)) for at in range(3)]
        await until(lambda: source.loads == 1)
        assert renderer.waiting == 2
        with pytest.raises(RendererBusy):
            await renderer.render("one too many", [AVATAR], source.load)
        joined = group.create_task(renderer.render("photo 2", [AVATAR], source.load))
        source.gate.set()
        assert (await taken[2]) is (await joined)
    assert renderer.stats.failed == {"images.renderer_busy": 1}


async def test_cancelling_one_caller_leaves_the_others_waiting() -> None:
    async with rendering() as renderer, asyncio.TaskGroup() as group:
        source = Source()
        source.gate.clear()
        first = group.create_task(renderer.render("photo", [AVATAR], source.load))
        second = group.create_task(renderer.render("photo", [AVATAR], source.load))
        await until(lambda: source.loads == 1)
        first.cancel()
        source.gate.set()
        assert (await second).derivatives
    assert first.cancelled()


async def test_failed_load_costs_no_child() -> None:
    async def gone() -> bytes:
        raise FileNotFoundError("gone")

    async with rendering() as renderer:
        with pytest.raises(FileNotFoundError):
            await renderer.render("gone", [AVATAR], gone)
        assert (await renderer.render("photo", [AVATAR], Source().load)).derivatives
    assert renderer.stats.children_started == 1


async def test_damaged_picture_is_refused_and_the_child_goes_on(engine_name: EngineName) -> None:
    damaged = photograph(400, 300, kind="WEBP")[:-4000] + bytes(4000)
    async with rendering(engine=engine_name) as renderer:
        with pytest.raises(PictureBroken) as refused:
            await renderer.render("damaged", [AVATAR], Source(damaged).load)
        assert "Save a copy" in refused.value.hint
        assert (await renderer.render("photo", [AVATAR], Source().load)).derivatives
    assert renderer.stats.children_started == 1


@pytest.mark.parametrize(
    "limits", [{"cpu_seconds": 1}, {"wall_seconds": 1, "cpu_seconds": 300}], ids=["CPU time", "time"]
)
async def test_bomb_costs_one_picture_and_one_child(limits: dict[str, Any]) -> None:
    async with rendering(**limits) as renderer:
        with pytest.raises(PictureTooCostly):
            await renderer.render("bomb", [AVATAR], Source(progressive_bomb()).load)
        assert (await renderer.render("photo", [AVATAR], Source().load)).derivatives
    assert renderer.stats.children_started == 2


async def test_picture_beyond_the_memory_limit_is_too_costly(engine_name: EngineName) -> None:
    # A progressive JPEG is kept whole until its end, two bytes a pixel and colour: 347 MB.
    async with rendering(engine=engine_name, memory_mebibytes=256) as renderer:
        with pytest.raises((PictureTooCostly, PictureBroken)):
            await renderer.render("greedy", [AVATAR], Source(progressive_bomb()).load)
        assert (await renderer.render("photo", [AVATAR], Source().load)).derivatives


async def test_large_picture_is_decoded_in_memory_not_on_disk(engine_name: EngineName) -> None:
    large = store(Image.new("RGB", (8_000, 5_000), "teal"), "WEBP", lossless=True, method=0, quality=0)
    async with rendering(engine=engine_name) as renderer:
        assert (await renderer.render("large", [AVATAR], Source(large).load)).width_px == 8_000


async def test_child_killed_from_outside_is_replaced() -> None:
    async with rendering(renderers=1) as renderer:
        before = children()
        await renderer.render("photo", [AVATAR], Source().load)
        (child,) = children() - before
        os.kill(child, signal.SIGKILL)
        await until(lambda: not is_there(child))
        await asyncio.sleep(0.05)
        assert (await renderer.render("again", [AVATAR], Source().load)).derivatives
        (child,) = children() - before
        bomb = asyncio.ensure_future(renderer.render("slow", [AVATAR], Source(progressive_bomb()).load))
        await asyncio.sleep(0.3)
        os.kill(child, signal.SIGKILL)
        with pytest.raises(RendererUnavailable):
            await bomb


async def test_child_is_replaced_after_its_number_of_renders() -> None:
    async with rendering(renders_max=3) as renderer:
        for at in range(7):
            await renderer.render(f"photo {at}", [AVATAR], Source().load)
    assert renderer.stats.children_started == 3


async def test_child_is_replaced_when_its_memory_has_grown() -> None:
    async with rendering(resident_mebibytes=32) as renderer:
        for at in range(2):
            await renderer.render(f"photo {at}", UPLOAD, Source(photograph(1600, 1200)).load)
    assert renderer.stats.children_started == 2


async def test_stop_leaves_no_child_and_no_waiting_caller() -> None:
    before = children()
    renderer = Renderer(ImageSettings(renderers=2))
    source = Source()

    async def ask(name: str, content: Source) -> Rendered | DomainError:
        try:
            return await renderer.render(name, [AVATAR], content.load)
        except DomainError as error:
            return error

    async with asyncio.TaskGroup() as group, renderer.running():
        await renderer.render("photo", [AVATAR], source.load)
        source.gate.clear()
        left = [group.create_task(ask(f"photo {at}", source)) for at in range(5)]
        left.append(group.create_task(ask("slow", Source(progressive_bomb()))))
        await asyncio.sleep(0.3)
    assert {type(task.result()) for task in left} == {RendererUnavailable}
    assert children() == before
    with pytest.raises(RendererUnavailable):
        await renderer.render("photo", [AVATAR], source.load)


async def test_child_that_does_not_start_raises_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    async with rendering() as renderer:
        with pytest.raises(RendererUnavailable):
            await renderer.render("photo", [AVATAR], Source().load)


@pytest.mark.parametrize(
    "answer",
    ['{"rendered": {}, "sizes": [9000000000]}', '{"rendered": {}, "sizes": []}', "[]", "nonsense", "9" * 99_999],
    ids=["too large", "nothing", "no answer", "no JSON", "no end"],
)
async def test_child_that_was_taken_over_costs_one_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    """A hijacked decoder can answer anything, and must not fill the memory of its parent."""
    taken_over = tmp_path / "child"
    taken_over.write_text(f"#!/bin/sh\necho 'ready vips'\nread request\necho '{answer}'\nexec /bin/sleep 600\n")
    taken_over.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(taken_over))
    async with rendering() as renderer:
        with pytest.raises(PictureTooCostly, match="could not be decoded"):
            await renderer.render("photo", [AVATAR], Source().load)


async def test_child_has_no_environment_and_few_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRGROUND_SECRET_OF_THE_TEST", "hidden")
    before = children()
    async with rendering(memory_mebibytes=512) as renderer:
        await renderer.render("photo", [AVATAR], Source().load)
        (child,) = children() - before
        environment = Path(f"/proc/{child}/environ").read_bytes()
        limits = Path(f"/proc/{child}/limits").read_text()
        files = {str(path.readlink()) for path in Path(f"/proc/{child}/fd").iterdir()}
    assert b"FAIRGROUND" not in environment
    assert b"PATH" not in environment
    assert limits.split("Max address space")[1].split()[:2] == [str(512 << 20)] * 2
    assert limits.split("Max file size")[1].split()[:2] == ["0", "0"]
    assert all(name.startswith(("pipe:", "socket:", "/dev/null")) or "/proc/" in name for name in files), files


_PARENT: Final = """
import asyncio, sys
from fairground.platform.images.accepted_pictures import read_head
from fairground.platform.images.recipes import MASTER
from fairground.platform.images.renderer import Renderer
from fairground.platform.images.settings import ImageSettings

async def main():
    renderer = Renderer(ImageSettings())
    async def load():
        return open(sys.argv[1], "rb").read()
    async with renderer.running():
        await renderer.render("photo", [MASTER], load)
        assert not {"PIL", "pyvips", "_libvips", "cffi"} & set(sys.modules)
        print("rendered", flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_the_program_never_loads_a_decoder_and_its_children_do_not_outlive_it(tmp_path: Path) -> None:
    (tmp_path / "photo").write_bytes(SMALL)
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", _PARENT, str(tmp_path / "photo"), stdout=PIPE)
    assert parent.stdout is not None
    while (line := await parent.stdout.readline()) != b"rendered\n":
        assert line, "The parent ended early."
    own = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
    assert len(own) == 1
    parent.kill()
    await parent.wait()
    await until(lambda: not is_there(int(own[0])))


@pytest.mark.proof
async def test_mutated_picture_is_rendered_or_refused(
    engine_name: EngineName, dose: Dose, figure: Callable[[str, float, str], None]
) -> None:
    """The decoder gets those, too, that admission would have refused."""
    chance = random.Random(20_240_517)
    sources = [photograph(200, 150, kind=kind, orientation=6) for kind in ("JPEG", "PNG", "WEBP", "AVIF")]
    files = [mutate(chance.choice(sources), chance) for _ in range(dose(small=150, full=5_000))]
    heads, decoded = Counter[str](), Counter[str]()
    async with rendering(engine=engine_name) as renderer:
        for number, content in enumerate(files):
            try:
                read_head(io.BytesIO(content), bytes_max=len(content))
                heads["let in"] += 1
            except DomainError as error:
                heads[error.code] += 1
            try:
                await renderer.render(f"mutated {number}", [AVATAR], Source(content).load)
                decoded["rendered"] += 1
            except DomainError as error:
                decoded[error.code] += 1
    figure(f"mutated pictures let in by their heads, of {len(files)}", heads["let in"], "")
    figure(f"mutated pictures that {engine_name} rendered", decoded["rendered"], "")
    figure("children it took", renderer.stats.children_started, "")
    assert decoded.keys() <= {"rendered", "images.broken", "images.too_costly", "images.too_large"}
    assert min(heads["let in"], decoded["rendered"], decoded["images.broken"]) > 0


@pytest.mark.proof
async def test_many_renders_leave_memory_as_it_was(dose: Dose, figure: Callable[[str, float, str], None]) -> None:
    """Mixed sources, sizes and formats; memory of this process's children together, after a tenth and at the end."""
    renders = dose(small=80, full=10_000)
    sources = [
        photograph(*size, kind=kind)
        for size, kind in (((1024, 1024), "JPEG"), ((900, 600), "WEBP"), ((500, 700), "PNG"), ((640, 480), "AVIF"))
    ]
    recipes = [
        Recipe(shape, width_px, kind, 80)
        for shape, width_px in ((Shape.SQUARE, 96), (Shape.SQUARE, 256), (Shape.WHOLE, 400))
        for kind in (PictureFormat.WEBP, PictureFormat.JPEG, PictureFormat.WEBP, PictureFormat.AVIF)
    ]
    before = children()
    async with rendering(renderers=2, renders_max=1_000_000) as renderer:

        async def render_from(start: int, end: int) -> None:
            for at in range(start, end):
                content = sources[at % len(sources)]
                await renderer.render(f"photo {at}", [recipes[at * 7 % len(recipes)]], Source(content).load)

        async def render_all(start: int, end: int) -> int:
            middle = (start + end) // 2
            await asyncio.gather(render_from(start, middle), render_from(middle, end))
            return sum(resident_bytes(child) for child in children() - before)

        warm = await render_all(0, renders // 5)
        after = await render_all(renders // 5, renders)
    figure(f"memory of two children after {renders} renders against after a fifth", after / warm, "×")
    figure("memory of two children", after / 2**20, "MiB")
    assert renderer.stats.children_started == 2
    assert after <= (1.15 if dose.is_full else 1.5) * warm  # a small dose is all warm-up


def resident_bytes(process_id: int) -> int:
    return int(Path(f"/proc/{process_id}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
