"""Hold files to 400 lines and functions to 60, so that each stays one noun and one verb.

Of the studio: files to 400 lines, lines to 120 characters; Biome breaks neither texts nor comments. It counts the lines
of functions itself.
"""

import ast
import sys
from pathlib import Path

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_LINE_CHARS = 120
SKIPPED_FOLDERS = {"__pycache__", "data", "media_cache", "node_modules"}


def too_long(path: Path) -> list[str]:
    """Return what is too long in one file; tests are held to the file length only."""
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


def too_wide(path: Path) -> list[str]:
    """Return what is too long in one file of the studio; a style sheet may have any number of lines."""
    lines = path.read_text(encoding="utf-8").splitlines()
    is_long = path.suffix == ".js" and len(lines) > MAX_FILE_LINES
    found = [f"{path}: {len(lines)} lines, at most {MAX_FILE_LINES}"] if is_long else []
    return found + [
        f"{path}:{number}: {len(line)} characters, at most {MAX_LINE_CHARS}"
        for number, line in enumerate(lines, 1)
        if len(line) > MAX_LINE_CHARS
    ]


def studio_files(root: Path) -> list[Path]:
    """List the studio's own scripts and style sheets, with the tests of them."""
    folders = (root / "api" / "static" / "js", root / "api" / "static" / "css", root / "tests" / "studio_code")
    return sorted(path for folder in folders for path in folder.rglob("*") if path.suffix in (".js", ".css"))


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
    found += [line for path in studio_files(Path(".")) for line in too_wide(path)]
    print("\n".join(found) or "lengths: fine")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
