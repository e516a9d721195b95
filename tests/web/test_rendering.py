import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from jinja2 import UndefinedError

from fairground.platform.module import Links
from fairground.verticals.loader import load_verticals
from fairground.web.assets import Assets
from fairground.web.pages import components, files
from fairground.web.rendering import TEMPLATES_FOLDER, build_environment
from tests.support.runtime import make_site

TEMPLATES = sorted(path.relative_to(TEMPLATES_FOLDER) for path in TEMPLATES_FOLDER.rglob("*.html"))
FIELDS = ("input", "select", "textarea")


class _Fields(HTMLParser):
    """Collects the fields of a page and what they are labelled by."""

    def __init__(self) -> None:
        super().__init__()
        self.labels: set[str] = set()
        self.fields: list[str] = []
        self.ids: list[str] = []
        self._inside_label = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if found := values.get("id"):
            self.ids.append(found)
        if tag == "label":
            self._inside_label += 1
            self.labels.add(values.get("for") or "")
        if tag in FIELDS and values.get("type") != "hidden" and not self._inside_label:
            self.fields.append(values.get("id") or "without an id")

    def handle_endtag(self, tag: str) -> None:
        self._inside_label -= tag == "label"


@pytest.fixture
def client() -> AsyncClient:
    site, app = make_site(Path()), FastAPI()
    app.include_router(files.routes(site, Links()))
    app.include_router(components.routes(site, Links()))
    return AsyncClient(transport=ASGITransport(app=app), base_url="http://testserver")


def test_a_value_that_is_missing_is_an_error_and_not_a_gap() -> None:
    env = build_environment(Assets(), verticals=load_verticals())
    with pytest.raises(UndefinedError):
        env.from_string("{{ forgotten }}").render()


def test_values_are_escaped() -> None:
    env = build_environment(Assets(), verticals=load_verticals())
    assert "<script>" not in env.from_string("{{ ui.badge(name) }}").render(name="<script>")


def test_plural_forms_are_chosen_by_number() -> None:
    env = build_environment(Assets(), verticals=load_verticals())
    text = env.from_string('{{ ngettext("%(num)s time", "%(num)s times", count) }}')
    assert [text.render(count=count) for count in (1, 3)] == ["1 time", "3 times"]


@pytest.mark.parametrize("template", TEMPLATES, ids=str)
def test_templates_hold_nothing_that_the_page_policy_refuses(template: Path) -> None:
    source = (TEMPLATES_FOLDER / template).read_text()
    assert not re.search(r'\sstyle=|\son\w+="|hx-on|"js:|javascript:|<script>', source)


async def test_every_component_is_shown_and_every_field_has_a_label(client: AsyncClient) -> None:
    answer = await client.get("/_ui")
    assert answer.status_code == 200
    page = _Fields()
    page.feed(answer.text)
    assert set(page.fields) <= page.labels
    assert len(page.ids) == len(set(page.ids))


async def test_a_page_loads_only_files_that_exist_and_that_browsers_may_keep(client: AsyncClient) -> None:
    addresses = set(re.findall(r'(/static/[^"#]+)', (await client.get("/_ui")).text))
    assert len(addresses) >= 4
    for address in addresses:
        answer = await client.get(address)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_public_page_sets_no_cookie(client: AsyncClient) -> None:
    answer = await client.get("/_ui")
    assert "set-cookie" not in answer.headers
    assert "script-src 'self'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("template", [path for path in TEMPLATES if path.name != "_ui.html"], ids=str)
def test_every_text_of_a_page_can_be_translated(template: Path) -> None:
    source = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", (TEMPLATES_FOLDER / template).read_text(), flags=re.DOTALL)
    # Pieces of addresses and attributes, which macros put together, are no words for readers.
    words = re.findall(r'(?<![\w/="?&#-])[^\W\d_]{2,}(?![\w/="?&#-])', re.sub(r"<[^>]*>", " ", source))
    assert set(words) <= {"Fairground", "OpenAPI", "medium"}
