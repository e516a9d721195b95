"""The dashboard page of pictures in a real browser: every way to upload one; the order by mouse and keyboard."""

import base64
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import pytest
from playwright.async_api import Dialog, Locator, Page, expect

from fairground.contracts.accounts import Role
from tests.support.axe import find_violations
from tests.support.marketplace import describe
from tests.support.pictures import photograph
from tests.support.visits import Visit

pytestmark = [pytest.mark.proof, pytest.mark.parametrize("dialect", ["sqlite"])]

_WRITTEN = "fields => fields.map((field) => field.defaultValue)"
_IDS = "all => all.map((each) => each.id)"
_SENT_TO = "/media/uploads"
_HAND_OVER = """(place, { how, name, type, content }) => {
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type }));
  const options = { bubbles: true, cancelable: true, dataTransfer: transfer, clipboardData: transfer };
  place.dispatchEvent(how === "paste" ? new ClipboardEvent("paste", options) : new DragEvent("drop", options));
}"""


async def _open_pictures_page(visit: Visit, *, has_script: bool, has_touch: bool = False) -> Page:
    page = await visit.signed_in("maya@example.org", has_script=has_script, has_touch=has_touch)
    await page.goto("/pro/pictures")
    return page


@pytest.fixture
async def dashboard(visit: Visit) -> Visit:
    maya = await visit.market.user("maya@example.org", role=Role.PROVIDER, name="Maya Rivera")
    await describe(maya, name="Maya & the Tides")
    return visit


def _photos(folder: Path, *names: str) -> list[Path]:
    paths = [folder / f"{name}.jpg" for name in names]
    for number, path in enumerate(paths):
        path.write_bytes(photograph(300 + number, 200))
    return paths


def _bring(page: Page, to: str) -> Locator:
    return page.locator(f"photo-upload[data-to={to}]")


async def _choose(page: Page, to: str, *files: Path) -> None:
    await _bring(page, to).locator("input[type=file]").set_input_files(files)


async def _hand_over(place: Locator, *, how: str, name: str, content: bytes, kind: str = "image/jpeg") -> None:
    argument = {"how": how, "name": name, "type": kind, "content": base64.b64encode(content).decode()}
    await place.evaluate(_HAND_OVER, argument)


def _words(page: Page) -> Locator:
    return page.locator(".own-picture input[name=alt]")


async def _see_order(page: Page, *words: str) -> None:
    await expect(_words(page)).to_have_count(len(words))
    for place, word in enumerate(words):
        await expect(_words(page).nth(place)).to_have_value(word)


async def _click(button: Locator) -> None:
    await button.click()


async def _press_by_keyboard(button: Locator) -> None:
    await button.press("Enter")


async def _order(page: Page, *, press: Callable[[Locator], Awaitable[None]]) -> None:
    """Move a picture to the end and back by one place, and see that the focus stays on its buttons."""

    async def move(button: str) -> None:
        async with page.expect_response(lambda answer: answer.request.method == "POST"):
            await press(page.get_by_role("button", name=button))
        await page.wait_for_load_state()

    await move("Move later: On stage")
    await _see_order(page, "At home", "On stage", "With friends")
    await expect(page.locator(":focus")).to_have_accessible_name("Move later: On stage")
    await move("Move later: On stage")
    await _see_order(page, "At home", "With friends", "On stage")
    await expect(page.locator(":focus")).to_have_accessible_name("Move earlier: On stage")
    await move("Move earlier: On stage")
    await _see_order(page, "At home", "On stage", "With friends")
    await page.reload()
    await _see_order(page, "At home", "On stage", "With friends")


