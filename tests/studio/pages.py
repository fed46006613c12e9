"""A page of the studio under watch, and what must hold for every page: nothing in the console, nothing out of place."""

import asyncio
import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import ConsoleMessage, Locator, Page, Request, Response, expect

VIEWS: Final = ("create", "feed", "gallery", "engines", "dashboard", "settings")
SCREENSHOTS: Final = Path(__file__).parents[2] / "build" / "screenshots"
MAX_SHIFT: Final = 0.05
WCAG_AA: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

# Sums up what moved without a hand having moved it, as Chromium's own "cumulative layout shift" does.
SHIFTS: Final = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (entry.hadRecentInput) continue;
    const nodes = entry.sources.map(({ node }) => node && (node.id || node.className || node.nodeName));
    window.shifts.push({ value: entry.value, nodes });
  }
}).observe({ type: "layout-shift", buffered: true });
"""

OUTSIDE: Final = """
() => {
  const wide = document.documentElement.clientWidth;
  const scrolls = (node) => {
    for (let one = node; one && one !== document.body; one = one.parentElement) {
      const style = getComputedStyle(one);
      if (["auto", "scroll", "hidden", "clip"].includes(style.overflowX)) return true;
      if (style.position === "fixed") return false;
    }
    return false;
  };
  const found = [];
  const whole = document.documentElement.scrollWidth;
  if (whole > wide) found.push(`the page is ${whole} px wide`);
  for (const node of document.body.querySelectorAll("*")) {
    if (node.closest(".sr-only, .skip, svg") || scrolls(node.parentElement)) continue;
    const box = node.getBoundingClientRect();
    if (box.width && box.height && (box.right > wide + 1 || box.left < -1)) {
      found.push(`${node.nodeName} ${node.className} from ${Math.round(box.left)} to ${Math.round(box.right)}`);
    }
  }
  return found;
}
"""


@dataclass
class Watch:
    """Everything of a page that nobody should see: console, script errors, failed requests, refused content."""

    problems: list[str] = field(default_factory=list)
    # a preview is asked for in the very moment in which its job ends: there is none any more, and nobody sees that
    _allowed: list[re.Pattern[str]] = field(default_factory=lambda: [re.compile(r"\b404\b.*/preview\?v=\d+")])

    def follow(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._add(f"script: {error}"))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)

    def allow(self, pattern: str) -> None:
        """Expect problems like this one from now on; all others still fail the test."""
        self._allowed.append(re.compile(pattern))

    @contextmanager
    def unreachable(self) -> Iterator[None]:
        """While the server is cut off, requests fail."""
        before = len(self._allowed)
        self.allow(r"ERR_CONNECTION|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY_RESPONSE|ERR_NETWORK")
        yield
        del self._allowed[before:]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning", "assert"):
            self._add(f"console {message.type}: {message.text} ({message.location.get('url', '')})")

    def _failed(self, request: Request) -> None:
        # the page itself gave it up: an older question, or a stream when the page is left
        if request.failure != "net::ERR_ABORTED":
            self._add(f"request: {request.method} {request.url} {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self._add(f"answer: {response.status} {response.request.method} {response.url}")

    def _add(self, problem: str) -> None:
        if not any(pattern.search(problem) for pattern in self._allowed):
            self.problems.append(problem)


async def holds(page: Page, condition: str, *, seconds: float = 10) -> None:
    """Wait until a JavaScript condition is true (Playwright's own wait needs an eval that our CSP forbids)."""
    async with asyncio.timeout(seconds):
        while not await page.evaluate(condition):
            await asyncio.sleep(0.02)


async def outside(page: Page) -> list[str]:
    """Return what lies outside of the page's width, and the page itself if it scrolls sideways."""
    return await page.evaluate(OUTSIDE)


async def shift_of(page: Page) -> float:
    shifts = await page.evaluate("window.shifts")
    return sum(shift["value"] for shift in shifts)


async def violations(page: Page, *, only: str = "") -> list[str]:
    """Return what of WCAG 2 A and AA does not hold on the page as it is now; `only` names a single rule of axe."""
    which = {"type": "rule", "values": [only]} if only else {"type": "tag", "values": WCAG_AA}
    rules = {"runOnly": which, "resultTypes": ["violations"]}
    found: list[dict[str, Any]] = (await Axe().run(page, options=rules)).response["violations"]
    return [
        f"{item['id']}: {item['help']}: {node['html'][:160]} {_why(node)}"
        for item in found
        for node in item["nodes"][:3]
    ]


def _why(node: dict[str, Any]) -> str:
    return "; ".join(check["message"] for check in (*node["any"], *node["all"], *node["none"]))[:220]


async def keep_screenshot(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=SCREENSHOTS / f"{name}.png")


def button(page: Page | Locator, name: str, *, exact: bool = True) -> Locator:
    return page.get_by_role("button", name=name, exact=exact)


async def unfold(page: Page) -> None:
    """Show Create's settings: a phone has no room for them beside the picture.

    A workflow or picture that arrives opens them by itself, perhaps between the look and the press, which then closes.
    """
    await expect(button(page, "Generate")).to_be_visible()
    fold = page.locator(".panel-fold")
    while await fold.is_visible() and await fold.get_attribute("aria-expanded") == "false":
        await fold.click()


async def close_notices(page: Page) -> None:
    """Close the notices: on a phone they lie over the top of the page for some seconds."""
    for close in reversed(await page.get_by_role("button", name="Close this notice").all()):
        await close.click()


async def write(page: Page, text: str) -> None:
    """Write the prompt, as one types it in one go."""
    await page.locator("#prompt").fill(text)


async def generate(page: Page, text: str = "") -> dict[str, Any]:
    """Write the prompt (unless it stands there), press Generate; return the job that the server made of it."""
    if text:
        await write(page, text)
    async with page.expect_response(
        lambda answer: answer.url.endswith("/api/jobs") and answer.request.method == "POST"
    ) as reported:
        await button(page, "Generate").click()
    answer = await reported.value
    assert answer.status == 202, await answer.text()
    return (await answer.json())["jobs"][0]


async def finished(page: Page) -> None:
    """Wait until the picture hangs in the middle."""
    await expect(button(page, "Open large")).to_be_visible()


async def drop(page: Page, target: str, data: bytes, name: str = "picture.png", kind: str = "image/png") -> None:
    """Drop a file on an element, with the events that a browser sends."""
    script = """
    ([target, text, name, type]) => {
      const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([bytes], name, { type }));
      const node = document.querySelector(target);
      for (const kind of ["dragenter", "dragover", "drop"])
        node.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
    }"""
    await page.evaluate(script, [target, b64encode(data).decode(), name, kind])


async def paste(page: Page, data: bytes, target: str = "body") -> None:
    """Paste a picture on an element."""
    script = """
    ([target, text]) => {
      const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
      const clipboardData = new DataTransfer();
      clipboardData.items.add(new File([bytes], "pasted.png", { type: "image/png" }));
      const told = { clipboardData, bubbles: true, cancelable: true };
      document.querySelector(target).dispatchEvent(new ClipboardEvent("paste", told));
    }"""
    await page.evaluate(script, [target, b64encode(data).decode()])
