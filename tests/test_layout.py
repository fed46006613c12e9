"""The tree as a whole: what importing a module may do, and that the checks see what they are made for."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from scripts.check_lengths import too_long, too_wide
from scripts.check_names import shared
from scripts.check_quality import engines

ROOT = Path(__file__).parent.parent
ROOMS = [
    "generation",
    "scheduling",
    "backends",
    "net",
    "text_engines",
    "store",
    "services",
    "cogs",
    "bus",
    "utils",
    "app",
]
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
BUILT_IN = engines()
PACKAGES = sorted(path.parent for path in (ROOT / "packages").glob("*/pyproject.toml"))
# a kind of ControlNet, and where a file of recorded answers lies
ALLOWED_NAMES = [
    'generation/control_kinds.py: "sketch"',
    "utils/infotext.py: a1111",
    "api/dialects/replicate_webhook.py: replicate",  # the path that its callers know
    "settings/web.py: replicate",
]
# What the single files may import besides Python's own (docs/architecture.md): import-linter reads packages only.
ROOT_FILES = {
    "constants": (),
    "lazy": (),
    "config": ("settings", "backends.kinds", "texts", "pydantic"),
    "queue_manager": ("scheduling", "store", "backends.registry", "generation", "settings.queue", "texts", "utils"),
    "main": ("app", "utils.installation", "utils.lean", "texts"),
}

# Loops that end with the job they watch, and cost no more than its progress bar. All others are started by `Loops`.
OF_A_JOB = {
    "backends/a1111/backend.py: report",
    "backends/aipowergrid/backend.py: _watch",
    "backends/child.py: _read_frames",
    "backends/comfyui/news/watch.py: _run",
    "net/wire.py: _read_ahead",
    "utils/loops.py: _keep_alive",
}

# Libraries come first: what they open while loading is their affair. Then the hook watches our own modules only.
WATCHED_IMPORTS = """
import importlib, json, sys
import asyncio, sqlite3, ssl, nextcord, nextcord.ext.commands, httpx, pydantic, aiosqlite, aiohttp, dotenv, rich
import PIL.Image, PIL.ImageDraw, PIL.ImageFont, PIL.ImageFilter, cryptography.fernet
pydantic.create_model("First", x=(int, 0))  # the first model of a process makes pydantic look for its plugins

WATCHED = ("socket.", "sqlite3.", "subprocess.", "os.mkdir", "os.remove", "os.rename", "shutil.", "tempfile.")
seen = []

def hook(event, args):
    if event == "open" and isinstance(args[0], str) and not args[0].endswith((".py", ".pyc", ".so")):
        seen.append(f"opens {args[0]}")
    elif event == "open" and isinstance(args[1], str) and "w" in args[1] and ".pyc" not in str(args[0]):
        seen.append(f"writes {args[0]}")
    elif event.startswith(WATCHED):
        seen.append(event)

new_loop = asyncio.new_event_loop
asyncio.new_event_loop = lambda: seen.append("makes an event loop") or new_loop()
sys.dont_write_bytecode = True
sys.addaudithook(hook)
found = {}
for name in json.loads(sys.argv[1]):
    seen.clear()
    module = importlib.import_module(name)
    for value in list(vars(module).values()):
        if isinstance(value, type):
            getattr(value, "__dataclass_fields__", None)  # made as at its first use: its faults are seen here
        elif type(value).__name__ == "_Pattern":
            value.pattern
    if seen:
        found[name] = list(seen)
print(json.dumps(found))
"""


# They are loaded by a child process alone, where the packages of the engine inside are installed.
OF_THE_CHILD = {
    f"backends.embedded.work.{name}"
    for name in (
        "depths",
        "devices",
        "drawing",
        "edges",
        "loaded",
        "openvino_alone",
        "openvino_drawing",
        "poses",
        "previews",
        "steering",
        "words",
    )
}


def _own_modules() -> list[str]:
    files = [(ROOT, path) for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    files += [(folder, path) for folder in PACKAGES for path in sorted(folder.rglob("*.py"))]
    names = [".".join(path.relative_to(base).with_suffix("").parts).removesuffix(".__init__") for base, path in files]
    names = [name for name in names if name not in OF_THE_CHILD]
    return names + [name for name in ROOT_FILES if (ROOT / f"{name}.py").exists()]


def _run(code: str, *args: str, path: Iterable[Path] = ()) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *args],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))},
        capture_output=True, text=True, timeout=50,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def offences(name: str, source: str) -> list[str]:
    """Return the imports of a single file, inside functions too, that its row does not allow."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    allowed = ROOT_FILES[name]
    others = [module for module in found if module.split(".")[0] not in sys.stdlib_module_names]
    return [module for module in others if not any(f"{module}.".startswith(f"{good}.") for good in allowed)]


