"""A built wheel is the whole product: installed into an empty environment, it starts outside any checkout."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.support.processes import ROOT
from tools.bootstrap import BUILD_LOCK, LOCKS, fetched_uv, uv_settings

pytestmark = pytest.mark.timeout(300)


def test_wheel_in_an_empty_environment_starts_the_marketplace(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FAIRGROUND_", "PYTHON"))}
    environment = {**kept, **uv_settings(), "VIRTUAL_ENV": str(tmp_path / "venv"), "UV_PYTHON_DOWNLOADS": "never"}

    def uv(*arguments: str) -> None:
        subprocess.run([str(fetched_uv()), *arguments, "--quiet"], env=environment, cwd=tmp_path, check=True)

    uv("build", "--wheel", "--offline", "--out-dir", str(tmp_path / "dist"), str(ROOT))
    (wheel,) = (tmp_path / "dist").glob("fairground-*.whl")
    uv("venv", "--python", sys.executable, str(tmp_path / "venv"))
    locked = ["--require-hashes", "--build-constraints", str(BUILD_LOCK), "--requirements", str(LOCKS["run"])]
    uv("pip", "install", *locked)
    uv("pip", "install", "--no-deps", "--offline", str(wheel))

    empty, log = tmp_path / "empty", tmp_path / "up.log"
    empty.mkdir()
    settings = {"FAIRGROUND_DATA_DIR": str(tmp_path / "data"), "FAIRGROUND_HTTP_PORT": "0"}
    with log.open("w") as output:
        command = [str(tmp_path / "venv" / "bin" / "fairground"), "up"]
        process = subprocess.Popen(command, env=kept | settings, cwd=empty, stdout=output, stderr=output)
    try:
        while (found := re.search(r"Fairground is at (http://\S+)", log.read_text())) is None:
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        home = httpx.get(found[1], timeout=60).raise_for_status()
        assert "<h1" in home.text
        assert httpx.get(f"{found[1]}/help", timeout=60).status_code == 200
        style = re.search(r'src="(/static/[^"]+)"', home.text)
        assert style is not None
        assert httpx.get(found[1] + style[1], timeout=60).status_code == 200
    finally:
        process.terminate()
        process.wait(timeout=60)
