"""Hold the words of code and docs to CONTRIBUTING's list: the field's standard words, and one word per thing.

In Python also what is no word: how a docstring begins, and one condition within another. Names of variables in both
languages.
"""

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from scripts.check_studio_texts import PARSER, nodes_below, text_of

ROOT: Final = Path(__file__).resolve().parents[1]
WORDS: Final = {  # what is not written, and what is instead
    r"\b[Aa]new\b": "again",
    r"\b[Ss]hall\b": "must, should or will",
    r"\bone's own\b": "your own, or whose it is",
    r"\b\d+ signs\b|\bsigns of base64\b": "characters",
    r"\b[Ll]east time\b": "minimum time",
    r"\binsist_|\bAftermath\b|\bevacuate": "retry_until_stored, finish, drain_lane",
    r"\bGoes in front of\b": "prefix",
}
# How no docstring begins: what a function does, or what a class or module is, stands first.
NOT_FIRST: Final = frozenset(
    {"Say", "Tell", "Who", "What", "Whether", "How", "Where", "Why", "When", "Which", "Is", "Does", "Did", "Has", "Can"}
)
# For a match, a message, an item, an expected value; `right` also stands beside `left`.
NO_NAMES: Final = frozenset({"said", "told", "one", "right"})

JS_NAMES: Final = frozenset({"identifier", "shorthand_property_identifier", "shorthand_property_identifier_pattern"})

SEARCHED: Final = ("*.py", "*.js", "*.md", "*.toml", ".env.example")
LEFT_OUT: Final = (
    "CHANGELOG.md",
    "tests/data",
    "api/static/vendor",
    "scripts/check_words.py",
    "tests/test_check_words.py",
)


def found_in(text: str) -> list[tuple[int, str, str]]:
    """Return line, word and what is written instead, for every word of the list."""
    return [
        (number, match[0], instead)
        for number, line in enumerate(text.splitlines(), 1)
        for pattern, instead in WORDS.items()
        for match in re.finditer(pattern, line)
    ]


def found_in_code(source: str) -> list[tuple[int, str, str]]:
    """Return line, words and what is written instead, for each rule of Python that is not kept."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module):
            first, *__ = (ast.get_docstring(node) or "-").split()
            if first in NOT_FIRST:
                found.append((getattr(node, "lineno", 1), f"{first} ...", "Return, Raise, Start or a noun first"))
        elif isinstance(node, ast.IfExp) and any(isinstance(part, ast.IfExp) for part in ast.iter_child_nodes(node)):
            found.append((node.lineno, "... if ... else ... if ... else", "a name for the inner one"))
    return found


def poor_names_in(source: str) -> list[tuple[int, str, str]]:
    """Return line, name and what is written instead, for each variable that is called what it is not."""
    tree = ast.parse(source)
    fields = {id(part.target) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for part in node.body
              if isinstance(part, ast.AnnAssign)}  # fmt: skip
    named = [(node.lineno, node.arg) for node in ast.walk(tree) if isinstance(node, ast.arg)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and id(node) not in fields:
            named.append((node.lineno, node.id))
    no_names = NO_NAMES - ({"right"} if "left" in {name for __, name in named} else set())
    return [(line, name, "what it is") for line, name in sorted(named) if name in no_names]


def poor_names_of_studio(source: bytes) -> list[tuple[int, str, str]]:
    """Return the same for the studio's code: its variables, parameters and the values taken out of an object."""
    names = [node for node in nodes_below(PARSER.parse(source).root_node) if node.type in JS_NAMES]
    no_names = NO_NAMES - ({"right"} if "left" in map(text_of, names) else set())
    return [(node.start_point[0] + 1, text_of(node), "what it is") for node in names if text_of(node) in no_names]


def main() -> int:
    """Print where a word of the list stands."""
    listed = subprocess.run(["git", "ls-files", "-z", *SEARCHED], cwd=ROOT, capture_output=True, text=True, check=True)
    count = 0
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if name.startswith(LEFT_OUT) or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8")
        found = found_in(text)
        if name.endswith(".py"):
            found += found_in_code(text) + poor_names_in(text)
        if name.endswith(".js"):
            found += poor_names_of_studio(text.encode())
        for line, word, instead in found:
            print(f"{name}:{line}: “{word}”: write {instead}")
            count += 1
    print("words: fine" if not count else f"words: {count} to change")
    return min(count, 1)


if __name__ == "__main__":
    sys.exit(main())
