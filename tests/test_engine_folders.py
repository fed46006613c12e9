"""Engines are alike: the same things in files of the same names, and one client that all of them speak through."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.check_quality import engines

ROOT = Path(__file__).parent.parent
PLUGIN = ROOT / "tests" / "plugin" / "acme_easel"
FOLDERS = {**engines(), "acme": PLUGIN}
NAMED = re.compile(r"^\| `(\w+\.(?:py|toml))` \|", re.MULTILINE)
THEIRS = re.compile(r"\bhttp(x|core)\.")
# They listen to an answer that has no end: bytes are read as they come, within a limit of their own.
LISTENING = {
    "backends/comfyui/news/sockets.py": "a websocket",
    "backends/comfyui/news/stream.py": "server-sent events",
    "backends/gradio_flux/client.py": "server-sent events",
    "backends/openai_images/client.py": "server-sent events",
}
READING = {"stream", "aread", "aiter_bytes", "aiter_text", "aiter_lines", "aiter_raw", "raise_for_status"}


def named() -> set[str]:
    """Return the names that CONTRIBUTING, "A new engine", has for the files of an engine."""
    return {*NAMED.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))}


def strange(folder: Path, names: set[str]) -> list[str]:
    """Return what an engine's folder holds that is neither of the list nor a sub-package with its reason."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.name not in names | {"__init__.py"}:
            found.append(path.name)
        elif path.is_dir() and path.name != "__pycache__":
            module = path / "__init__.py"
            if not module.is_file() or not ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))):
                found.append(path.name)
    return found


def by_itself(source: str) -> Iterator[str]:
    """Yield what a file of an engine does that is for the client to do."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module in {"net.failures", "net.reply"}:
            own = {"translate", "read_reply", "AnswerTooLarge"} & {alias.name for alias in node.names}
            yield from (f"imports {name}" for name in sorted(own))
        elif (
            isinstance(node, ast.ExceptHandler) and node.type and re.search(r"\bhttp(x|core)\.", ast.unparse(node.type))
        ):
            yield f"catches {ast.unparse(node.type)}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in READING:
            yield f"calls {ast.unparse(node.func)}"


@pytest.mark.parametrize("engine", FOLDERS)
def test_an_engines_files_have_the_names_that_all_engines_use(engine: str) -> None:
    assert strange(FOLDERS[engine], named()) == []


def test_a_file_of_another_name_and_a_sub_package_without_a_reason_are_found(tmp_path: Path) -> None:
    (tmp_path / "kind.py").touch()
    (tmp_path / "wire.py").touch()
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "__init__.py").touch()
    assert strange(tmp_path, named()) == ["parts", "wire.py"]


def test_every_name_of_the_list_is_used_and_each_engine_has_its_kind_and_its_grade() -> None:
    there = {path.name for folder in FOLDERS.values() for path in folder.iterdir()}
    assert named() <= there
    for engine, folder in engines().items():
        assert {"kind.py", "backend.py", "quality.toml"} <= {path.name for path in folder.iterdir()}, engine


def test_engines_read_and_translate_nothing_themselves() -> None:
    """Their own meaning of a refusal stands in `errors.py`, on top of what it means anywhere."""
    found = {}
    for path in (path for folder in FOLDERS.values() for path in sorted(folder.rglob("*.py"))):
        name = str(path.relative_to(ROOT))
        own = [*by_itself(path.read_text(encoding="utf-8"))]
        if path.name == "errors.py":
            own = [item for item in own if item != "imports translate"]
        if own:
            found[name] = own
    assert {name: own for name, own in found.items() if name not in LISTENING} == {}
    assert found.keys() == LISTENING.keys()


@pytest.mark.parametrize(
    "source",
    [
        "from net.failures import translate",
        "from net.reply import read_reply",
        "try:\n    pass\nexcept (httpx.HTTPError, ValueError):\n    pass",
        "async def f(client):\n    async with client.stream('GET', '/'):\n        pass",
    ],
)
def test_what_is_for_the_client_to_do_is_found(source: str) -> None:
    assert [*by_itself(source)] != []