async def test_pictures_are_chosen_and_ordered_with_script(dashboard: Visit, tmp_path: Path) -> None:
    page = await _open_pictures_page(dashboard, has_script=True)
    portrait, *others = _photos(tmp_path, "face", "On stage", "At home", "With friends")
    await _choose(page, "portrait", portrait)
    await page.locator("#portrait img").wait_for()
    await _choose(page, "gallery", *others)
    await expect(page.locator(".own-picture img")).to_have_count(3, timeout=20_000)
    await expect(page.locator(".upload")).to_have_count(0)
    for field, path in zip(await _words(page).all(), others, strict=True):
        async with page.expect_response("**/alt"):
            await field.fill(path.stem)
            await field.press("Tab")
    # An event updates the gallery.
    with anyio.fail_after(20):
        while await _words(page).evaluate_all(_WRITTEN) != [path.stem for path in others]:
            await page.reload()
    await _order(page, press=_click)
    await _expect_accessible(page)
    assert dashboard.complaints == []


async def _expect_accessible(page: Page) -> None:
    for width in (1280, 390, 320):
        await page.set_viewport_size({"width": width, "height": 844})
        assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, f"{width} px"
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme="light" if scheme == "light" else "dark", reduced_motion="reduce")
        assert await find_violations(page) == [], scheme


async def test_pictures_are_chosen_and_ordered_without_script(dashboard: Visit, tmp_path: Path) -> None:
    page = await _open_pictures_page(dashboard, has_script=False)
    portrait, *others = _photos(tmp_path, "face", "On stage", "At home", "With friends")
    await page.set_input_files("#portrait-file", portrait)
    await page.get_by_role("button", name="Set as portrait").click()
    for path in others:
        await page.fill("#alt", path.stem)
        await page.set_input_files("#gallery-file", path)
        await page.get_by_role("button", name="Add to gallery").click()
    await expect(page.get_by_text("Picture uploaded.")).to_be_visible()
    while await page.get_by_role("link", name="Refresh").count():
        await page.get_by_role("link", name="Refresh").first.click()
    assert await page.locator("#portrait img, .own-picture img").count() == 4
    await _order(page, press=_press_by_keyboard)

    (tmp_path / "talk.pdf").write_bytes(b"%PDF-1.7")
    await page.set_input_files("#gallery-file", tmp_path / "talk.pdf")
    await page.get_by_role("button", name="Add to gallery").click()
    await expect(page.locator(".field .error")).to_contain_text("The file is a PDF.")
    (tmp_path / "large.jpg").write_bytes(bytes(22 << 20))
    await page.set_input_files("#gallery-file", tmp_path / "large.jpg")
    await page.get_by_role("button", name="Add to gallery").click()
    await expect(page.locator(".field .error")).to_contain_text("The file is larger than 20 MB.")
    assert dashboard.complaints == []


async def test_a_picture_is_dropped_pasted_refused_cancelled_and_sent_again(dashboard: Visit, tmp_path: Path) -> None:
    page = await _open_pictures_page(dashboard, has_script=True)
    gallery, shown = _bring(page, "gallery"), page.locator(".own-picture img")
    await _hand_over(gallery.locator(".drop-zone"), how="drop", name="1.jpg", content=photograph(90, 60))
    await expect(shown).to_have_count(1, timeout=20_000)
    await _hand_over(page.locator("body"), how="paste", name="2.jpg", content=photograph(91, 60))
    await expect(shown).to_have_count(2, timeout=20_000)
    await _see_refusals(page, gallery)
    await _see_a_cancelled_one(dashboard, page, _photos(tmp_path, "long"))
    dashboard.complaints.clear()
    await _see_a_broken_line(dashboard, page, _photos(tmp_path, "broken"))
    await expect(shown).to_have_count(3, timeout=20_000)


async def _see_refusals(page: Page, gallery: Locator) -> None:
    rows = gallery.locator(".upload.bad .state")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    zone = gallery.locator(".drop-zone")
    await _hand_over(zone, how="drop", name="a.pdf", kind="application/pdf", content=b"%PDF")
    await expect(rows.nth(0)).to_contain_text("Unsupported file type. Use JPEG")
    await _hand_over(zone, how="drop", name="IMG_1.HEIC", kind="", content=b"ftypheic")
    await expect(rows.nth(1)).to_contain_text("On an iPhone, go to Settings > Camera > Formats")
    assert asked == [], "what can be seen here is not sent"
    await _hand_over(zone, how="drop", name="a.jpg", content=b"GIF89a" + bytes(999))
    await expect(rows.nth(2)).to_have_text("The file is a GIF. Use JPEG, PNG, WebP or AVIF.")
    assert await find_violations(page) == []
    for _ in range(3):
        await gallery.get_by_role("button", name="Dismiss").first.click()


