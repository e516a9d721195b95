"""Opens the store that the settings name."""

from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from pydantic import ValidationError

from fairground.entrypoints.environment import explain
from fairground.entrypoints.settings import SettingsError
from fairground.kernel.zones import SystemClock
from fairground.platform.storage.folder import FolderStore
from fairground.platform.storage.settings import StorageSettings
from fairground.platform.storage.store import Store

if TYPE_CHECKING:  # an installation that keeps files in a folder does without them
    from fairground.platform.storage.s3.bucket_lifecycle import BucketLifecycle
    from fairground.platform.storage.s3.client import S3Address
    from fairground.platform.storage.s3.signing import Credentials

_WAY_OUT: Final = (
    "Use file:folder or s3://bucket/prefix?endpoint=https://host&region=name, or unset it to use media/ in the data "
    "folder."
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
    if _names_bucket(settings):
        return _open_s3(settings)
    folder = Path(unquote(urlsplit(settings.url).path)) if settings.url else data_dir / "media"
    return FolderStore(folder, clock=SystemClock())


def open_lifecycle(settings: StorageSettings) -> "BucketLifecycle | None":
    """Return the lifecycle rules of the bucket, or None for a folder, which has none; nothing is connected yet.

    Raises:
        SettingsError: The address or the keys cannot be used. The message repeats neither.
    """
    if not _names_bucket(settings):
        return None
    from fairground.platform.storage.s3.bucket_lifecycle import BucketLifecycle
    from fairground.platform.storage.s3.client import S3Client

    address, credentials = _read_bucket(settings)
    calls = S3Client(address, credentials, timeout_seconds=settings.timeout_seconds, clock=SystemClock())
    return BucketLifecycle(calls, address)


def _names_bucket(settings: StorageSettings) -> bool:
    """Return whether files are in a bucket; else they are in a folder.

    Raises:
        SettingsError: The address names neither.
    """
    parts = urlsplit(settings.url)
    if parts.scheme == "s3":
        return True
    if settings.url and (parts.scheme != "file" or parts.netloc or parts.query or not parts.path.strip("/")):
        raise SettingsError(f"FAIRGROUND_STORAGE_URL is not valid: it has no folder or bucket. {_WAY_OUT}")
    return False


def _open_s3(settings: StorageSettings) -> Store:
    from fairground.platform.storage.s3.store import S3Store

    address, credentials = _read_bucket(settings)
    return S3Store(
        address,
        credentials,
        clock=SystemClock(),
        timeout_seconds=settings.timeout_seconds,
        takes_direct_uploads=settings.takes_direct_uploads,
    )


def _read_bucket(settings: StorageSettings) -> "tuple[S3Address, Credentials]":
    from fairground.platform.storage.s3.client import S3Address, S3URLError
    from fairground.platform.storage.s3.signing import Credentials

    if settings.access_key_id is None or settings.secret_access_key is None:
        raise SettingsError(
            "FAIRGROUND_STORAGE_URL is a bucket, but FAIRGROUND_STORAGE_ACCESS_KEY_ID or …_SECRET_ACCESS_KEY is "
            "missing. Set both to a key with read, write, list and delete access."
        )
    credentials = Credentials(settings.access_key_id.get_secret_value(), settings.secret_access_key.get_secret_value())
    try:
        return S3Address.from_url(settings.url), credentials
    except S3URLError as error:
        raise SettingsError(f"FAIRGROUND_STORAGE_URL is not valid: {error}. {_WAY_OUT}") from None
