from typing import Any

import pytest

from fairground.contracts.providers import CategoryUnknown, ProfileInvalid, ServiceInvalid
from fairground.modules.providers.domain import (
    check_categories,
    check_picture_url,
    check_place,
    check_profile,
    check_service,
)
from fairground.verticals.loader import load_verticals
from fairground.verticals.schema import Vertical
from tests.support.providers import a_service


@pytest.fixture(scope="module")
def artists() -> Vertical:
    pack = load_verticals().find("artists")
    assert pack
    return pack


def test_texts_are_trimmed_and_blank_ones_are_none() -> None:
    assert check_profile({"business_name": " A ", "bio": "a\r\nb\t", "custom_subtitle": "  "}) == {
        "business_name": "A",
        "bio": "a\nb",
        "custom_subtitle": None,
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"business_name": " "},
        {"business_name": None},
        {"business_name": "a\x00b"},
        {"bio": "\ud800"},
        {"location": "x" * 121},
        {"timezone": "Oslo"},
        {"timezone": None},
        {"timezone": "../../etc/passwd"},
    ],
)
def test_a_field_that_cannot_be_is_named(fields: dict[str, Any]) -> None:
    with pytest.raises(ProfileInvalid) as refused:
        check_profile(fields)
    assert refused.value.context["field"] in fields


@pytest.mark.parametrize("place", [(1.0, None), (None, 1.0), (90.1, 0.0), (0.0, -180.1), (float("nan"), 0.0)])
def test_a_place_is_on_the_globe_or_nowhere(place: tuple[float | None, float | None]) -> None:
    check_place(None, None)
    check_place(-90.0, 180.0)
    with pytest.raises(ProfileInvalid):
        check_place(*place)


def test_categories_are_told_by_any_spelling_and_kept_once(artists: Vertical) -> None:
    assert check_categories(artists, ["Disc Jockey", "band", "DJ"]) == ["dj", "band"]
    with pytest.raises(CategoryUnknown, match="blacksmith"):
        check_categories(artists, ["dj", "blacksmith"])
    for too_few_or_many in ([], None, [category.slug for category in artists.categories[:11]]):
        with pytest.raises(ProfileInvalid):
            check_categories(artists, too_few_or_many)


@pytest.mark.parametrize(
    "changes", [{"price_minor": 0}, {"price_minor": 10**12}, {"duration_minutes": 1441}, {"name": " "}]
)
def test_a_service_that_cannot_be_is_refused(artists: Vertical, changes: dict[str, Any]) -> None:
    with pytest.raises(ServiceInvalid):
        check_service(artists, a_service(**changes), currency="EUR")


@pytest.mark.parametrize(("price_minor", "currency"), [(150, "MGA"), (5_124, "KWD")])
def test_price_that_cannot_be_charged_is_refused(artists: Vertical, price_minor: int, currency: str) -> None:
    service = a_service(price_minor=price_minor, currency=currency)
    with pytest.raises(ServiceInvalid, match="cannot be charged by card") as raised:
        check_service(artists, service, currency=currency)
    assert "multiple of" in raised.value.hint


def test_a_mode_that_the_pack_does_not_have_is_refused(artists: Vertical) -> None:
    rules = artists.booking.model_copy(update={"modes": ("instant",)})
    with pytest.raises(ServiceInvalid, match="booked by instant, not by request"):
        check_service(artists.model_copy(update={"booking": rules}), a_service(), currency="EUR")


@pytest.mark.parametrize(
    "url", ["data:image/png;base64,AAAA", "https://elsewhere.example/a.webp", "//elsewhere.example/a", "", "/" * 301]
)
def test_a_picture_comes_from_this_installation(url: str) -> None:
    assert check_picture_url("/media/pictures/1.webp") == "/media/pictures/1.webp"
    with pytest.raises(ProfileInvalid):
        check_picture_url(url)
