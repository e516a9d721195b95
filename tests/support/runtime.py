"""A runtime for tests that build one module, and a site for those that build one area of pages."""

from pathlib import Path
from typing import Any

from fairground.kernel.zones import SystemClock
from fairground.platform.cache.cache import ResponseCache
from fairground.platform.cache.invalidation import LocalTags
from fairground.platform.cache.settings import CacheSettings
from fairground.platform.cache.stats import CacheStats
from fairground.platform.db.common.rate_limits import RateLimiter
from fairground.platform.db.database import Database
from fairground.platform.http.outbound.client import OutboundClient
from fairground.platform.http.security import SessionCookie
from fairground.platform.images.renderer import Renderer
from fairground.platform.images.settings import ImageSettings
from fairground.platform.mail.mailer import FolderMailer
from fairground.platform.settings import SettingsSource
from fairground.platform.storage.folder import FolderStore
from fairground.runtime import Runtime
from fairground.verticals.loader import load_verticals
from fairground.web.assets import Assets
from fairground.web.rendering import Renderer as PageRenderer
from fairground.web.site import Site

PUBLIC_URL = "http://fair.test"
MAIL_FROM = "Fairground <no-reply@fair.example>"


def make_runtime(db: Database, folder: Path, *, public_url: str = PUBLIC_URL, **changes: Any) -> Runtime:
    """Return what modules are built with, on files below the folder; `changes` are fields by name."""
    clock, settings = SystemClock(), SettingsSource()
    parts: dict[str, Any] = {
        "db": db,
        "clock": clock,
        "limiter": RateLimiter(db),
        "mailer": FolderMailer(folder / "mail", sender=MAIL_FROM),
        "files": FolderStore(folder / "media", clock=clock),
        "renderer": Renderer(settings.of(ImageSettings)),
        "cache": ResponseCache(CacheSettings(), tags=LocalTags(), stats=CacheStats(), level=None, is_alone=True),
        "verticals": load_verticals(),
        "settings": settings,
        "cookie": SessionCookie(public_url=public_url),
        "public_url": public_url,
        "mail_from": MAIL_FROM,
        "outbound": OutboundClient(user_agent="Fairground"),
        "data_dir": folder,
    }
    return Runtime(**(parts | changes))


def make_site(folder: Path, **changes: Any) -> Site:
    assets, verticals = Assets(), load_verticals()
    parts: dict[str, Any] = {
        "assets": assets,
        "renderer": PageRenderer(assets=assets, verticals=verticals),
        "verticals": verticals,
        "clock": SystemClock(),
        "cookie": SessionCookie(public_url=PUBLIC_URL),
        "public_url": "http://127.0.0.1:8000",
        "pictures_dir": folder,
        "mail_dir": folder,
        "texts_dir": None,
    }
    return Site(**(parts | changes))
