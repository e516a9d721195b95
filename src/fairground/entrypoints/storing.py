"""Opens the store that the settings name."""

from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from pydantic import ValidationError

from fairground.entrypoints.environment import explain
from fairground.entrypoints.settings import SettingsError
from fairground.kernel.clock import SystemClock
from fairground.platform.storage.folder import FolderStore
from fairground.platform.storage.settings import StorageSettings
from fairground.platform.storage.store import Store

_WAY_OUT: Final = (
    "Write file:folder, or s3://bucket/prefix?endpoint=https://host&region=name, or unset it for media/ in the data"
    " folder."
)


def load_storage_settings() -> StorageSettings:
    """Read the environment.

    Raises:
        SettingsError: A variable has a value that cannot be used.
    """
    try:
        return StorageSettings()
    except ValidationError as error:
        raise explain(error) from None


def open_store(settings: StorageSettings, *, data_dir: Path) -> Store:
    """Return the store; nothing is connected and no folder is made yet.

    Raises:
        SettingsError: The address or the keys cannot be used. The message repeats neither.
    """
    if not settings.url:
        return FolderStore(data_dir / "media", clock=SystemClock())
    parts = urlsplit(settings.url)
    if parts.scheme == "s3":
        return _open_s3(settings)
    if parts.scheme != "file" or parts.netloc or parts.query or not parts.path.strip("/"):
        raise SettingsError(f"FAIRGROUND_STORAGE_URL cannot be used: it names no folder and no bucket. {_WAY_OUT}")
    return FolderStore(Path(unquote(parts.path)), clock=SystemClock())


def _open_s3(settings: StorageSettings) -> Store:
    # Here, because an installation that keeps files in a folder does without it.
    from fairground.platform.storage.s3.address import Credentials, S3Address, S3URLError
    from fairground.platform.storage.s3.store import S3Store

    if settings.access_key_id is None or settings.secret_access_key is None:
        raise SettingsError(
            "FAIRGROUND_STORAGE_URL names a bucket, and FAIRGROUND_STORAGE_ACCESS_KEY_ID or …_SECRET_ACCESS_KEY is"
            " unset. Set both to a key that may read, write, list and delete in that bucket."
        )
    credentials = Credentials(settings.access_key_id.get_secret_value(), settings.secret_access_key.get_secret_value())
    try:
        address = S3Address.from_url(settings.url)
    except S3URLError as error:
        raise SettingsError(f"FAIRGROUND_STORAGE_URL cannot be used: {error}. {_WAY_OUT}") from None
    return S3Store(
        address,
        credentials,
        clock=SystemClock(),
        timeout_seconds=settings.timeout_seconds,
        takes_direct_uploads=settings.takes_direct_uploads,
    )