def unexplained(source: str) -> list[int]:
    """Return the lines of imports inside functions that say no reason, beside them or in the line above."""
    lines = source.splitlines()
    if not re.search(r"^ +(?:import|from) ", source, re.MULTILINE):
        return []
    functions = (node for node in ast.walk(ast.parse(source)) if isinstance(node, FUNCTION))
    nodes = (node for function in functions for node in ast.walk(function))
    numbers = {node.lineno for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)}
    marks = re.compile(r"#(?! *(?:noqa|type:|fmt:))")
    return sorted(n for n in numbers if not any(marks.search(line) for line in lines[n - 2 : n]))


def endless(sources: list[str]) -> set[str]:
    """Return the names of the functions of one folder that go round until something stops them."""
    functions = (node for source in sources for node in ast.walk(ast.parse(source)) if isinstance(node, FUNCTION))
    return {item.name for item in functions if any(_is_endless(node) for node in ast.walk(item))}


def _is_endless(node: ast.AST) -> bool:
    return isinstance(node, ast.While) and isinstance(node.test, ast.Constant | ast.UnaryOp | ast.BoolOp)


def begun_as_tasks(source: str) -> set[str]:
    """Return the names of the functions that a file begins as tasks by itself."""
    if "create_task" not in source and "ensure_future" not in source:
        return set()
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and node.args)
    works = (call.args[0] for call in calls if _name(call.func) in ("create_task", "ensure_future"))
    return {_name(work.func) for work in works if isinstance(work, ast.Call)}


def _name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def test_importing_any_module_opens_no_file_socket_or_loop() -> None:
    assert json.loads(_run(WATCHED_IMPORTS, json.dumps(_own_modules()), path=PACKAGES)) == {}


def test_neither_the_queue_nor_the_console_loads_discord_or_a_model_library() -> None:
    code = "import sys, queue_manager; queue = list(sys.modules); import main; print([queue, list(sys.modules)])"
    queue, console = ({name.split(".")[0] for name in loaded} for loaded in ast.literal_eval(_run(code)))
    assert queue.isdisjoint({"nextcord", "discord", "torch", "diffusers", "numpy", "cogs", "config", "main"})
    assert console.isdisjoint({"nextcord", "torch"})
    assert "main" in console


def test_the_web_framework_and_what_only_it_or_a_terminal_needs_come_after_the_start() -> None:
    code = "import sys, main, app.build, app.doors, cogs.bot, cogs.run; print(list(sys.modules))"
    loaded = {name.split(".")[0] for name in ast.literal_eval(_run(code))}
    late = {"fastapi", "starlette", "uvicorn", "multipart", "rich", "click", "pygments", "c2pa", "easel_sketch"}
    late |= {"bus", "nats", "assistants", "mcp", "mcp_types"}
    assert loaded & late == set()
    assert "nextcord" in loaded


@pytest.mark.parametrize(
    ("room", "line", "is_allowed"),
    [
        ("queue_manager", "from backends.registry import Registry", True),
        ("queue_manager", "from settings.web import WebSettings", False),
        ("queue_manager", "from backends.a1111 import A1111Backend", False),
        ("queue_manager", "import nextcord", False),
        ("queue_manager", "def f():\n    import config", False),
        ("config", "from settings.fields import number", True),
        ("config", "from dotenv import dotenv_values", False),
        ("config", "from services.generation import GenerationService", False),
        ("constants", "import generation", False),
        ("main", "from cogs import render", False),
        ("main", "import sys", True),
    ],
)
def test_what_a_row_does_not_allow_is_found(room: str, line: str, is_allowed: bool) -> None:
    assert (offences(room, line) == []) is is_allowed


