"""The settings of the whole installation. Each module has its own beside these; docs/reference lists them all."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import AliasChoices, BeforeValidator, Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from fairground.platform.http.security import is_loopback
from fairground.platform.settings import split_url

# Each after those that it asks. Adding a module adds its line here.
MODULES: Final = (
    "fairground.modules.accounts",
    "fairground.modules.media",
    "fairground.modules.providers",
    "fairground.modules.payments",
    "fairground.modules.booking",
    "fairground.modules.reviews",
    "fairground.modules.messaging",
    "fairground.modules.notifications",
    "fairground.modules.imports",
    "fairground.modules.discovery",
)


class Risk(StrEnum):
    """What is refused on an address that others can reach, unless FAIRGROUND_ALLOW names it."""

    SANDBOX_MONEY = "sandbox-money"
    MAIL_PAGE = "mail-page"
    DEMO_ACCOUNTS = "demo-accounts"


class SettingsError(ValueError):
    """A setting cannot be used; the message names the variable, its value and what it must be."""


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _url_of(file: Path) -> str:
    return f"sqlite:///{file}"


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="FAIRGROUND_", frozen=True, extra="ignore", populate_by_name=True)

    http_host: str = Field(
        "127.0.0.1",
        description="Address to listen on. Anything but a loopback address is reachable from other machines.",
    )
    http_port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    http_head_seconds: int = Field(
        15,
        ge=1,
        le=300,
        description="Seconds a client may take to send the request headers. Connections that send nothing are closed "
        "after this time too.",
    )
    http_pause_seconds: int = Field(
        30,
        ge=1,
        le=3600,
        description="Seconds of silence after which the server drops an incomplete request, or a client that doesn't "
        "read the response.",
    )
    http_client_connections: int = Field(
        100,
        ge=1,
        le=100_000,
        description="Maximum connections per client (IPv4 address or IPv6 /64 network) and process. This machine and "
        "the proxies in FORWARDED_ALLOW_IPS have no limit.",
    )
    metrics_port: int | None = Field(
        None,
        ge=0,
        le=65535,
        description="Port for Prometheus metrics, per process. Unset: no metrics.",
    )
    metrics_host: str = Field(
        "127.0.0.1", description="Address for Prometheus metrics. It needs no sign-in, so don't make it public."
    )
    data_dir: Path = Field(Path("var"), description="Folder for all files: database, pictures and emails.")
    database_url: str = Field(
        "",
        validation_alias=AliasChoices("FAIRGROUND_DATABASE_URL", "SQLALCHEMY_DATABASE_URL"),
        description="sqlite:///path or postgresql://user@host/name. Unset: fairground.db in the data folder. "
        "SQLALCHEMY_DATABASE_URL works too.",
    )
    database_pool_size: int = Field(5, ge=1, le=200, description="Database connections per process.")
    database_slow_seconds: float = Field(
        1.0,
        ge=0.001,
        le=60,
        description="Statements that take at least this many seconds are logged, without their values.",
    )
    redis_url: str = Field(
        "",
        validation_alias=AliasChoices("FAIRGROUND_REDIS_URL", "REDIS_URL"),
        description="redis:// or rediss:// with host, port and database, for a cache shared by several servers. "
        "REDIS_URL works too.",
    )
    public_url: str = Field(
        "", description="Public address of the site, used in links. Unset: http:// with the listening address."
    )
    smtp_url: str = Field(
        "",
        description="smtp://user:password@host:587 or smtps://…:465. Unset: emails are saved to mail/ in the data "
        "folder.",
    )
    mail_from: str = Field("Fairground <no-reply@localhost>", description="Sender of all emails.")
    verticals_dir: Path | None = Field(None, description="Folder with your own vertical packs (*.toml).")
    texts_dir: Path | None = Field(
        None, description="Folder with your own help.md, contact.md, terms.md and privacy.md, in Markdown."
    )
    map_tiles_url: str = Field(
        "",
        description="Map tiles to load, such as https://tiles.example/{z}/{x}/{y}.png. Unset: maps show only pins, "
        "names and a scale, without loading tiles.",
    )
    map_attribution: str = Field(
        "", description="Copyright notice of the map tiles, required with the URL. May contain an HTML link."
    )
    allow: Annotated[list[Risk], NoDecode, BeforeValidator(_split)] = Field(
        default_factory=list,
        description="Comma-separated risks to accept on a server that others can reach: "
        + ", ".join(risk.value for risk in Risk)
        + ".",
    )

    @field_validator("data_dir", mode="before")
    @classmethod
    def _check_data_dir(cls, folder: object) -> object:
        if folder == "":
            raise ValueError("must be a folder")
        return folder

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, url: str) -> str:
        parts = split_url(url)
        if url and (parts.scheme not in {"http", "https"} or not parts.netloc or parts.path.strip("/")):
            raise ValueError("must be http:// or https:// with a host and no path, such as https://fair.example")
        return url

    @field_validator("map_tiles_url")
    @classmethod
    def _check_map_tiles_url(cls, url: str) -> str:
        parts = split_url(url)
        is_whole = parts.scheme in {"http", "https"} and parts.netloc and not set(parts.netloc) & set("{}; ")
        if url and not (is_whole and all(part in url for part in ("{z}", "{x}", "{y}"))):
            raise ValueError("must be http:// or https:// with one host, and {z}, {x} and {y} in its path")
        return url

    @model_validator(mode="after")
    def _require_both_of_a_map(self) -> Self:
        if bool(self.map_tiles_url) != bool(self.map_attribution):
            raise ValueError(
                "map_tiles_url and map_attribution go together: set both for a map, or neither for pins only"
            )
        return self

    @property
    def database(self) -> str:
        return self.database_url or _url_of(self.data_dir / "fairground.db")

    def with_database_file(self, file: Path) -> Self:
        """Return these settings with another database, in a file."""
        return self.model_copy(update={"database_url": _url_of(file)})

    @property
    def pictures_dir(self) -> Path:
        return self.data_dir / "pictures"

    @property
    def incoming_dir(self) -> Path:
        return self.data_dir / "incoming"

    @property
    def mail_dir(self) -> Path:
        return self.data_dir / "mail"

    @property
    def address(self) -> str:
        """The public URL without a slash at its end."""
        host = f"[{self.http_host}]" if ":" in self.http_host else self.http_host
        return self.public_url.rstrip("/") or f"http://{host}:{self.http_port}"

    @property
    def is_private(self) -> bool:
        """Only this machine can reach the server."""
        return self.http_host in {"127.0.0.1", "::1", "localhost"} and is_loopback(self.address)

    def allows(self, risk: Risk) -> bool:
        return self.is_private or risk in self.allow
