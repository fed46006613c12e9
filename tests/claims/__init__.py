"""Promises of README and docs, sentence by sentence, and the tests that show it.

Each page has a file here, `README.toml` and so on: for every sentence the tests that show it, or why it is
no promise of ours (an instruction, a fact about somebody else's program, a definition). `python -m tests.claims`
writes what is missing and drops what no page says any more.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = Path(__file__).parent
WITHOUT_CLAIMS: Final = ("architecture.md", "commands.md", "speed.md")  # held to code and bench by tests of their own
PAGES: Final = (
    ROOT / "README.md",
    *sorted(path for path in (ROOT / "docs").glob("*.md") if path.name not in WITHOUT_CLAIMS),
    *sorted((ROOT / "docs" / "backends").glob("*.md")),
)
SETTINGS_ROW: Final = re.compile(r"\| `[A-Z0-9_]+`(?: ↻)? \|")  # held to config.py by tests/test_config.py
GOALS_TABLE: Final = "<!-- goals"  # held to the bench by tests/test_claims.py
FIELDS_TABLE: Final = ("<!-- fields -->", "<!-- end of fields -->")  # held to the code by tests/test_fields.py
SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s+(?=[A-Z“\"`*\[(!/0-9])")


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One sentence. Without tests it needs a reason."""

    says: str
    tests: tuple[str, ...] = ()
    no_promise: str = ""


def sentences(page: Path) -> list[str]:
    """Split a page into its sentences; a row of a table is one, code and headings are none."""
    found: list[str] = []
    paragraph: list[str] = []
    is_code = is_written = is_measured = False

    def end() -> None:
        if paragraph:
            found.extend(item.strip() for item in SENTENCE_END.split(" ".join(paragraph)) if re.search(r"\w", item))
            paragraph.clear()

    for line in page.read_text(encoding="utf-8").splitlines():
        text = line.strip()
        if text in FIELDS_TABLE:
            is_written = text == FIELDS_TABLE[0]
        is_measured = text.startswith(GOALS_TABLE) or (is_measured and bool(text))
        if text.startswith("```"):
            is_code = not is_code
            end()
        elif is_code or is_written or is_measured:
            continue
        elif not text or text.startswith(("#", "![", "<!--")):
            end()
        elif text.startswith("|"):
            end()
            is_ruler = set(text) <= set("|-: ")
            if not is_ruler and not SETTINGS_ROW.match(text):
                found.append(text)
        else:
            if re.match(r"([-*]|\d+\.) ", text):
                end()
                text = re.sub(r"^([-*]|\d+\.) ", "", text)
            paragraph.append(text)
    end()
    return list(dict.fromkeys(found))


def file_of(page: Path) -> Path:
    """Return where the claims of a page stand."""
    return FOLDER / f"{'-'.join(page.relative_to(ROOT).with_suffix('').parts).removeprefix('docs-')}.toml"


def claims_of(page: Path) -> list[Claim]:
    path = file_of(page)
    reported = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return [
        Claim(says=item["says"], tests=tuple(item.get("tests", ())), no_promise=item.get("no_promise", ""))
        for item in reported.get("claim", ())
    ]


@cache
def names_in(path: Path) -> frozenset[str]:
    """Return the names of the tests of a module."""
    return frozenset(re.findall(r"^\s*(?:async )?def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE))


def is_there(test: str) -> bool:
    """Return whether a test such as `tests/test_cli.py::test_x` exists."""
    file, _, name = test.partition("::")
    path = ROOT / file
    return path.is_file() and name in names_in(path)