@pytest.mark.parametrize("name", ROOT_FILES)
def test_root_files_import_what_their_row_allows(name: str) -> None:
    assert offences(name, (ROOT / f"{name}.py").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("import heavy", [2]),
        ("import heavy  # noqa: F401", [2]),
        ("import heavy  # only here: it takes a second to load", []),
        ("# only here: it may be missing\n    import heavy", []),
    ],
)
def test_an_import_inside_a_function_needs_a_reason(line: str, found: list[int]) -> None:
    assert unexplained(f"def f():\n    {line}\n") == found


def test_every_import_inside_a_function_has_its_reason() -> None:
    rooms = [*ROOMS, "api", "assistants", "console", "settings", "scripts", "bench"]
    files = [
        *(path for room in rooms for path in (ROOT / room).rglob("*.py")),
        *(ROOT / f"{name}.py" for name in ROOT_FILES),
    ]
    found = {str(path.relative_to(ROOT)): unexplained(path.read_text(encoding="utf-8")) for path in files}
    assert len(found) > 300
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_long_files_and_functions_are_named(tmp_path: Path) -> None:
    path = tmp_path / "room.py"
    path.write_text("def long():\n" + "    x = 1\n" * 60)
    assert [line.split(": ")[1] for line in too_long(path)] == ["long has 61 lines, at most 60"]
    path.write_text("x = 1\n" * 401)
    assert len(too_long(path)) == 1


def test_wide_lines_and_long_scripts_of_the_studio_are_named(tmp_path: Path) -> None:
    script, sheet = tmp_path / "room.js", tmp_path / "room.css"
    script.write_text(f"// {'x' * 117}\n// {'x' * 118}\n" + "//\n" * 399)
    reported = [line.split(": ")[1] for line in too_wide(script)]
    assert reported == ["401 lines, at most 400", "121 characters, at most 120"]
    sheet.write_text("p {}\n" * 500)
    assert too_wide(sheet) == []


def test_a_name_of_several_classes_is_named_with_its_places() -> None:
    files = {"a.py": "class Pace:\n    class In: ...\nclass _Own: ...\n", "b.py": "class In: ...\nclass _Own: ...\n"}
    assert shared(files) == {}
    assert shared(files | {"c.py": "\nclass Pace: ...\n"}) == {"Pace": ["a.py:1", "c.py:2"]}


def test_no_kind_of_engine_is_named_outside_of_its_folder() -> None:
    """Words of the language count only as names: in quotes, by themselves."""
    names = "|".join(BUILT_IN)
    named = re.compile(rf"[\"'`]({names})[\"'`:]|\b(easel_)?({names})\b(?<!\bsketch)(?<!\bart)(?<!\bpainted)")
    rooms = [ROOT / room for room in (*ROOMS, "api", "console", "settings")]
    files = [
        *(path for room in rooms for path in room.rglob("*.[pj][ys]")),
        *(ROOT / f"{item}.py" for item in ROOT_FILES),
    ]
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in files
        if not any(path.is_relative_to(folder) for folder in BUILT_IN.values())
        for match in named.finditer(path.read_text(encoding="utf-8"))
    ]
    assert len(files) > 300
    assert [item for item in found if item not in ALLOWED_NAMES] == []


def test_every_bench_can_be_imported() -> None:
    _run("import bench.__main__, bench.world, bench.loop_lag")


def test_a_loop_begun_as_a_task_is_found() -> None:
    source = (
        "async def run(self):\n    while True:\n        pass\n\ndef go(self):\n    asyncio.create_task(self.run())\n"
    )
    assert endless([source]) & begun_as_tasks(source) == {"run"}


def test_what_runs_as_long_as_easel_does_is_supervised() -> None:
    found: set[str] = set()
    rooms = [ROOT / room for room in (*ROOMS, "api", "assistants", "console", "packages")]
    for path in (path for room in rooms for path in room.rglob("*.py")):
        if names := begun_as_tasks(path.read_text(encoding="utf-8")):
            loops = endless([other.read_text(encoding="utf-8") for other in path.parent.glob("*.py")])
            found |= {f"{path.relative_to(ROOT)}: {name}" for name in names & loops}
    assert found == OF_A_JOB
