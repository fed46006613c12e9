"""Hold that the name of a class stands for one class: whoever reads or searches it finds what it means."""

import ast
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
LEFT_OUT: Final = ("tests/", "bench/", "scripts/")


def shared(sources: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the names of several classes in these files, and where they are; `_Name` is known in its file alone."""
    places: dict[str, list[str]] = defaultdict(list)
    for path, source in sources.items():
        for node in ast.parse(source).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(f"{path}:{node.lineno}")
    return {name: found for name, found in sorted(places.items()) if len(found) > 1}


def main() -> int:
    """Print the names that several classes have."""
    listed = subprocess.run(["git", "ls-files", "-z", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    names = [name for name in filter(None, listed.stdout.split("\0")) if not name.startswith(LEFT_OUT)]
    several = shared({name: (ROOT / name).read_text(encoding="utf-8") for name in names if (ROOT / name).is_file()})
    for name, found in several.items():
        print(f"{name} is {len(found)} classes, at {', '.join(found)}: a name for each")
    print("names: fine" if not several else f"names: {len(several)} to change")
    return min(len(several), 1)


if __name__ == "__main__":
    sys.exit(main())
