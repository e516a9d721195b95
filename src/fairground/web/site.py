"""The site: what every area of pages is given, and how it is built."""

from dataclasses import dataclass
from pathlib import Path

from fairground.contracts.payments import Payments
from fairground.kernel.zones import Clock
from fairground.platform.http.security import SessionCookie
from fairground.platform.module import Links
from fairground.platform.storage.settings import StorageSettings
from fairground.runtime import Runtime
from fairground.verticals.loader import Verticals
from fairground.web.assets import Assets
from fairground.web.content_security import MapTiles, Origins, origin_of
from fairground.web.rendering import Renderer


@dataclass(frozen=True)
class Site:
    """What every area of pages is given, beside the links to the contracts."""

    assets: Assets
    renderer: Renderer
    verticals: Verticals
    clock: Clock
    cookie: SessionCookie
    public_url: str
    pictures_dir: Path
    mail_dir: Path | None
    """The folder of the mails that a page shows to anyone; None where they are sent, or must not be shown."""
    texts_dir: Path | None
    """The operator's Markdown files of help, contact, terms and privacy; None where there are none."""


def build_site(
    runtime: Runtime,
    links: Links,
    *,
    pictures_dir: Path,
    mail_dir: Path | None,
    texts_dir: Path | None,
    map_tiles: MapTiles | None,
) -> Site:
    """Return the site.

    Args:
        mail_dir: As `Site.mail_dir`.
        texts_dir: As `Site.texts_dir`.
        map_tiles: The background of maps; None draws the pins alone.
    """
    assets, verticals = Assets(), runtime.verticals
    origins = _origins(runtime, bank=links.of(Payments).bank_origin, map_tiles=map_tiles)
    return Site(
        assets=assets,
        renderer=Renderer(
            assets=assets,
            verticals=verticals,
            public_url=runtime.public_url,
            origins=origins,
            map_tiles=map_tiles,
        ),
        verticals=verticals,
        clock=runtime.clock,
        cookie=runtime.cookie,
        public_url=runtime.public_url,
        pictures_dir=pictures_dir,
        mail_dir=mail_dir,
        texts_dir=texts_dir,
    )


def _origins(runtime: Runtime, *, bank: str, map_tiles: MapTiles | None) -> Origins:
    """Return the hosts that pages use beside their own."""
    cdn_url = runtime.settings.of(StorageSettings).cdn_url
    pictures_from = (map_tiles.url if map_tiles else "", cdn_url)
    uploads = (runtime.files.upload_origin,) if runtime.files.upload_origin else ()
    return Origins(
        forms=(bank, *uploads), images=tuple(origin_of(url) for url in pictures_from if url), connections=uploads
    )
