"""Run the suite on every supported Python of this machine, each in an environment of its own (`.venv-3.12` ...).

Interpreters come from the PATH and from pyenv's folder. Arguments go on to pytest.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from setup_venv import SUPPORTED, SetupError, ensure, python_of, version_of

REQUIREMENTS = [Path("requirements.txt"), Path("requirements-dev.txt")]


def find(version: str) -> str | None:
    """Return an interpreter of `version` (as 3.12) that starts, or None."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [
        shutil.which(f"python{version}"),
        *sorted(pyenv.glob(f"{version}*/bin/python{version}"), reverse=True),
    ]
    for candidate in candidates:
        if candidate and version_of(str(candidate)) == version:
            return str(candidate)
    return None


def run_on(version: str, pytest_args: list[str]) -> str:
    """Set up and test one version; the answer is its line in the closing table."""
    python = find(version)
    if python is None:
        return "not installed here, not tested"
    venv = Path(f".venv-{version}")
    print(f"\n== Python {version}", flush=True)
    try:
        ensure(venv, REQUIREMENTS, base_python=python, exact=True)
    except SetupError as error:
        return f"FAILED: {error}"
    command = [str(python_of(venv)), "-m", "pytest", "-n", "auto", "--dist", "loadgroup", *pytest_args]
    return "passed" if subprocess.run(command).returncode == 0 else "FAILED"


def main() -> int:
    """Test all versions, then print one line for each."""
    outcome = {version: run_on(version, sys.argv[1:]) for version in SUPPORTED}
    print()
    for version, text in outcome.items():
        print(f"Python {version}: {text}")
    return 1 if any(text.startswith("FAILED") for text in outcome.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
