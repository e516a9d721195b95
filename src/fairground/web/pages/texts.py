"""Help, contact, terms and privacy: Markdown files that ship here, each replaced by the operator's file of its name."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from fairground.platform.module import Links
from fairground.web.page_cache import cached_page
from fairground.web.page_route import page_router
from fairground.web.site import Site

FOLDER: Final = Path(__file__).parent.parent / "texts"
NAMES: Final = ("help", "contact", "terms", "privacy")


@dataclass(frozen=True, slots=True)
class Text:
    title: str
    """Of the first heading."""
    html: str


def routes(site: Site, links: Links) -> APIRouter:  # noqa: ARG001 - every area is given both
    router = page_router(site.renderer)
    for name in NAMES:
        _add_text(router, site, name)
    return router


def _add_text(router: APIRouter, site: Site, name: str) -> None:
    def tags(_parameters: Mapping[str, Any]) -> tuple[str, ...]:
        return ()

    @router.get(f"/{name}", name=f"show_{name}")
    @cached_page(name, edition=site.renderer.edition, tags=tags)
    async def show_text(request: Request) -> HTMLResponse:
        text = load_text(name, folder=site.texts_dir)
        return site.renderer.page(request, "texts/page.html", text=text)


@lru_cache(maxsize=2 * len(NAMES))  # read at the first request: a changed file shows after a restart
def load_text(name: str, *, folder: Path | None) -> Text:
    """Return the text of a page, from the operator's folder where it has one; HTML inside it is shown as text."""
    # Imported here: few visitors open these pages, and the parser is as large as all of them.
    markdown = import_module("markdown_it").MarkdownIt("commonmark", {"html": False})

    own = folder / f"{name}.md" if folder else None
    source = (own if own is not None and own.is_file() else FOLDER / f"{name}.md").read_text(encoding="utf-8")
    heading = next((line for line in source.splitlines() if line.startswith("# ")), f"# {name.capitalize()}")
    return Text(heading.removeprefix("# ").strip(), markdown.render(source))
