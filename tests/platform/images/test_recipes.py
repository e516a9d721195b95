import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairground.platform.images.formats import PictureFormat
from fairground.platform.images.recipes import LADDER_PX, UPLOAD, Recipe, Shape, gallery, step_quality, step_width
from fairground.platform.images.rendering.canvas import HEADROOM, Size, choose_shrink, list_targets

SIDES = st.integers(1, 16_384)


def test_recipes_have_distinct_names() -> None:
    assert len({recipe.name for recipe in UPLOAD}) == len(UPLOAD)
    assert Recipe(Shape.SQUARE, 96, PictureFormat.AVIF, 80).name == "v1-square-96-q80.avif"


@pytest.mark.parametrize(("width_px", "quality"), [(7, 80), (2049, 80), (96, 0), (96, 101), (-1, 80)])
def test_recipe_out_of_bounds_is_refused(width_px: int, quality: int) -> None:
    with pytest.raises(ValueError, match="cannot be made"):
        Recipe(Shape.SQUARE, width_px, PictureFormat.WEBP, quality)


def test_png_is_only_read() -> None:
    with pytest.raises(ValueError, match="cannot be made"):
        Recipe(Shape.SQUARE, 96, PictureFormat.PNG, 80)


@given(width_px=SIDES, height_px=SIDES)
def test_shrinking_decode_leaves_the_headroom_of_the_filter(width_px: int, height_px: int) -> None:
    source = Size(width_px, height_px)
    targets = list_targets(source, UPLOAD)
    shrink = choose_shrink(source, targets)
    assert shrink in {1, 2, 4, 8}
    if shrink > 1:
        assert all(width_px / shrink >= target.size.width_px * HEADROOM for target in targets)
        assert source.short_px / shrink >= 1024 * HEADROOM


@given(width_px=SIDES, height_px=SIDES)
def test_gallery_sizes_never_exceed_the_picture(width_px: int, height_px: int) -> None:
    sizes = [target.size for target in list_targets(Size(width_px, height_px), gallery(PictureFormat.WEBP))]
    assert 1 <= len(sizes) <= 3
    assert sizes == sorted(set(sizes), key=lambda size: -size.width_px)
    for size in sizes:
        assert size.width_px <= min(width_px, 1200)
        assert 1 <= size.height_px <= 3 * 1200
        assert abs(size.width_px * height_px - size.height_px * width_px) <= max(width_px, height_px)


@pytest.mark.parametrize(
    ("source", "shrink"),
    [((4032, 3024), 1), ((8064, 6048), 2), ((4000, 12_000), 1), ((4800, 4200), 2), ((16_000, 4_000), 2)],
)
def test_upload_is_decoded_with_the_largest_allowed_shrink(source: tuple[int, int], shrink: int) -> None:
    assert choose_shrink(Size(*source), list_targets(Size(*source), UPLOAD)) == shrink


@pytest.mark.parametrize(("width_px", "shrink"), [(32, 8), (128, 4), (256, 2), (512, 1), (1024, 1)])
def test_avatar_is_decoded_with_the_largest_allowed_shrink(width_px: int, shrink: int) -> None:
    recipe = Recipe(Shape.SQUARE, width_px, PictureFormat.WEBP, 80)
    assert choose_shrink(Size(1024, 1024), list_targets(Size(1024, 1024), [recipe])) == shrink


@pytest.mark.parametrize(
    ("requested_px", "source_px", "step_px"),
    [(16, 4000, 32), (400, 4000, 400), (401, 4000, 512), (1600.5, 4000, 2048), (6144, 4000, 2048), (800, 450, 512)],
)
def test_width_is_rounded_up_to_the_step_with_all_pixels(requested_px: float, source_px: int, step_px: int) -> None:
    assert step_width(requested_px, source_px=source_px) == step_px


def test_ladder_bounds_the_number_of_variants() -> None:
    widths = {step_width(width * density, source_px=9_000) for width in range(16, 2049) for density in (1, 1.5, 2, 3)}
    qualities = {step_quality(quality) for quality in range(40, 96)}
    assert widths == set(LADDER_PX)
    assert qualities == set(range(40, 96, 5))
