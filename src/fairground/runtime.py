"""What every module and every area of pages is given when the program is built."""

from dataclasses import dataclass
from pathlib import Path

from fairground.kernel.zones import Clock
from fairground.platform.cache.cache import ResponseCache
from fairground.platform.db.common.rate_limits import RateLimiter
from fairground.platform.db.database import Database
from fairground.platform.http.outbound.client import OutboundClient
from fairground.platform.http.security import SessionCookie
from fairground.platform.images.renderer import Renderer
from fairground.platform.mail.mailer import Mailer
from fairground.platform.settings import SettingsSource
from fairground.platform.storage.store import Store
from fairground.verticals.loader import Verticals


@dataclass(frozen=True)
class Runtime:
    db: Database
    clock: Clock
    limiter: RateLimiter
    mailer: Mailer
    files: Store
    renderer: Renderer
    cache: ResponseCache
    verticals: Verticals
    settings: SettingsSource
    cookie: SessionCookie
    public_url: str
    """The address that people use, without a slash at its end."""
    mail_from: str
    """The sender of every mail, as `Name <address>`."""
    outbound: OutboundClient
    """Fetches addresses that users, files or other systems name."""
    data_dir: Path

    @property
    def incoming_dir(self) -> Path:
        """Where files are written while they arrive."""
        return self.data_dir / "incoming"
