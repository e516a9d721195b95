"""Make `.venv` from nothing but Python: fetch uv once, then let it install the locked, hashed packages.

    python3 tools/bootstrap.py run    what the program needs
    python3 tools/bootstrap.py dev    and what its developers need

uv is fetched by pip, which knows the user's index, proxy and certificates. A Python without pip carries it inside
`ensurepip`; Debian cuts both off, and its own archive has the missing wheel, which apt hands out to any user. See
docs/adr/0001-tools.md. Standard library only: this runs before anything is installed.
"""

import configparser
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
TOOLS: Final = ROOT / ".tools"
VENV: Final = ROOT / ".venv"
STAMP: Final = VENV / "installed"
LOCKS: Final = {"run": ROOT / "requirements" / "run.txt", "dev": ROOT / "requirements" / "dev.txt"}
UV_LOCK: Final = ROOT / "requirements" / "uv.txt"
# What builds a package that comes as source (pyvips, which is plain Python): locked and hashed like all others.
BUILD_LOCK: Final = ROOT / "requirements" / "build.txt"

PIP_FILES: Final = (
    "/etc/pip.conf",
    "~/.pip/pip.conf",
    "~/.config/pip/pip.conf",
    "~/Library/Application Support/pip/pip.conf",
    os.environ.get("PIP_CONFIG_FILE", ""),
)


def main(lock: str) -> None:
    """Install the lock `lock` into `.venv`; do nothing when it is there."""
    if is_installed(lock):
        return
    uv = str(fetched_uv())
    environment = {**os.environ, **uv_settings(), "VIRTUAL_ENV": str(VENV), "UV_PYTHON_DOWNLOADS": "never"}
    # Always from scratch: uv links packages from its cache in a second, and no package of an older lock or folder
    # remains.
    _run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(VENV)], environment)
    sync = [uv, "pip", "sync", "--quiet", "--require-hashes", "--build-constraints", str(BUILD_LOCK)]
    # Where a libvips for developers is installed, pyvips would be compiled against that, over the one that is locked.
    _run([*sync, str(LOCKS[lock])], {**environment, "PKG_CONFIG_LIBDIR": os.devnull, "PKG_CONFIG_PATH": ""})
    # Built by uv itself, from this folder: no build tool is fetched past the lock.
    _run([uv, "pip", "install", "--quiet", "--no-deps", "--offline", "--editable", str(ROOT)], environment)
    STAMP.write_text(stamp_of(lock))


def is_installed(lock: str) -> bool:
    if not STAMP.exists() or not (VENV / "bin" / "python").exists():
        return False
    # What developers need includes what the program needs.
    return STAMP.read_text() in {stamp_of(lock), stamp_of("dev")}


def stamp_of(lock: str) -> str:
    # The folder is part of the stamp, because scripts in an environment contain its path: a moved checkout must install
    # again.
    digest = hashlib.sha256(str(ROOT).encode())
    for file in (LOCKS[lock], BUILD_LOCK, ROOT / "pyproject.toml"):
        digest.update(file.read_bytes())
    return f"{lock} {digest.hexdigest()}\n"


def fetched_uv() -> Path:
    lock = UV_LOCK.read_bytes()
    folder = TOOLS / f"uv-{hashlib.sha256(lock).hexdigest()[:12]}"
    uv = folder / "bin" / "uv"
    if not uv.exists():
        print("Fetching uv, once.")
        with tempfile.TemporaryDirectory(prefix="fairground-") as scratch:
            pip = find_pip(Path(scratch))
            install = ["install", "--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes"]
            _run([*pip, *install, "--target", str(folder), "--requirement", str(UV_LOCK)], _pip_environment())
    return uv


def find_pip(scratch: Path) -> list[str]:
    """Return the command of a pip that runs here.

    Args:
        scratch: A folder for what must be fetched first; it must stay until pip has run.
    """
    if is_importable("pip"):
        return [sys.executable, "-m", "pip"]
    wheel = _bundled_wheel() or _wheel_from_debian(scratch)
    if wheel is None:
        sys.exit(
            "This Python has neither pip nor ensurepip. Install pip (often the package python3-pip), and try again."
        )
    return [sys.executable, str(wheel / "pip")]


def is_importable(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _bundled_wheel() -> Path | None:
    """Return the wheel of pip that `ensurepip` would install, if it is there."""
    ensurepip = importlib.util.find_spec("ensurepip")
    folders = [Path(ensurepip.origin).parent / "_bundled"] if ensurepip and ensurepip.origin else []
    folders += [Path(sysconfig.get_config_var("WHEEL_PKG_DIR") or "/usr/share/python-wheels")]
    return next((wheel for folder in folders for wheel in folder.glob("pip-*.whl")), None)


def _wheel_from_debian(scratch: Path) -> Path | None:
    """Return the wheel of pip from Debian's archive, without installing a package and without being root."""
    if not shutil.which("apt-get"):
        return None
    print("This Python has no pip: taking its wheel from the distribution's archive.")
    # Package lists of our own: a slim system has deleted its lists, and only root may fetch them again.
    lists, cache = scratch / "lists", scratch / "cache"
    for folder in (lists / "partial", cache / "archives" / "partial"):
        folder.mkdir(parents=True)
    own = ["-qq", "-o", f"Dir::State::Lists={lists}", "-o", f"Dir::Cache={cache}", "-o", "APT::Sandbox::User=root"]
    for words in (["download"], [*own, "update"], [*own, "download"]):
        package = ["python3-pip-whl"] if words[-1] == "download" else []
        subprocess.run(["apt-get", *words, *package], cwd=scratch, capture_output=True, check=False)
        for archive in scratch.glob("*.deb"):
            _run(["dpkg-deb", "-x", str(archive), str(scratch)], dict(os.environ))
            return next(scratch.glob("usr/share/python-wheels/pip-*.whl"), None)
    return None


def _pip_environment() -> dict[str, str]:
    index = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("UV_INDEX_URL")
    chosen = {"PIP_INDEX_URL": index} if index else {}
    # Configuration for other work must not change where this is installed; the lock names the version.
    fixed = {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}
    quiet = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    return {**chosen, **os.environ, **fixed, **quiet}


def uv_settings() -> dict[str, str]:
    """Translate how the user has set up pip, which uv does not read; uv's own settings win."""
    index = "" if "UV_INDEX_URL" in os.environ else _pip_setting("index-url")
    settings = {
        "UV_DEFAULT_INDEX": index,
        "UV_FIND_LINKS": ",".join(_pip_setting("find-links").split()),
        "UV_NO_INDEX": _pip_setting("no-index"),
        "SSL_CERT_FILE": _pip_setting("cert"),
    }
    return {name: value for name, value in settings.items() if value and name not in os.environ}


def _pip_setting(name: str) -> str:
    files = configparser.ConfigParser(interpolation=None)
    files.read(Path(file).expanduser() for file in PIP_FILES if file)
    variable = f"PIP_{name.upper().replace('-', '_')}"
    return os.environ.get(variable) or files.get("global", name, fallback="") or ""


def _run(command: Sequence[str], environment: dict[str, str]) -> None:
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    if done.returncode != 0:
        sys.exit(f"`{' '.join(command)}` failed, see above. A second try repairs what is half done.")


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in LOCKS:  # noqa: PLR2004 - the program and its one word
        sys.exit("Say what to install: python3 tools/bootstrap.py run|dev")
    main(sys.argv[1])
