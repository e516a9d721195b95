"""sharp: the same libvips from JavaScript, which is what most of the web's pictures are made with."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from benchmarks.measuring import Cost

_VERSION: Final = "0.35"
_SCRIPT: Final = """
import { readFileSync } from 'node:fs';
import sharp from 'sharp';
sharp.concurrency(1);
sharp.cache(false);
const [file, format, quality, count] = process.argv.slice(2);
const source = readFileSync(file);
const options = format === 'webp' ? { quality: +quality, effort: 2 } : { quality: +quality };
const render = () => sharp(source).resize(512)[format](options).toBuffer();
for (let n = 0; n < 3; n++) await render();
const before = process.cpuUsage(), began = performance.now();
for (let n = 0; n < +count; n++) await render();
const used = process.cpuUsage(before);
const seconds = (performance.now() - began) / 1e3;
console.log(JSON.stringify([(used.user + used.system) / 1e6, seconds].map((each) => each / +count)));
"""


class Sharp:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def cost(self, photo: Path, picture_format: str, quality: int, *, count: int) -> Cost:
        """Return what one rendering to 512 pixels takes."""
        words = ["node", "peer.mjs", str(photo), picture_format, str(quality), str(count)]
        done = subprocess.run(words, cwd=self._folder, capture_output=True, text=True, check=True)
        return Cost(*json.loads(done.stdout))


def install(folder: Path) -> Sharp:
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("NOT RUN: there is no node with npm; install them (Debian: nodejs, npm)")
    (folder / "peer.mjs").write_text(_SCRIPT)
    done = subprocess.run(
        ["npm", "install", f"sharp@{_VERSION}"], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"NOT RUN: npm does not bring sharp: {done.stderr.strip().splitlines()[-1:]}")
    return Sharp(folder)
