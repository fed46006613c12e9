"""The browser of these tests: a Chromium that is installed on the machine, since Playwright's own is not downloaded."""

import os
import shutil
from typing import Final

import pytest
from playwright.async_api import Browser, Playwright

# Debian's shell is the same Chromium without windows: a page costs it half of the processor's time.
NAMES: Final = (
    "chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable",
)  # fmt: skip
MISSING: Final = "no Chromium on this machine, so the studio is not tested: apt-get install chromium-headless-shell"
ARGUMENTS: Final = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--force-color-profile=srgb"]


def find() -> str | None:
    """Return the path of the first Chromium found; CHROMIUM in the environment goes first."""
    return next(
        (path for name in (os.environ.get("CHROMIUM", ""), *NAMES) if name and (path := shutil.which(name))), None
    )


async def launch(playwright: Playwright) -> Browser:
    """Start it, or skip the test and say what to install."""
    path = find()
    if path is None:
        pytest.skip(MISSING)
    return await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
