"""An installation leaves no file that another user can read, whatever the umask of its shell."""

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

_PROGRAM: Final = "import sys; from fairground.entrypoints.cli import main; main(sys.argv[1:])"


def fairground(data_dir: Path, *arguments: str, umask: int) -> "subprocess.Popen[str]":
    environment = os.environ | {"FAIRGROUND_DATA_DIR": str(data_dir), "FAIRGROUND_HTTP_PORT": "0"}
    return subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, *arguments], env=environment, umask=umask, text=True, stderr=subprocess.PIPE
    )


def too_open(data_dir: Path) -> dict[str, str]:
    paths = [data_dir, *data_dir.rglob("*")]
    return {path.name: oct(path.stat().st_mode) for path in paths if stat.S_IMODE(path.stat().st_mode) & 0o077}


@pytest.mark.parametrize("umask", [0o022, 0o000], ids=["umask 022", "umask 000"])
def test_no_file_of_an_installation_is_readable_to_others(tmp_path: Path, umask: int) -> None:
    data_dir = tmp_path / "data"
    for arguments in (["db", "upgrade"], ["backup", str(data_dir / "copy.db")]):
        assert fairground(data_dir, *arguments, umask=umask).wait(120) == 0
    assert too_open(data_dir) == {}

    (data_dir / "copy.db").chmod(0o644)  # as an older version left them
    data_dir.chmod(0o755)
    server = fairground(data_dir, "serve", umask=umask)
    assert server.stderr is not None
    assert any("Fairground is at" in line for line in server.stderr)
    names = {path.name for path in data_dir.rglob("*")}
    found = too_open(data_dir)
    server.terminate()
    server.communicate(timeout=60)
    assert {"fairground.db", "fairground.db.lock", "copy.db"} <= names
    assert found == {}
