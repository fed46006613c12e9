"""Ask whether a pinned package has a known hole (pip-audit, by the OSV database); a line where that cannot be reached.

It never fails for want of a network, and waits for nobody: who is offline checks everything else.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
FILES: Final = ("requirements.txt", "requirements-art.txt", "requirements-bus.txt", "requirements-mcp.txt")
LIMIT_S: Final = 60.0
# holes that were looked at and do not concern Easel, with the reason
IGNORED: Final[dict[str, str]] = {}


def asked() -> Any:
    """Return pip-audit's answer, None where its source does not answer."""
    command = [sys.executable, "-m", "pip_audit", "--vulnerability-service", "osv", "--format", "json", "--disable-pip"]
    command += ["--require-hashes", "--progress-spinner", "off", "--timeout", "10"]
    for file in FILES:
        command += ["--requirement", str(ROOT / file)]
    for identifier in IGNORED:
        command += ["--ignore-vuln", identifier]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S)
        return json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError, OSError):
        return None


def main() -> int:
    """Name each hole; return 1 if there is one."""
    answer = asked()
    if answer is None:
        print("audit: the list of known holes (api.osv.dev) cannot be reached, so it was not asked")
        return 0
    holes = [(item["name"], item["version"], hole) for item in answer for hole in item.get("vulns", [])]
    for name, version, hole in holes:
        print(f"{name} {version}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'no version yet'}")
    print(f"audit: {len(holes)} holes" if holes else f"audit: fine, {len(answer)} packages")
    return 1 if holes else 0


if __name__ == "__main__":
    sys.exit(main())
