"""An installation leaves no file that another user can read, whatever the umask of its shell."""

import stat
from pathlib import Path

import pytest

from tests.support.servers import Installation


def too_open(folder: Path) -> dict[str, str]:
    """Return what others may use; the logs are the test's own."""
    paths = [path for path in (folder, *folder.rglob("*")) if path.suffix != ".log"]
    return {path.name: oct(path.stat().st_mode) for path in paths if stat.S_IMODE(path.stat().st_mode) & 0o077}


@pytest.mark.parametrize("umask", [0o022, 0o000], ids=["umask 022", "umask 000"])
def test_no_file_of_an_installation_is_readable_to_others(tmp_path: Path, umask: int) -> None:
    folder = tmp_path / "data"
    file = folder / "below" / "fairground.db"
    installation = Installation(database_url=f"sqlite:///{file}", data_dir=folder)
    for arguments in (["db", "upgrade"], ["backup", str(folder / "copy.db")]):
        assert installation.run(*arguments, umask=umask).exit_code == 0
    assert too_open(file.parent) == {}
    assert stat.S_IMODE((folder / "copy.db").stat().st_mode) == 0o600

    for path in (file, folder / "copy.db"):
        path.chmod(0o644)  # as an older version left them
    folder.chmod(0o755)
    with installation.serving(umask=umask):
        found = too_open(folder)
        names = {path.name for path in folder.rglob("*")}
    assert {"fairground.db", "fairground.db-wal", "fairground.db.lock", "copy.db"} <= names
    assert found == {}