async def _see_a_cancelled_one(dashboard: Visit, page: Page, files: list[Path]) -> None:
    await page.route(f"{dashboard.address}{_SENT_TO}", lambda _route: None)
    await _choose(page, "gallery", *files)
    async with page.expect_request(lambda request: request.method == "DELETE"):
        await page.get_by_role("button", name="Cancel long.jpg").click()
    await expect(page.locator(".upload")).to_have_count(0)
    await expect(page.locator(":focus")).to_have_accessible_name("Choose pictures")
    await page.unroute(f"{dashboard.address}{_SENT_TO}")


async def _see_a_broken_line(dashboard: Visit, page: Page, files: list[Path]) -> None:
    dashboard.outage.begin(_SENT_TO, failures=4)
    await _choose(page, "gallery", *files)
    await expect(page.locator(".upload .state")).to_contain_text("The connection was lost.", timeout=20_000)
    assert len(dashboard.outage.asked_at) == 3
    await page.get_by_role("button", name="Try again broken.jpg").click()
    await expect(page.locator(".upload")).to_have_count(0, timeout=20_000)
    assert len(dashboard.outage.asked_at) == 5


async def test_a_picture_is_dragged_to_another_place_and_words_are_not(dashboard: Visit, tmp_path: Path) -> None:
    page = await _open_pictures_page(dashboard, has_script=True)
    pictures = page.locator(".own-picture")
    await _choose(page, "gallery", *_photos(tmp_path, "first", "second"))
    await expect(pictures.locator("img")).to_have_count(2, timeout=20_000)
    first, second = await pictures.evaluate_all(_IDS)
    async with page.expect_response("**/move"):
        await pictures.nth(0).locator(".frame").drag_to(pictures.nth(1).locator(".frame"))
    assert await pictures.evaluate_all(_IDS) == [second, first]
    await expect(page.locator("own-gallery > .said")).to_have_text("Position 2 of 2.")

    await _words(page).nth(0).fill("On stage")
    await _words(page).nth(0).select_text()
    await _words(page).nth(0).drag_to(pictures.nth(1).locator(".frame"))
    await expect(pictures.locator("form.describe input[name=alt]")).to_have_count(2)
    await expect(page.locator(".is-carried")).to_have_count(0)
    await page.reload()
    assert await pictures.evaluate_all(_IDS) == [second, first]
    assert dashboard.complaints == []


async def test_the_camera_brings_a_picture_as_a_file_does(dashboard: Visit, tmp_path: Path) -> None:
    page = await _open_pictures_page(dashboard, has_script=True, has_touch=True)
    for to, camera in (("portrait", "user"), ("gallery", "environment")):
        async with page.expect_file_chooser() as chosen:
            await _bring(page, to).get_by_role("button", name="Take a photo").click()
        chooser = await chosen.value
        assert await chooser.element.get_attribute("capture") == camera
        await chooser.set_files(_photos(tmp_path, to))
        await expect(_bring(page, to).locator(".said")).to_have_text(f"{to}.jpg uploaded.")
    await expect(page.locator(".own-picture")).to_have_count(1)
    assert dashboard.complaints == []


async def test_ended_session_redirects_to_sign_in_without_a_question(dashboard: Visit, tmp_path: Path) -> None:
    page = await _open_pictures_page(dashboard, has_script=True)
    asked: list[str] = []

    async def answer(dialog: Dialog) -> None:
        asked.append(dialog.type)
        await dialog.accept()

    page.on("dialog", answer)
    async with page.expect_file_chooser() as chosen:
        await page.get_by_role("button", name="Choose pictures").click()
    await page.context.clear_cookies()
    await (await chosen.value).set_files(_photos(tmp_path, "late"))
    await page.wait_for_url("**/login**", timeout=5_000)
    assert asked == []
