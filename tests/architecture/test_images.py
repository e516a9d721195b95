"""One template writes images and one module their sizes, because attributes that another place forgets go unnoticed."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.architecture.sources import PACKAGE, python_files

WEB: Final = PACKAGE / "web"
WRITES_IMAGES: Final = WEB / "templates" / "ui" / "pictures.html"
NAMES_SIZES: Final = WEB / "pictures.py"
IMAGE: Final = re.compile(r"<img\b|<picture\b|<source\b|\bsrcset\b|\bimagesrcset\b|[?&](amp;)?w=\d")


def test_one_template_writes_images() -> None:
    templates = (WEB / "templates").rglob("*.html")
    assert list(_images_in(templates, home=WRITES_IMAGES)) == [], "Use a macro of ui/pictures.html."


def test_one_module_of_the_pages_names_sizes() -> None:
    modules = (file for file in python_files() if file.is_relative_to(WEB))
    assert list(_images_in(modules, home=NAMES_SIZES)) == [], "Use web/pictures.py."


def test_no_script_of_ours_writes_images() -> None:
    assert list(_images_in((WEB / "static").glob("*.js"), home=WRITES_IMAGES)) == [], "Ask for a part of a page."


@pytest.mark.parametrize(
    "source", ['<img src="x">', "<picture>", '<link imagesrcset="x">', "href='{{ url }}&amp;w=80'", 'f"{url}?w=80"']
)
def test_an_image_elsewhere_is_noticed(source: str, tmp_path: Path) -> None:
    file = tmp_path / "sample.html"
    file.write_text(source)
    assert list(_images_in([file], home=WRITES_IMAGES)) == ["sample.html"]


def _images_in(files: Iterable[Path], *, home: Path) -> Iterator[str]:
    return (file.name for file in files if file != home and IMAGE.search(file.read_text()))
