import io
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import run
from typing import Final

import pytest
from PIL import Image

from fairground.kernel.errors import DomainError
from fairground.platform.images.accepted_pictures import read_head
from fairground.platform.images.formats import PictureFormat
from fairground.platform.images.headers import Head
from fairground.platform.images.refusals import PictureTooHeavy, PictureTypeMismatch, PictureTypeRefused
from tests.support.hostile_pictures import list_hostile
from tests.support.pictures import photograph, store

BYTES_MAX: Final = 20 * 1024 * 1024
HOSTILE: Final = list(list_hostile())


def head_of(content: bytes, *, media_type: str = "") -> Head:
    return read_head(io.BytesIO(content), bytes_max=BYTES_MAX, media_type=media_type)


@pytest.mark.parametrize(("content", "code"), [pytest.param(*rest, id=name) for name, *rest in HOSTILE])
def test_hostile_file_is_refused_with_a_hint(content: bytes, code: str) -> None:
    with pytest.raises(DomainError) as refused:
        head_of(content)
    assert refused.value.code == code
    assert refused.value.detail.endswith(".")
    assert refused.value.hint.endswith(".")


@pytest.mark.parametrize(
    ("kind", "how"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"restart_marker_rows": 1}),
        ("PNG", {}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"exif": b"", "icc_profile": b""}),
        ("AVIF", {}),
    ],
)
def test_photo_is_admitted_with_its_size(kind: str, how: dict[str, object]) -> None:
    content = (
        photograph(641, 480, kind=kind) if "exif" in how else store(Image.new("RGB", (641, 480), "red"), kind, **how)
    )
    assert head_of(content) == Head(PictureFormat(kind.lower()), 641, 480)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_png_of_any_colour_type_is_admitted(mode: str) -> None:
    assert head_of(store(Image.new(mode, (20, 30)), "PNG")) == Head(PictureFormat.PNG, 20, 30)


def test_bytes_behind_the_picture_are_ignored() -> None:
    for kind in ("JPEG", "PNG", "WEBP"):
        assert head_of(photograph(64, 48, kind=kind) + b"PK\x03\x04" + b"\xff\xda" * 500).width_px == 64


def test_gigabyte_is_refused_unread(tmp_path: Path) -> None:
    file = tmp_path / "large.jpg"
    with file.open("wb") as out:
        out.write(photograph(64, 48))
        out.truncate(1 << 30)
    with file.open("rb") as opened, pytest.raises(PictureTooHeavy) as refused:
        read_head(opened, bytes_max=BYTES_MAX)
    assert refused.value.context == {"bytes_max": BYTES_MAX}


@pytest.mark.parametrize(
    "media_type", ["image/jpeg", "IMAGE/JPEG; charset=binary", "image/jpg", "", "application/octet-stream"]
)
def test_declared_type_of_the_file_is_admitted(media_type: str) -> None:
    assert head_of(photograph(64, 48), media_type=media_type).format is PictureFormat.JPEG


@pytest.mark.parametrize("media_type", ["image/png", "image/svg+xml", "text/html", "image/jpegs"])
def test_file_of_another_type_than_declared_is_refused(media_type: str) -> None:
    with pytest.raises(PictureTypeMismatch):
        head_of(photograph(64, 48), media_type=media_type)


def test_heic_refusal_names_the_setting_of_the_iphone() -> None:
    heic = next(content for name, content, _ in HOSTILE if name == "heic")
    with pytest.raises(PictureTypeRefused, match="HEIC") as refused:
        head_of(heic)
    assert "Most Compatible" in refused.value.hint


def test_real_camera_photos_are_admitted(real_data: Path) -> None:
    photos = sorted((real_data / "photos").glob("*.jpg"))
    assert photos
    for photo in photos:
        with photo.open("rb") as file:
            assert read_head(file, bytes_max=BYTES_MAX).format is PictureFormat.JPEG


@pytest.mark.proof
def test_hostile_file_takes_little_time_and_memory(tmp_path: Path, figure: Callable[[str, float, str], None]) -> None:
    """Measured in a process of its own, which is empty: CPU for the slowest file, memory over all of them."""
    for number, (_, content, _) in enumerate(HOSTILE):
        (tmp_path / str(number)).write_bytes(content)
    program = """
import sys, time
from pathlib import Path
from fairground.kernel.errors import DomainError
from fairground.platform.images.accepted_pictures import read_head
def most_kib():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
before, slowest = most_kib(), 0.0
for path in Path(sys.argv[1]).iterdir():
    started = time.process_time()
    try:
        with path.open("rb") as file: read_head(file, bytes_max=20 << 20)
    except DomainError: pass
    slowest = max(slowest, time.process_time() - started)
assert not {"PIL", "pyvips", "fastapi"} & set(sys.modules)
print(slowest * 1000, (most_kib() - before) / 1024)
"""
    done = run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    slowest_ms, grown_mib = map(float, done.stdout.split())
    figure("slowest of the hostile files to refuse", slowest_ms, "ms of CPU")
    figure("memory it took", grown_mib, "MiB")
    assert len(HOSTILE) >= 60
    assert grown_mib < 30
