"""Rendering of pages: the Jinja2 environment with the components as `ui.<name>`, and the responses made with it."""

import hashlib
from collections.abc import Mapping
from gettext import NullTranslations
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from babel import Locale
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

import fairground
from fairground.contracts.booking.terms import (
    find_people_bounds,
    list_places,
    list_service_lengths,
)
from fairground.contracts.providers.service_rules import compute_service_total
from fairground.platform.http.identity import Caller
from fairground.platform.locale_formatter import DEFAULT_LOCALE
from fairground.verticals.loader import Verticals
from fairground.web.assets import Assets
from fairground.web.content_security import MapTiles, Origins, content_security_policy
from fairground.web.formats import Formats, browser_name, date_in, initials, list_countries, tone, utc, your_time
from fairground.web.page_cache import NO_VARY_SEARCH, PRIVATE
from fairground.web.pictures import LARGE, offer_square, offer_whole

TEMPLATES_FOLDER: Final = Path(__file__).parent / "templates"


class Renderer:
    def __init__(
        self,
        *,
        assets: Assets,
        verticals: Verticals,
        public_url: str = "",
        origins: Origins | None = None,
        map_tiles: MapTiles | None = None,
    ) -> None:
        self._style_hash, self._origins = assets.style_hash, origins or Origins()
        policy = content_security_policy(self._style_hash, self._origins)
        self.locale = Locale.parse(DEFAULT_LOCALE)
        self.edition = _edition(assets, verticals, settings=f"{policy} {map_tiles} {public_url}")
        """A digest of templates, assets, packs and settings; pages of another edition may look different."""
        self._env = build_environment(assets, verticals=verticals)
        self._env.globals["map_tiles"] = map_tiles
        self._env.globals["public_url"] = public_url
        # Only for public pages: browsers prefetch the page of a link that a reader is about to follow.
        self._shared = {
            "Speculation-Rules": f'"{assets.url("speculation.json")}"',
            "No-Vary-Search": NO_VARY_SEARCH,
        }
        self._headers = {"Content-Security-Policy": policy}

    def page(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        viewer: Caller | None = None,
        **values: Any,
    ) -> HTMLResponse:
        """Render a whole page. Without a viewer it is the same for all readers, so that one copy may be cached."""
        body = self._env.get_template(template).render(path=request.url.path, viewer=viewer, **values)
        default = PRIVATE if viewer else self._shared
        return HTMLResponse(body, status_code=status, headers={**self._headers, **default, **(headers or {})})

    def policy_beside(self, origins: Origins) -> dict[str, str]:
        """Return the header of a page that uses these servers beside those of every page."""
        policy = content_security_policy(self._style_hash, self._origins.joined_with(origins))
        return {"Content-Security-Policy": policy}

    def part(
        self, template: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any
    ) -> HTMLResponse:
        """Render a part that replaces itself inside a page already open."""
        return HTMLResponse(self._env.get_template(template).render(**values), status_code=status, headers=headers)


def _edition(assets: Assets, verticals: Verticals, *, settings: str) -> str:
    digest = hashlib.blake2b(fairground.__version__.encode(), digest_size=8)
    for template in sorted(TEMPLATES_FOLDER.rglob("*.html")):
        digest.update(template.read_bytes())
    digest.update(" ".join([assets.style_hash, *assets.addresses, settings]).encode())
    for pack in verticals:
        digest.update(pack.model_dump_json().encode())
    return digest.hexdigest()


def build_environment(assets: Assets, *, verticals: Verticals, locale: str = DEFAULT_LOCALE) -> Environment:
    """Return the environment that renders every page of one locale."""
    env = Environment(
        loader=FileSystemLoader(TEMPLATES_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # The templates of a running server do not change, and checking the files on each render costs a stat.
        auto_reload=False,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    # Until catalogues exist every text is its own translation, and plural forms follow English.
    env.install_gettext_translations(NullTranslations(), newstyle=True)  # type: ignore[attr-defined]
    _add_formats(env, Formats(Locale.parse(locale)))
    names = {category.slug: category.name for pack in verticals for category in pack.categories}
    env.filters["category_name"] = lambda slug: names.get(slug, slug)
    env.filters["extract"] = lambda key, table: table[key]
    env.filters["combine"] = lambda first, second: {**first, **second}
    env.globals["verticals"] = verticals.packs
    env.globals["countries"] = list_countries(Locale.parse(locale))
    env.filters |= {"lengths": list_service_lengths, "total_from": compute_service_total}
    env.filters |= {"people_bounds": find_people_bounds, "possible_places": list_places}
    env.globals["asset"] = assets.url
    env.globals |= {"offer_square": offer_square, "offer_whole": offer_whole, "LARGE": LARGE}
    env.globals["page_style"] = assets.style
    env.globals["language"] = locale.replace("_", "-")
    env.globals["ui"] = _components(env)
    return env


def _add_formats(env: Environment, formats: Formats) -> None:
    named = (name for name in dir(formats) if not name.startswith("_"))
    env.filters |= {name: getattr(formats, name) for name in named}
    env.filters |= {
        "browser_name": browser_name,
        "tone": tone,
        "initials": initials,
        "utc": utc,
        "your_time": your_time,
        "date_in": date_in,
    }


def _components(env: Environment) -> SimpleNamespace:
    """Gather the macros of `templates/ui/` once, so that no page has to import them."""
    components = SimpleNamespace()
    # Macros call each other as `ui.<name>`, so the namespace must exist before they are compiled.
    env.globals["ui"] = components
    for path in sorted((TEMPLATES_FOLDER / "ui").glob("*.html")):
        macros = vars(env.get_template(f"ui/{path.name}").module)
        vars(components).update({name: value for name, value in macros.items() if not name.startswith("_")})
    return components
