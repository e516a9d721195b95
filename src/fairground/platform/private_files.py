"""Files and folders that only the user of this process can read, independent of the umask.

They are created with their final mode, so no other user can open them at any moment.
"""

import contextlib
import os
import stat
from pathlib import Path
from typing import Final

PRIVATE_UMASK: Final = 0o077
_FILE_MODE: Final = 0o600
_FOLDER_MODE: Final = 0o700


def make_private_folder(folder: Path) -> None:
    """Create the folder and its missing parents with mode 0700. An existing folder is left unchanged.

    Raises:
        OSError: It cannot be created.
    """
    if folder.is_dir():
        return
    if folder.parent != folder:
        make_private_folder(folder.parent)
    folder.mkdir(mode=_FOLDER_MODE, exist_ok=True)


def open_private_file(path: Path, flags: int) -> int:
    """Open a file with `os.open` flags and return its descriptor; a new file gets mode 0600."""
    return os.open(path, flags | os.O_CLOEXEC, _FILE_MODE)


def create_private_file(path: Path) -> None:
    """Create an empty file with mode 0600, for a library that would create it with a mode of its own.

    Raises:
        OSError: It cannot be created. An existing file is no error.
    """
    with contextlib.suppress(FileExistsError):
        os.close(open_private_file(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))


def tighten(path: Path) -> None:
    """Remove the rights of other users from a file or folder of an older installation.

    Folders of another owner, folders like /tmp, and the parents of the working and home directories are left unchanged.
    """
    try:
        found = path.stat()
        if not found.st_mode & PRIVATE_UMASK or found.st_uid != os.geteuid():
            return
        if stat.S_ISDIR(found.st_mode) and (found.st_mode & stat.S_ISVTX or _is_above_work(path)):
            return
        path.chmod(stat.S_IMODE(found.st_mode) & ~PRIVATE_UMASK)
    except FileNotFoundError:
        return


def _is_above_work(folder: Path) -> bool:
    return any(place.resolve().is_relative_to(folder.resolve()) for place in (Path.cwd(), Path.home()))
