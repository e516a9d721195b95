"""Write requirements/*.txt: the requirements of pyproject.toml, resolved for every platform, with hashes.

    make lock       keeps the versions that still fit
    make upgrade    takes the newest that pyproject.toml admits

The files hold neither index nor URL, so the same lock installs from the public index, a mirror or a folder.
"""

import os
import subprocess
import sys
from typing import Final

from tools.bootstrap import BUILD_LOCK, LOCKS, ROOT, UV_LOCK, fetched_uv, uv_settings

FOR_EVERY_PLATFORM: Final = ("--universal", "--python-version", "3.11", "--generate-hashes")
# The build requirements of pyvips, from its pyproject.toml. It is the only dependency without a wheel.
BUILD_TOOLS: Final = "setuptools>=61\ncffi>=1\npkgconfig>=1.5\n"
PRESENTATION: Final = ("--quiet", "--no-annotate", "--custom-compile-command", "make lock")


def main() -> None:
    uv = str(fetched_uv())
    run, dev = str(LOCKS["run"]), str(LOCKS["dev"])
    _compile(uv, "pyproject.toml", "--output-file", run)
    # One version of a package in both locks.
    _compile(uv, "pyproject.toml", "--group", "dev", "--constraints", run, "--output-file", dev)
    _compile(uv, "-", "--constraints", run, "--output-file", str(BUILD_LOCK), standard_input=BUILD_TOOLS)
    version = subprocess.run([uv, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    _compile(uv, "-", "--output-file", str(UV_LOCK), standard_input=f"uv=={version}")


def _compile(uv: str, *words: str, standard_input: str = "") -> None:
    environment = {**os.environ, **uv_settings()}
    command = [uv, "pip", "compile", *FOR_EVERY_PLATFORM, *PRESENTATION, *sys.argv[1:], *words]
    subprocess.run(command, cwd=ROOT, env=environment, input=standard_input, text=True, check=True)


if __name__ == "__main__":
    main()
