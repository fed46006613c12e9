"""The studio's files as they are shipped: whole, small, and nothing that the page's own rules would refuse."""

import re
from pathlib import Path

import pytest

from api.form import fields_of_the_page

STATIC = Path(__file__).parents[2] / "api" / "static"
SCRIPTS = sorted((STATIC / "js").rglob("*.js"))
IMPORT = re.compile(r"""(?:from|import)\s*\(?\s*["']([^"']+)["']""")
AT_ONCE = re.compile(r"""^(?:import|export)\b[^;()=]*?["']([^"';]+)["'];$""", re.MULTILINE)
FIRST_VIEW_BYTES = 150_000
MAX_LINES = 400
ROOMS = ("ui", "shell", "pictures", "features")  # each imports itself and those before it; a feature no other feature


def _name(path: Path) -> str:
    return str(path.relative_to(STATIC))


def _reached(path: Path, seen: set[Path]) -> set[Path]:
    """Return what is loaded with this module: its static imports, all the way down."""
    if path in seen:
        return seen
    seen.add(path)
    for target in AT_ONCE.findall(path.read_text()):
        _reached((path.parent / target).resolve(), seen)
    return seen


@pytest.mark.parametrize("path", SCRIPTS, ids=_name)
def test_every_import_of_a_module_is_there(path: Path) -> None:
    # `${name}` stands for a view of the router's own list.
    wanted = [target for target in IMPORT.findall(path.read_text()) if target.startswith(".") and "$" not in target]
    assert [target for target in wanted if not (path.parent / target).resolve().is_file()] == []


@pytest.mark.parametrize("path", [item for item in SCRIPTS if item.parent != STATIC / "js"], ids=_name)
def test_imports_point_one_way(path: Path) -> None:
    """The router alone opens features, by names that it reads from the address."""
    room, *inner = path.relative_to(STATIC / "js").parts
    for target in IMPORT.findall(path.read_text()):
        if target.startswith(".") and "$" not in target:
            other, *there = (path.parent / target).resolve().relative_to(STATIC / "js").parts
            assert other in ROOMS[: ROOMS.index(room) + 1], f"{room} imports {other}"
            assert room != "features" or other != room or there[0] == inner[0], f"{inner[0]} imports {there[0]}"


@pytest.mark.parametrize("path", SCRIPTS, ids=_name)
def test_a_module_is_short_and_makes_no_html_from_strings(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= MAX_LINES
    assert re.findall(r"\binnerHTML\b|\bouterHTML\b|insertAdjacentHTML|\beval\(|new Function", text) == []


@pytest.mark.parametrize("path", sorted([*STATIC.glob("css/*.css"), *SCRIPTS, STATIC / "index.html"]), ids=_name)
def test_nothing_is_loaded_from_elsewhere(path: Path) -> None:
    links = re.findall(r"""(?:src|href|url)\s*[=(:]\s*["']?(https?:)?//""", path.read_text())
    assert links == []


def test_the_page_has_no_script_style_or_handler_of_its_own() -> None:
    page = (STATIC / "index.html").read_text()
    assert re.findall(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=", page) == []


def test_every_file_the_page_names_is_there() -> None:
    page = (STATIC / "index.html").read_text()
    named = re.findall(r'(?:src|href)="/static/([^"]+)"', page)
    assert named
    assert [name for name in named if not (STATIC / name).is_file()] == []


def test_the_first_view_is_light() -> None:
    scripts = STATIC / "js"
    modules = _reached(scripts / "main.js", set()) | _reached(scripts / "features" / "create" / "view.js", set())
    styles = [STATIC / "css" / f"{name}.css" for name in ("base", "parts", "create")]
    whole = sum(path.stat().st_size for path in [*modules, *styles, STATIC / "index.html", STATIC / "js" / "theme.js"])
    assert whole + len(fields_of_the_page()) < FIRST_VIEW_BYTES


def test_every_icon_that_is_asked_for_is_drawn() -> None:
    drawn = set(re.findall(r'^  "?([a-z-]+)"?:\s+"M', (STATIC / "js" / "ui" / "icons.js").read_text(), re.MULTILINE))
    asked = {
        name
        for path in SCRIPTS
        for name in re.findall(r"""\b(?:icon|iconButton)\(["']([a-z-]+)["']""", path.read_text())
    }
    asked |= {name for path in SCRIPTS for name in re.findall(r"""\bicon: ["']([a-z-]+)["']""", path.read_text())}
    assert asked - drawn == set()
