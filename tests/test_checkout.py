"""A checkout is complete as it is: anywhere, read-only, and with no more than one sentence for a missing engine."""

import asyncio
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.test_plugin import PLUGIN
from tests.test_plugin import acme as acme  # a fixture

ROOT = Path(__file__).parent.parent
REST = shutil.ignore_patterns(".*", "node_modules", "tests", "docs", "bench", "build", "data", "scripts", "*.png")
WAIT_S = 50


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """Easel's files in a folder of their own, and another folder that it is started from."""

    files: Path
    home: Path

    async def run(self, *argv: str, typed: str = "", **environ: str) -> tuple[int, str]:
        """Run `main.py`; return the exit code and all that it wrote."""
        settings = {"PROBE_LOCAL_PORTS": "false", "WEB": "false", "PYTHONDONTWRITEBYTECODE": "1"}
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(self.files / "main.py"), *argv, cwd=self.home,
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **settings, **environ},
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        async with asyncio.timeout(WAIT_S):
            written, _ = await process.communicate(typed.encode())
        assert process.returncode is not None
        return process.returncode, written.decode()

    def listed(self) -> set[tuple[Path, float]]:
        return {(path, path.stat().st_mtime) for path in self.files.rglob("*")}


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    """A copy under a path with blanks and letters beyond ASCII, which cannot be written to."""
    files, home = tmp_path / "Zoë's Bilder [neu] 絵", tmp_path / "home"
    home.mkdir()
    shutil.copytree(ROOT, files, ignore=REST)
    gone = files / "backends" / "acme" / "__pycache__"  # what git leaves of an engine's folder that has moved away
    gone.mkdir(parents=True)
    (gone / "kind.cpython-311.pyc").write_bytes(b"")
    set_modes(files, 0o555, 0o444)
    yield Checkout(files=files, home=home)
    set_modes(files, 0o755, 0o644)


def set_modes(folder: Path, folders: int, files: int) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(folders if path.is_dir() else files)


def remove_packages(checkout: Checkout) -> None:
    set_modes(checkout.files, 0o755, 0o644)
    shutil.rmtree(checkout.files / "packages")


async def test_it_draws_from_any_path_and_writes_nothing_there(checkout: Checkout) -> None:
    before = checkout.listed()
    code, written = await checkout.run("generate", "a red fox --size 64x64", "-o", "fox.png")
    assert code == 0, written
    assert (checkout.home / "fox.png").read_bytes().startswith(b"\x89PNG")
    assert checkout.listed() == before


async def test_without_packages_one_sentence_says_that_there_is_no_engine(checkout: Checkout) -> None:
    remove_packages(checkout)
    code, written = await checkout.run("generate", "a red fox", "-o", "fox.png")
    assert code != 0
    assert "✖ There is no engine here yet: connect one, or ask whoever runs Easel to set one." in written
    assert "Traceback" not in written
    code, written = await checkout.run(typed="a red fox\nmodels\nquit\n")
    assert code == 0, written
    how = "No engine yet: set A1111_URL in .env, or start Automatic1111 or Forge on this machine."
    assert how in written.splitlines()
    assert "Drawing with" not in written


async def test_without_packages_the_doctor_says_what_is_missing(checkout: Checkout) -> None:
    remove_packages(checkout)
    code, written = await checkout.run("doctor")
    assert code == 1
    assert "✖ engines: None is set, and none was found on this machine" in written
    assert "    Set A1111_URL in .env, or start Automatic1111 or Forge on this machine. Start it with --api" in written


async def test_without_packages_an_engine_that_is_set_draws(checkout: Checkout, acme: tuple[str, list[str]]) -> None:
    remove_packages(checkout)
    url, asked = acme
    code, written = await checkout.run(
        "generate", "a red fox --seed 3", "-o", "fox.png", PYTHONPATH=str(PLUGIN), ACME_URL=url, ACME_GLOSS="7"
    )
    assert code == 0, written
    assert asked == ["gloss=7&seed=3"]


async def test_settings_for_a_package_that_is_gone_are_refused_by_name(checkout: Checkout) -> None:
    remove_packages(checkout)
    code, written = await checkout.run("generate", "a red fox", BACKENDS="drawer", DRAWER_KIND="sketch")
    assert code == 2
    assert "DRAWER_KIND=sketch: must be one of a1111, " in written
