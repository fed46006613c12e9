"""The licences of what Easel runs on: each must be one that goes with our own (MIT); `--list` prints them.

Read from what is installed of requirements*.txt, but for what only tests and checks need. A package that names no
licence, or one that is not known here, fails: somebody looks at it and adds a line.
"""

import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
EXTRAS: Final = ("", "-art", "-bus", "-cpu", "-gpu", "-mcp")
PINNED: Final = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)
# by the words of SPDX and by those that packages used before; all may be passed on with a program of ours
GOOD: Final = {
    "MIT": "MIT",
    "MIT License": "MIT",
    "The MIT License (MIT)": "MIT",
    "MIT-0": "MIT-0",
    "MIT-CMU": "MIT-CMU",
    "HPND": "HPND",
    "0BSD": "0BSD",
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "BSD-2-Clause": "BSD-2-Clause",
    "BSD-3-Clause": "BSD-3-Clause",
    "3-Clause BSD License": "BSD-3-Clause",
    "BSL-1.0": "BSL-1.0",
    "CC0-1.0": "CC0-1.0",
    "CNRI-Python": "CNRI-Python",
    "LLVM-exception": "LLVM-exception",  # adds to what Apache-2.0 allows
    "Apache 2.0": "Apache-2.0",
    "Apache 2.0 License": "Apache-2.0",
    "Apache-2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "ISC": "ISC",
    "ISC License (ISCL)": "ISC",
    "PSF-2.0": "PSF-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "MPL-2.0": "MPL-2.0",  # of its own files only, which we do not change
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Unlicense": "Unlicense",
    "Zlib": "Zlib",
}
# looked at by hand: what they say of themselves is no word of SPDX
LOOKED_AT: Final[dict[str, str]] = {}
SPLIT: Final = re.compile(r"\s+(?:AND|OR|WITH)\s+|[()]")


def licences_of(found: Distribution) -> list[str]:
    """Return what a package says of itself: its expression, else its classifiers, else its field."""
    about = found.metadata
    if expression := about.get("License-Expression"):
        return _parts(expression)
    classifiers = [item.split(" :: ") for item in about.get_all("Classifier", [])]
    named = [item[-1] for item in classifiers if item[0] == "License" and item[-1] != "OSI Approved"]
    field = (about.get("License") or "").strip()
    if named or not field:
        return named
    line = field.splitlines()[0]
    return [line] if line in GOOD else _parts(line)


def _parts(expression: str) -> list[str]:
    return [part.strip() for part in SPLIT.split(expression) if part.strip()]


def rows() -> Iterator[tuple[str, str, list[str], list[str]]]:
    """Yield each installed package: name, version, its licences, and those that are not known."""
    names = {
        name.lower() for extra in EXTRAS for name in PINNED.findall((ROOT / f"requirements{extra}.txt").read_text())
    }
    for name in sorted(names):
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue  # of another system, or not wanted here
        named = [LOOKED_AT[name]] if name in LOOKED_AT else licences_of(found)
        yield (
            name,
            found.version,
            [GOOD.get(item, item) for item in named],
            [item for item in named if item not in GOOD],
        )


def main(argv: list[str] | None = None) -> int:
    """Name what has to be looked at; return 1 if there is any."""
    is_listing = "--list" in (sys.argv[1:] if argv is None else argv)
    wrong, count = 0, 0
    for name, version, licences, unknown in rows():
        count += 1
        if is_listing:
            print(f"{name} {version}: {', '.join(licences)}")
        if unknown or not licences:
            wrong += 1
            print(f"{name} {version}: {', '.join(unknown) or 'no licence'} is not known to scripts/check_licences.py")
    print(f"licences: {wrong} to look at" if wrong else f"licences: fine, {count} packages")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
