"""Lighthouse, as it is pinned in tools/audit: fetched once by npm, run by a Node.js that is new enough.

`python -m tools.lighthouse http://127.0.0.1:8000/` prints its results for pages. Nothing of it is part of the program.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final, Self

ROOT: Final = Path(__file__).resolve().parent.parent
LOCKED: Final = ROOT / "tools" / "audit"
INSTALLED: Final = ROOT / ".tools" / "audit"
CATEGORIES: Final = ("performance", "accessibility", "best-practices", "seo")
IMAGE_AUDITS: Final = (
    "image-delivery-insight",
    "image-size-responsive",
    "image-aspect-ratio",
    "unsized-images",
    "lcp-discovery-insight",
    "image-alt",
    "image-redundant-alt",
)
"""What is said of pictures: too many bytes or an old format, too few pixels, no place kept, the first one found late.

Since Lighthouse 13 the first has the audits of formats, sizes and encoding in it, and none looks at what is off screen.
"""
OLDEST_NODE: Final = (22, 19)
_INSTALL_SECONDS: Final = 600
_RUN_SECONDS: Final = 180
_TRIES: Final = 3  # on a busy machine the browser misses the start of a page now and then, and says to run it again
_CHROMIUM_FLAGS: Final = "--headless=new --no-sandbox --disable-dev-shm-usage"


class NoLighthouse(Exception):
    """It is not available. The message has the reason and what to do."""


@dataclass(frozen=True)
class Audit:
    """What Lighthouse measures of a page on an average phone."""

    scores: Mapping[str, float]
    """By category, of 100."""
    lcp_ms: float
    failed: tuple[str, ...]
    """The audits outside of performance that cost points."""
    image_failures: tuple[str, ...]
    """Of IMAGE_AUDITS, those that complain, each with the pictures that they name."""

    @classmethod
    def read(cls, report: str) -> Self:
        result = json.loads(report)
        costly = [
            audit["id"]
            for name in CATEGORIES[1:]
            for audit in result["categories"][name]["auditRefs"]
            if audit["weight"]
            and (result["audits"][audit["id"]]["score"] or 0) < 1
            and result["audits"][audit["id"]]["scoreDisplayMode"] not in {"notApplicable", "manual", "informative"}
        ]
        return cls(
            scores={name: 100 * (result["categories"][name]["score"] or 0) for name in CATEGORIES},
            lcp_ms=result["audits"]["largest-contentful-paint"]["numericValue"],
            failed=tuple(costly),
            image_failures=tuple(
                " ".join((name, *_named(result["audits"][name])))
                for name in IMAGE_AUDITS
                if result["audits"][name]["score"] not in {None, 1}
            ),
        )


def _named(audited: Mapping[str, Any]) -> Iterator[str]:
    """Give the pictures of an audit, with the bytes that each could spare where it says so."""
    for item in audited.get("details", {}).get("items", []):
        spare = item.get("wastedBytes")
        yield item.get("url", "") + (f" ({spare} B to spare)" if spare else "")


def audit(url: str, *, chromium: str, runs: int) -> Audit:
    """Return the medians of several runs, and what failed in any of them.

    Raises:
        NoLighthouse
    """
    audits = [_look(url, chromium=chromium) for _ in range(runs)]
    return Audit(
        scores={name: median(each.scores[name] for each in audits) for name in CATEGORIES},
        lcp_ms=median(each.lcp_ms for each in audits),
        failed=tuple(sorted({name for each in audits for name in each.failed})),
        image_failures=tuple(sorted({name for each in audits for name in each.image_failures})),
    )


def _look(url: str, *, chromium: str) -> Audit:
    program = INSTALLED / "node_modules" / "lighthouse" / "cli" / "index.js"
    command = [find_node(), str(program), url, "--quiet", "--output=json", f"--chrome-flags={_CHROMIUM_FLAGS}"]
    command.append(f"--only-categories={','.join(CATEGORIES)}")
    said = ""
    for _ in range(_TRIES):
        ended = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=_RUN_SECONDS,
            env={**os.environ, "CHROME_PATH": chromium},
        )
        if ended.returncode == 0:
            return Audit.read(ended.stdout)
        said = ended.stderr[-2000:]
    raise NoLighthouse(f"Lighthouse could not look at {url}: {said}")


def install() -> None:
    """Fetch what tools/audit locks, hashes included, unless it is there.

    Raises:
        NoLighthouse
    """
    lock = (LOCKED / "package-lock.json").read_bytes()
    stamp, digest = INSTALLED / "installed", hashlib.sha256(lock).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    if shutil.which("npm") is None:
        raise NoLighthouse("There is no npm. Install Node.js with npm; everything is fetched into .tools.")
    shutil.rmtree(INSTALLED, ignore_errors=True)
    INSTALLED.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(LOCKED / name, INSTALLED / name)
    # Without install scripts: packages run when they are started, not when they are installed.
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    ended = subprocess.run(
        command, cwd=INSTALLED, capture_output=True, text=True, check=False, timeout=_INSTALL_SECONDS
    )
    if ended.returncode:
        raise NoLighthouse(f"npm could not fetch what tools/audit locks: {ended.stderr[-2000:]}")
    stamp.write_text(digest)


def find_node() -> str:
    """Return a Node.js that runs it: the system's, or the one that was fetched with it.

    Raises:
        NoLighthouse
    """
    fetched = sorted((INSTALLED / "node_modules").glob("node-*/bin/node"))
    for path in (shutil.which("node"), *map(str, fetched)):
        if path is not None and _version(path) >= OLDEST_NODE:
            return path
    raise NoLighthouse(f"Lighthouse needs Node.js {'.'.join(map(str, OLDEST_NODE))} or newer, on the PATH.")


def _version(node: str) -> tuple[int, ...]:
    printed = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    return tuple(int(part) for part in re.findall(r"\d+", printed))


def main() -> None:
    """Audit each page of the command line once."""
    install()
    chromium = shutil.which("chromium") or shutil.which("google-chrome") or ""
    for url in sys.argv[1:]:
        seen = audit(url, chromium=chromium, runs=1)
        scores = "  ".join(f"{name} {score:.0f}" for name, score in seen.scores.items())
        print(f"{url}  {scores}  LCP {seen.lcp_ms:.0f} ms  {', '.join(seen.failed + seen.image_failures)}")


if __name__ == "__main__":
    try:
        main()
    except NoLighthouse as error:
        sys.exit(str(error))
