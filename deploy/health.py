"""Exit with 0 if the studio of this machine answers, else with 1: for health checks of containers.

`python deploy/health.py ready` asks whether it could draw now. Standard library only: it runs every few seconds.
"""

import os
import sys
import urllib.error
import urllib.request

TIMEOUT_S = 4.0


def main() -> int:
    path = "readyz" if sys.argv[1:] == ["ready"] else "healthz"
    address = f"http://127.0.0.1:{os.environ.get('PORT') or 8484}/{path}"
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_S) as answer:  # our own address
            return 0 if answer.status == 200 else 1
    except (OSError, urllib.error.URLError) as error:
        sys.stderr.write(f"{path}: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
