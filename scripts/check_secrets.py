"""Find keys that would be committed: patterns of the detect-secrets package and our own, over every tracked file.

What is no key, or one that opens nothing, stands in `known_secrets.toml` with the reason, by a digest of the text; an
entry that nothing needs any more fails, too. The package's own scanner takes two minutes for what this does in seconds.
"""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.plugins.base import RegexBasedDetector
from detect_secrets.plugins.jwt import JwtTokenDetector

ROOT: Final = Path(__file__).resolve().parents[1]
KNOWN: Final = ROOT / "scripts" / "known_secrets.toml"
OURS: Final = {
    "API key of Easel": [re.compile(r"\besl_[\w-]{43}(?![\w-])")],
    "secret key of Easel": [re.compile(r"(?i)secret[_.]key\W{1,5}([\w-]{43}=)")],
}
JWT: Final = JwtTokenDetector.secret_type
# patterns that hold much that is no key: an address with a password is tried by many tests, an IP address is no secret
ELSEWHERE: Final = {"Basic Auth Credentials": "tests/"}
# an address is no secret; those of IBM are slow to look for, and no engine of ours is there
LEFT_OUT: Final = frozenset(
    {
        "Public IP (ipv4)",
        "IBM Cloud IAM Key",
        "IBM COS HMAC Credentials",
        "SoftLayer Credentials",
        "Cloudant Credentials",
    }
)
HASHES: Final = re.compile(r"^requirements.*\.txt$|^package-lock\.json$")
MOST_BYTES: Final = 2_000_000


def patterns() -> dict[str, list[re.Pattern[str]]]:
    """Return what is looked for, by its name."""
    found = dict(OURS)
    for name, detector in get_mapping_from_secret_type_to_class().items():
        if issubclass(detector, RegexBasedDetector) and name not in LEFT_OUT and "denylist" in vars(detector):
            found[name] = [re.compile(pattern) for pattern in vars(detector)["denylist"]]
    return found


def found_in(text: str, wanted: dict[str, list[re.Pattern[str]]], path: str = "") -> Iterator[tuple[int, str, str]]:
    """Yield each find: its line, what it is, and the digest by which it can be known."""
    for name, expressions in wanted.items():
        if (without := ELSEWHERE.get(name)) and path.startswith(without):
            continue
        for expression in expressions:
            for match in expression.finditer(text):
                if name == JWT and not JwtTokenDetector.is_formally_valid(match[0]):
                    continue
                secret = next((group for group in match.groups() if group), match[0])
                yield text.count("\n", 0, match.start()) + 1, name, sha256(secret.encode()).hexdigest()[:16]


def tracked() -> Iterator[tuple[str, str]]:
    """Yield every file that is or would be committed and is text."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in dict.fromkeys(listed.split("\0")):
        path = ROOT / name
        if name and not HASHES.match(name) and path.is_file() and path.stat().st_size <= MOST_BYTES:
            data = path.read_bytes()
            if b"\0" not in data[:1024]:
                yield name, data.decode("utf-8", "replace")


def main() -> int:
    """Name each find; return 1 if there is one that is not known, or one known that is gone."""
    known = {str(item["digest"]): str(item["file"]) for item in tomllib.loads(KNOWN.read_text())["known"]}
    wanted, count, seen = patterns(), 0, set()
    for name, text in tracked():
        for line, what, digest in found_in(text, wanted, name):
            if known.get(digest) == name:
                seen.add(digest)
                continue
            count += 1
            print(f"{name}:{line}: {what} ({digest})")
    for digest in known.keys() - seen:
        count += 1
        print(f"{KNOWN.name}: {digest} is nowhere any more")
    print(f"secrets: {count} to look at" if count else "secrets: fine")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
