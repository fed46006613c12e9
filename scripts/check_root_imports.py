"""Hold what the files beside the rooms may import, the part of the import rules that import-linter cannot see.

import-linter reads packages only; `main.py`, `queue_manager.py` and the like are single files. The table below is the
same rule as in docs/architecture.md. A file that does not exist is passed over.
"""

import ast
import sys
from pathlib import Path

ROOMS = {
    "generation",
    "scheduling",
    "backends",
    "net",
    "store",
    "services",
    "cogs",
    "console",
    "api",
    "utils",
    "texts",
    "settings",
    "app",
    "bench",
    "tests",
    "scripts",
}
ROOT_FILES = {
    "main",
    "config",
    "constants",
    "queue_manager",
}
THIRD_PARTY = {
    "nextcord",
    "fastapi",
    "uvicorn",
    "aiohttp",
    "httpx",
    "aiosqlite",
    "PIL",
    "cryptography",
    "dotenv",
    "pydantic",
    "rich",
}

ALLOWED: dict[str, set[str]] = {
    "main": {"app", "utils.installation", "texts"},
    "constants": set(),
    "config": {"settings", "constants", "backends.kinds", "texts", "pydantic"},
    "queue_manager": {"scheduling", "store", "backends.registry", "generation", "utils", "texts", "constants"},
}


def imported_modules(source: str) -> list[str]:
    """List every module that a file imports, inside functions too; `from a import b` counts as `a.b`."""
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def offences(room: str, source: str) -> list[str]:
    """Name the imports of one file that its row in the table does not allow."""
    checked = ROOMS | ROOT_FILES | THIRD_PARTY
    allowed = ALLOWED[room] | {room}
    return [
        name
        for name in imported_modules(source)
        if name.split(".")[0] in checked and not any(f"{name}.".startswith(f"{good}.") for good in allowed)
    ]


def main() -> int:
    """Check the files of the table and print what is wrong."""
    failures = 0
    for room in ALLOWED:
        path = Path(f"{room}.py")
        for name in offences(room, path.read_text()) if path.exists() else []:
            print(f"{path}: may not import {name}")
            failures += 1
    return min(failures, 1)


if __name__ == "__main__":
    sys.exit(main())
