"""Packs are read from the package and from the operator's folder, and errors say what to mend."""

import re
from pathlib import Path

import pytest

from fairground.verticals import loader
from fairground.verticals.loader import PackError, load_verticals
from fairground.verticals.schema import Vertical

SHIPPED = Path(loader.__file__).parent


def write_pack(folder: Path, key: str, *, swap: tuple[str, str] = ("", ""), base: str = "tutors") -> Path:
    """Copy a shipped pack under another key, with one text in it exchanged."""
    text = (SHIPPED / f"{base}.toml").read_text(encoding="utf-8")
    assert swap[0] in text
    file = folder / f"{key}.toml"
    file.write_text(text.replace(f'key = "{base}"', f'key = "{key}"', 1).replace(*swap, 1), encoding="utf-8")
    return file


def test_artists_chefs_and_tutors_ship() -> None:
    assert [pack.key for pack in load_verticals()] == ["artists", "chefs", "tutors"]


@pytest.mark.parametrize("pack", load_verticals().packs, ids=lambda pack: pack.key)
def test_shipped_pack_requires_a_verified_address_and_offers_many_categories(pack: Vertical) -> None:
    assert 12 <= len(pack.categories) <= 18
    assert "email_verified" in {item.key for item in pack.checklist if item.required}
    assert pack.booking.slot_minutes <= min(pack.booking.duration_minutes)


def test_a_fourth_vertical_needs_no_python(tmp_path: Path) -> None:
    write_pack(tmp_path, "gardeners", swap=('provider = "tutor"', 'provider = "gardener"'))
    verticals = load_verticals(extra_dir=tmp_path)
    assert [pack.key for pack in verticals] == ["artists", "chefs", "gardeners", "tutors"]
    gardeners = verticals.find("gardeners")
    assert gardeners is not None
    assert gardeners.words.provider == "gardener"


def test_an_operators_pack_replaces_its_namesake(tmp_path: Path) -> None:
    write_pack(tmp_path, "tutors", swap=("min_notice_hours = 2", "min_notice_hours = 12"))
    tutors = load_verticals(extra_dir=tmp_path).find("tutors")
    assert tutors is not None
    assert tutors.booking.min_notice_hours == 12


def test_an_unknown_vertical_is_not_found() -> None:
    assert load_verticals().find("plumbers") is None


@pytest.mark.parametrize(
    ("word", "vertical", "slugs"),
    [
        ("Dj", None, {"dj"}),
        ("Dj", "artists", {"dj"}),
        ("Dj", "chefs", set()),
        ("Dj", "plumbers", set()),
        ("Spanish", None, {"spanish", "spanish_language"}),
        ("Spanish", "tutors", {"spanish_language"}),
        ("unheard of", None, set()),
    ],
)
def test_a_category_word_is_looked_up_in_one_pack_or_in_all(word: str, vertical: str | None, slugs: set[str]) -> None:
    packs = [pack for pack in load_verticals() if vertical in (None, pack.key)]
    assert {category.slug for pack in packs if (category := pack.find_category(word))} == slugs


@pytest.mark.parametrize(
    ("swap", "complaint"),
    [
        (
            ("slot_minutes = 30", "slot_minutes = 0"),
            "booking.slot_minutes: .*5 .it is 0.*Minutes between two start times",
        ),
        (("slot_minutes = 30", ""), "booking.slot_minutes: missing. Add it. Minutes between two start times"),
        (("slot_minutes", "slot_minute"), "booking.slot_minute: unknown field. Did you mean 'slot_minutes'?"),
        (('motif = "books"', 'motif = "books"\nfont = "Arial"'), "picture.font: unknown field. Remove it."),
        (('aliases = ["maths"', 'alias = ["maths"'), "categories.0.alias: unknown field. Did you mean 'aliases'?"),
        (("duration_minutes = [30", "duration_minutes = [1"), "booking.duration_minutes.0: .*5 .it is 1.*ascending"),
        (('places = ["online"', 'places = ["moon"'), "booking.places.0: .*'online' .it is 'moon'"),
        (("bands = [15, 25", "bands = [25, 15"), "prices.bands: 25 comes before 15; list each number once"),
        (('slug = "physics"', 'slug = "Physics!"'), "categories.1.slug: .*it is 'Physics!'.*lower-case"),
        (("refund_percent = 100", "refund_percent = 120"), "cancellation.steps.0.refund_percent: .*it is 120"),
        (("[page]", "[page"), "this is not valid TOML: .*line"),
    ],
)
def test_an_error_names_the_file_the_field_and_the_mend(tmp_path: Path, swap: tuple[str, str], complaint: str) -> None:
    file = write_pack(tmp_path, "gardeners", swap=swap)
    with pytest.raises(PackError, match=re.escape(str(file)) + ": .*" + complaint):
        load_verticals(extra_dir=tmp_path)


def test_every_error_of_a_file_is_named_at_once(tmp_path: Path) -> None:
    file = write_pack(tmp_path, "gardeners", swap=("horizon_days = 90", "horizon_days = 0"))
    file.write_text(file.read_text(encoding="utf-8").replace("hue = 168", "hue = 400"), encoding="utf-8")
    with pytest.raises(PackError) as caught:
        load_verticals(extra_dir=tmp_path)
    assert [line.split(": ")[1] for line in str(caught.value).splitlines()] == ["booking.horizon_days", "picture.hue"]


def test_a_file_that_is_not_named_after_its_key_is_refused(tmp_path: Path) -> None:
    write_pack(tmp_path, "gardeners").rename(tmp_path / "green.toml")
    with pytest.raises(PackError, match=r"key is 'gardeners'\. Name the file gardeners\.toml, or set key = 'green'"):
        load_verticals(extra_dir=tmp_path)


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "noise.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PackError, match=r"noise\.toml: this is not valid TOML"):
        load_verticals(extra_dir=tmp_path)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(PackError, match=r"folder\.toml: can't read the file"):
        load_verticals(extra_dir=tmp_path)


def test_a_missing_folder_of_packs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="this folder does not exist"):
        load_verticals(extra_dir=tmp_path / "nowhere")
