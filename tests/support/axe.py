"""axe-core, which finds what people with a screen reader or a keyboard cannot use."""

import importlib.util
from pathlib import Path
from typing import Final

from playwright.async_api import Page

_SHIPPED: Final = importlib.util.find_spec("axe_playwright_python")
_FIND: Final = """async () => {
  const found = await axe.run(document, { resultTypes: ["violations"] });
  return found.violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}`));
}"""


async def find_violations(page: Page) -> list[str]:
    """Return the faults of a page in its present state, each as the rule and the element."""
    assert _SHIPPED is not None
    assert _SHIPPED.origin is not None
    await page.evaluate((Path(_SHIPPED.origin).parent / "axe.min.js").read_text())
    found: list[str] = await page.evaluate(_FIND)
    return found
