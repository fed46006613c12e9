"""Programs that a test uses where they are: run once to see that they start, before the test relies on them."""

import re
import subprocess
from functools import cache
from typing import Final

PROBE_S: Final = 20
# What Debian calls the package, where that is not the program's own name.
PACKAGES: Final = {"base64": "coreutils", "node": "nodejs"}
NOT_LOADED: Final = re.compile(r"(lib[\w.+-]+?)\.so(?:\.([\d.]+))?: cannot open shared object file")


@cache
def fault(*command: str, name: str = "", package: str = "") -> str:
    """Return "" if the program starts, else one line: why it does not, and the Debian package that helps."""
    name = name or command[0].rpartition("/")[2]
    package = package or PACKAGES.get(name, name)
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=PROBE_S)
    except FileNotFoundError:
        return f"{name} is not here: apt-get install {package}"
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = "it does not answer" if isinstance(error, subprocess.TimeoutExpired) else error.strerror
        return f"{name} does not start ({reason}): apt-get install {package}"
    if done.returncode == 0:
        return ""
    reply = f"{done.stderr}\n{done.stdout}"
    if library := NOT_LOADED.search(reply):
        needed = package_of(library[1], library[2] or "")
        return f"{name} does not start without {library[1]}.so: apt-get install {needed}"
    last = next((line.strip() for line in reversed(reply.splitlines()) if line.strip()), f"exit code {done.returncode}")
    return f"{name} does not start ({last[:200]}): apt-get install --reinstall {package}"


def package_of(library: str, number: str) -> str:
    """Name the Debian package of a shared library: libatomic.so.1 is in libatomic1, libfoo2.so.3 in libfoo2-3."""
    stem = library.lower().replace("_", "-")
    return f"{stem}-{number}" if number and stem[-1].isdigit() else stem + number
