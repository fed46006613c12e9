"""The browser of these tests: a Chromium that is installed on the machine, since Playwright's own is not downloaded."""

import os
import shutil
import sys
from typing import Final

import pytest
from playwright.async_api import Browser, Playwright

from tests import tools

PACKAGE: Final = "chromium-headless-shell"
# Debian's shell is the same Chromium without windows: a page costs it half of the processor's time.
NAMES: Final = (PACKAGE, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS: Final = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--force-color-profile=srgb"]


def need_both() -> None:
    """Skip the test with one line, unless Playwright's driver and a Chromium start on this machine."""
    if reason := driver_fault() or chromium_fault():
        pytest.skip(f"the studio is not tested: {reason}")


def driver_fault() -> str:
    """Return why Playwright's driver, a Node.js of its own, does not start; "" if it does."""
    return tools.fault(
        sys.executable, "-m", "playwright", "--version", name="Playwright's driver", package="libatomic1"
    )


def chromium_fault() -> str:
    faults = [tools.fault(name, "--version", package=PACKAGE) for name in _installed() or [PACKAGE]]
    return "" if "" in faults else faults[0]


def find() -> str | None:
    """Return the first Chromium that starts; CHROMIUM in the environment goes first."""
    return next((name for name in _installed() if not tools.fault(name, "--version", package=PACKAGE)), None)


async def launch(playwright: Playwright) -> Browser:
    return await playwright.chromium.launch(executable_path=find(), args=ARGUMENTS)


def _installed() -> list[str]:
    return [path for name in (os.environ.get("CHROMIUM", ""), *NAMES) if name and (path := shutil.which(name))]
