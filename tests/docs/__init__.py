"""The code blocks of README and docs, taken apart: each must run in a test of this room."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))
BLOCK: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND: Final = re.compile(r"(curl|python|make) ")
SETTING: Final = re.compile(r"[A-Z][A-Z0-9_]*=\S")


@dataclass(frozen=True, kw_only=True)
class Block:
    """One code block. `page` is its path in the repository, `language` what stands behind the fence."""

    page: str
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}: {self.text.splitlines()[0][:40]}"

    @property
    def is_settings(self) -> bool:
        """Lines of a `.env`, whatever the block calls itself."""
        return all(SETTING.match(line) for line in self.text.splitlines()) and not self.text.startswith("BASE=")

    @property
    def commands(self) -> list[str]:
        """Return the block's commands with their continuation lines, comments left out."""
        found: list[str] = []
        for line in self.text.splitlines():
            if COMMAND.match(line) or not found:
                found.append(line)
            else:
                found[-1] += f"\n{line}"
        return [re.sub(r"\s+# .*$", "", command) for command in found]


def blocks() -> list[Block]:
    """Return every code block of the pages."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        name = page.relative_to(ROOT).as_posix()
        found += [Block(page=name, language=match[1], text=match[2]) for match in BLOCK.finditer(text)]
    return found


def of(page: str, language: str, *, begins: str = "") -> list[Block]:
    """Return the blocks of a page in one language, and only those that begin like this."""
    return [
        each for each in blocks() if (each.page, each.language) == (page, language) and each.text.startswith(begins)
    ]
