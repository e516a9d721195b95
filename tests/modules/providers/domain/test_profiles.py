from itertools import product
from typing import Any

import pytest

from fairground.contracts.providers import (
    CategoryUnknown,
    ProfileIncomplete,
    ProfileInvalid,
    ProviderStatus,
    StatusConflict,
)
from fairground.modules.providers.domain.profiles import (
    ApprovalFacts,
    advance,
    check_categories,
    check_picture_url,
    check_place,
    check_profile,
    list_missing,
    require_complete,
)
from fairground.verticals.loader import load_verticals
from fairground.verticals.schema import Vertical


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
def test_refusal_of_a_profile_names_the_field(fields: dict[str, Any]) -> None:
    with pytest.raises(ProfileInvalid) as refused:
        check_profile(fields)
    assert refused.value.context["field"] in fields


@pytest.mark.parametrize("place", [(1.0, None), (None, 1.0), (90.1, 0.0), (0.0, -180.1), (float("nan"), 0.0)])
def test_place_off_the_globe_is_refused(place: tuple[float | None, float | None]) -> None:
    check_place(None, None)
    check_place(-90.0, 180.0)
    with pytest.raises(ProfileInvalid):
        check_place(*place)


def test_categories_are_recognised_in_any_spelling_and_kept_once(artists: Vertical) -> None:
    assert check_categories(artists, ["Disc Jockey", "band", "DJ"]) == ["dj", "band"]
    with pytest.raises(CategoryUnknown, match="blacksmith"):
        check_categories(artists, ["dj", "blacksmith"])
    for too_few_or_many in ([], None, [category.slug for category in artists.categories[:11]]):
        with pytest.raises(ProfileInvalid):
            check_categories(artists, too_few_or_many)


@pytest.mark.parametrize(
    "url", ["data:image/png;base64,AAAA", "https://elsewhere.example/a.webp", "//elsewhere.example/a", "", "/" * 301]
)
def test_picture_url_outside_this_installation_is_refused(url: str) -> None:
    assert check_picture_url("/media/pictures/1.webp") == "/media/pictures/1.webp"
    with pytest.raises(ProfileInvalid):
        check_picture_url(url)


DRAFT, SUBMITTED, APPROVED, REJECTED, _SUSPENDED = ProviderStatus
OWN = (DRAFT, SUBMITTED, APPROVED, REJECTED)
"""What a provider's own status can be; suspended is shown in its place."""


ALLOWED = {(DRAFT, SUBMITTED), (SUBMITTED, APPROVED), (SUBMITTED, REJECTED), (REJECTED, SUBMITTED)}


ALL = ApprovalFacts(
    email_verified=True, has_bio=True, has_location=True, has_picture=True, has_service=True, has_hours=True
)


NONE = ApprovalFacts(
    email_verified=False, has_bio=False, has_location=False, has_picture=False, has_service=False, has_hours=False
)


@pytest.mark.parametrize(("now", "to"), [*product(OWN, OWN)])
def test_status_changes_only_along_the_table(now: ProviderStatus, to: ProviderStatus) -> None:
    if (now, to) in ALLOWED:
        assert advance(now, to) is to
    else:
        with pytest.raises(StatusConflict, match=f"with the status {now} cannot become {to}"):
            advance(now, to)


@pytest.mark.parametrize("pack", load_verticals().packs, ids=lambda pack: pack.key)
def test_missing_items_are_those_of_the_checklist_of_the_pack(pack: Vertical) -> None:
    assert list_missing(pack, ALL) == []
    assert list_missing(pack, NONE) == [item.key for item in pack.checklist]


@pytest.mark.parametrize("pack", load_verticals().packs, ids=lambda pack: pack.key)
def test_incomplete_profile_cannot_be_submitted(pack: Vertical) -> None:
    require_complete(pack, ALL)
    with pytest.raises(ProfileIncomplete) as refused:
        require_complete(pack, NONE)
    assert "email_verified" in refused.value.context["missing"]
    without_item = pack.model_copy(update={"checklist": pack.checklist[1:]})
    with pytest.raises(ProfileIncomplete):
        require_complete(without_item, NONE)
