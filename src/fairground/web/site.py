"""What the pages are made of."""

from dataclasses import dataclass
from pathlib import Path

from fairground.kernel.clock import Clock
from fairground.platform.http.security import SessionCookie
from fairground.verticals.loader import Verticals
from fairground.web.assets import Assets
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
    has_test_money: bool
    """Payments are the sandbox's, so the payment page offers its test cards."""
    pictures_dir: Path
    mail_dir: Path | None
    """The folder whose mails anyone may read on a page; None where they are sent, or may not be shown."""
