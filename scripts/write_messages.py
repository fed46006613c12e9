"""Write texts/messages.txt: every sentence that people read, of the code and of the studio's page, in one place.

Run `python -m scripts.write_messages`. A test holds the file to the code, so that changed words show in a review.
"""

import ast
import json
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tree_sitter import Node

from scripts.check_studio_texts import MAKERS as MAKERS_OF_PAGE
from scripts.check_studio_texts import PARSER, STUDIO, nodes_below, text_of

ROOT: Final = Path(__file__).resolve().parents[1]
PLACE: Final = ROOT / "texts" / "messages.txt"
NOT_SHIPPED: Final = ("tests/", "bench/", "scripts/", "texts/")
MAKERS: Final = frozenset({"_", "_n", "template"})
ERRORS: Final = "generation/errors.py"


def messages() -> dict[str, set[str]]:
    """Return the sentences of each room."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    listed = subprocess.run(["git", "ls-files", "*.py", f"{STUDIO}/*.js"], cwd=ROOT, capture_output=True, text=True)
    for name in listed.stdout.split():
        path = ROOT / name
        if name.startswith(NOT_SHIPPED) or not path.is_file():
            continue
        source = path.read_text(encoding="utf-8")
        room = "the studio's page" if name.endswith(".js") else name.partition("/")[0]
        found[room].update(_of_page(source) if name.endswith(".js") else _of_module(source, name == ERRORS))
    return {room: sentences for room, sentences in sorted(found.items()) if sentences}


def written() -> str:
    """Return the file: a heading for each room, then its sentences, one a line."""
    parts = []
    for room, sentences in messages().items():
        lines = sorted((sentence.replace("\n", "\\n") for sentence in sentences), key=lambda line: (line.lower(), line))
        parts.append("\n".join([f"## {room}", "", *lines, ""]))
    return "\n".join(parts)


def _of_module(source: str, are_errors: bool) -> Iterator[str]:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MAKERS:
            texts = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
            yield " | ".join(str(text) for text in texts)
        elif are_errors and isinstance(node, ast.ClassDef):
            yield (ast.get_docstring(node) or "").partition("\n\n")[0]  # its usual message


def _of_page(source: str) -> Iterator[str]:
    for node in nodes_below(PARSER.parse(source.encode()).root_node):
        if node.type == "call_expression" and text_of(node.child_by_field_name("function")) in MAKERS_OF_PAGE:
            arguments = node.child_by_field_name("arguments")
            texts = [_joined(each) for each in arguments.named_children] if arguments else []
            yield " | ".join(text for text in texts if text)


def _joined(node: Node) -> str:
    """Return a literal's text, of several with + between them the whole; of anything else ""."""
    if node.type == "string":
        return str(json.loads(text_of(node)))
    parts = node.named_children if node.type == "binary_expression" else []
    return "".join(map(_joined, parts))


if __name__ == "__main__":
    PLACE.write_text(written(), encoding="utf-8")
