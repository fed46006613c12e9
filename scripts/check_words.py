"""Hold the words of code and docs to CONTRIBUTING's list: the field's standard words, and one word per thing."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
WORDS: Final = {  # what is not written, and what is instead
    r"\b[Aa]new\b": "again",
    r"\b[Ss]hall\b": "must, should or will",
    r"\bone's own\b": "your own, or whose it is",
    r"\b\d+ signs\b|\bsigns of base64\b": "characters",
    r"\b[Ll]east time\b": "minimum time",
    r"\bGoes in front of\b": "prefix",
}
SEARCHED: Final = ("*.py", "*.js", "*.md", "*.toml", ".env.example")
LEFT_OUT: Final = ("CHANGELOG.md", "docs/decisions", "tests/data", "api/static/vendor", "scripts/check_words.py")


def found_in(text: str) -> list[tuple[int, str, str]]:
    """Return line, word and what is written instead, for every word of the list."""
    return [
        (number, match[0], instead)
        for number, line in enumerate(text.splitlines(), 1)
        for pattern, instead in WORDS.items()
        for match in re.finditer(pattern, line)
    ]


def main() -> int:
    """Print where a word of the list stands."""
    listed = subprocess.run(["git", "ls-files", "-z", *SEARCHED], cwd=ROOT, capture_output=True, text=True, check=True)
    count = 0
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if name.startswith(LEFT_OUT) or not path.is_file():
            continue
        for line, word, instead in found_in(path.read_text(encoding="utf-8")):
            print(f"{name}:{line}: “{word}”: write {instead}")
            count += 1
    print("words: fine" if not count else f"words: {count} to change")
    return min(count, 1)


if __name__ == "__main__":
    sys.exit(main())
