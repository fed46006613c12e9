"""Hold files to 400 lines and functions to 60, so that each stays one noun and one verb."""

import ast
import sys
from pathlib import Path

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
SKIPPED_FOLDERS = {"__pycache__", "data", "media_cache", "node_modules"}


def too_long(path: Path) -> list[str]:
    """Say what is too long in one file; tests are held to the file length only."""
    source = path.read_text(encoding="utf-8")
    lines = source.count("\n")
    found = [f"{path}: {lines} lines, at most {MAX_FILE_LINES}"] if lines > MAX_FILE_LINES else []
    if "tests" in path.parts:
        return found
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION_LINES:
                found.append(f"{path}:{node.lineno}: {node.name} has {length} lines, at most {MAX_FUNCTION_LINES}")
    return found


def python_files(root: Path) -> list[Path]:
    """List our own files: no hidden folder (environments), no caches, no recorded data."""
    return sorted(
        path
        for path in root.rglob("*.py")
        if not any(part.startswith(".") or part in SKIPPED_FOLDERS for part in path.relative_to(root).parts)
    )


def main() -> int:
    """Check every file and print what is too long."""
    found = [line for path in python_files(Path(".")) for line in too_long(path)]
    print("\n".join(found) or "lengths: fine")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
