"""Check the studio's code: its format and its faults (Biome), its types (tsc, over JSDoc).

Both come by npm, as package-lock.json pins them; nothing of them is served. Where node or npm does not start, one line
says so and the checks are left out; with STUDIO_CHECKS=required, as CI has it, that is a failure.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STAMP = Path("node_modules", ".installed")
PROBE_S = 20
INSTALL_S = 300
INSTALL = ("npm", "ci", "--no-progress", "--loglevel=error")
CHECKS = (
    ("biome", "ci", "--error-on-warnings", "--colors=off"),
    ("tsc", "--project", "jsconfig.json"),
)
FIXES = (("biome", "check", "--write", "--colors=off"),)


def why_not(root: Path) -> str:
    """Return "" if the tools are there or could be brought, else one line: what is missing and what helps."""
    for name, package in (("node", "nodejs"), ("npm", "npm")):
        if not _starts(name):
            return f"{name} does not start here: apt-get install {package}"
    pinned = hashlib.sha256((root / "package-lock.json").read_bytes()).hexdigest()
    stamp = root / STAMP
    if stamp.is_file() and stamp.read_text() == pinned:
        return ""
    print("Installing package-lock.json (some seconds the first time) ...", flush=True)
    try:
        done = subprocess.run(_whole(INSTALL), cwd=root, capture_output=True, text=True, timeout=INSTALL_S)
        given = done.stderr.strip().splitlines() if done.returncode else []
    except subprocess.TimeoutExpired:
        given = [f"npm did not end within {INSTALL_S} seconds"]
    if given or not stamp.parent.is_dir():
        reason = (given or ["no reason given"])[0][:200]
        return f"npm could not bring the tools ({reason}); check its registry and network"
    stamp.write_text(pinned)
    return ""


def run(root: Path, commands: tuple[tuple[str, ...], ...]) -> bool:
    """Run each of the tools, showing what it says; tell whether all were content."""
    folder = root / "node_modules" / ".bin"
    codes = [subprocess.run(_whole((str(folder / name), *rest)), cwd=root).returncode for name, *rest in commands]
    return not any(codes)


def _starts(name: str) -> bool:
    try:
        done = subprocess.run(_whole((name, "--version")), capture_output=True, timeout=PROBE_S)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _whole(command: tuple[str, ...]) -> list[str]:
    """Name the program by its path: on Windows npm is a .cmd, which is only found so."""
    return [shutil.which(command[0]) or command[0], *command[1:]]


def main() -> int:
    """Check, or with --fix format and sort what can be; say in one line why not, where that is so."""
    parser = argparse.ArgumentParser(description="Check the studio's code.")
    parser.add_argument("--fix", action="store_true", help="format and sort imports instead of checking")
    options = parser.parse_args()
    if reason := why_not(ROOT):
        print(f"The studio's code was not checked: {reason}", file=sys.stderr)
        return 1 if os.environ.get("STUDIO_CHECKS") == "required" else 0
    return 0 if run(ROOT, FIXES if options.fix else CHECKS) else 1


if __name__ == "__main__":
    sys.exit(main())
