"""Turns a template and its values into a response with the headers that every page carries."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from babel import Locale
from starlette.requests import Request
from starlette.responses import HTMLResponse

import fairground
from fairground.platform.http import cache_control as control
from fairground.platform.http.identity import Caller
from fairground.platform.locale_formatter import DEFAULT_LOCALE
from fairground.verticals.loader import Verticals
from fairground.web.assets import Assets
from fairground.web.environment import TEMPLATES_FOLDER, build_environment
from fairground.web.maps import MapTiles
from fairground.web.origins import Origins, content_security_policy

# A page of one reader: never in a shared cache, and revalidated whenever it is opened.
PRIVATE: Final = {"Cache-Control": "private, no-cache", "Vary": "Cookie"}
# A link with the parameters of a newsletter leads to the page that a browser may have prefetched already.
_NO_VARY_SEARCH: Final = 'params=("utm_source" "utm_medium" "utm_campaign" "fbclid" "gclid")'
# Payment and staff pages leave no copy, not even in the reader's own browser.
UNSTORED: Final = {"Cache-Control": control.UNSTORED}


class Renderer:
    def __init__(
        self,
        *,
        assets: Assets,
        verticals: Verticals,
        origins: Origins | None = None,
        map_tiles: MapTiles | None = None,
    ) -> None:
        policy = content_security_policy(assets.style_hash, origins or Origins())
        self.locale = Locale.parse(DEFAULT_LOCALE)
        self.edition = _edition(assets, verticals, settings=f"{policy} {map_tiles}")
        """Names what pages look like: another one wherever templates, assets, packs or settings differ."""
        self._env = build_environment(assets, verticals=verticals)
        self._env.globals["map_tiles"] = map_tiles
        # Browsers with speculation rules prefetch the page of a link that a reader is about to follow; only public
        # pages.
        self._shared = {
            "Speculation-Rules": f'"{assets.url("speculation.json")}"',
            "No-Vary-Search": _NO_VARY_SEARCH,
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
        kept = PRIVATE if viewer else self._shared
        return HTMLResponse(body, status_code=status, headers={**self._headers, **kept, **(headers or {})})

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
