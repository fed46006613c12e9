"""Find sentences in the studio's code that people read, but that do not go through `_()`, `_n()` or `_nodes()`.

A literal that reads like words is for people, unless it stands where only the browser or a program reads it. What is
left has `// no text: why` at the end of its line, or above its statement.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import tree_sitter_javascript
from tree_sitter import Language, Node, Parser

ROOT: Final = Path(__file__).resolve().parents[1]
STUDIO: Final = "api/static/js"
MARK: Final = "// no text:"
MAKERS: Final = frozenset({"_", "_n", "_nodes"})
PARSER: Final = Parser(Language(tree_sitter_javascript.language()))
# Two words beside each other, a capital at the beginning, the end of a sentence, words beside a value.
READS_LIKE_WORDS: Final = re.compile(
    r"[A-Za-z][a-z]+ [A-Za-z]|^[A-Z][a-z]+|[a-z]{2,}[.…:?!]( |$)|\} [a-z]{2,}|[a-z]{2,} \$\{"
)
KEYS_AND_CODES: Final = re.compile(  # names of keys, headers, errors; media queries, selectors, class names
    r"^(Arrow\w*|Enter|Tab|Escape|Space|Shift|Ctrl|Alt|Esc|Delete|\w+Error|[A-Z]\w+-[A-Z]\w+|Files|Authorization: .*"
    r"|WebP|Easel|[.#/].*|--\w+ .*|\d+px .*|\(\w+[-:].*\).*|btn .*)$"
)
CLASS_NAMES: Final = re.compile(r"^[a-z]+(-[a-z]+)*( [a-z]*(-[a-z]+)+)+$|^[a-z]+(-[a-z]+)+( [a-z-]+)*$")
ATTRIBUTES: Final = frozenset(
    {"class", "style", "href", "d", "type", "icon", "confirm", "usage", "autocomplete", "dot"}
)
CALLS: Final = re.compile(  # whose literals the browser or a program reads
    r"(querySelector(All)?|find(All)?|[gs]etAttribute|(add|remove)EventListener|closest|matches|matchMedia|startsWith"
    r"|endsWith|includes|useCss|api\.\w+|fetch|request|[gs]etPref|has|get|dispatchEvent|console\.\w+|Error"
    r"|toLocale\w+|import|split|replace(All)?|join|hit|Event|setProperty)$"
)


def nodes_below(node: Node) -> Iterator[Node]:
    """Yield the node and every node in it."""
    yield node
    for child in node.children:
        yield from nodes_below(child)


def text_of(node: Node | None) -> str:
    """Return the source of a node, or "" without one."""
    return (node.text or b"").decode() if node else ""


def found_in(source: bytes) -> list[tuple[int, str]]:
    """Return the lines (from 1) and the literals that read like words and go through none of the makers of texts."""
    lines = source.decode().splitlines()
    literals = (
        node for node in nodes_below(PARSER.parse(source).root_node) if node.type in ("string", "template_string")
    )
    return [
        (node.start_point[0] + 1, text_of(node))
        for node in literals
        if is_for_people(node) and not any(MARK in lines[at] for at in (node.start_point[0], _line_above(node)))
    ]


def _line_above(node: Node) -> int:
    """Return the line, from 0, above the statement around a node."""
    while node.parent is not None and node.parent.type not in ("program", "statement_block"):
        node = node.parent
    return max(0, node.start_point[0] - 1)


def is_for_people(node: Node) -> bool:
    """Return whether a literal reads like words and stands where people read it, outside of the makers of texts."""
    words = text_of(node)[1:-1]
    if not READS_LIKE_WORDS.search(words) or KEYS_AND_CODES.search(words) or CLASS_NAMES.search(words):
        return False
    if node.type == "template_string" and not READS_LIKE_WORDS.search(re.sub(r"\$\{.*\}", "${}", words)):
        return False  # the words stand in what is filled in, where they are looked at by themselves
    return not _is_compared(node) and not _stands_in_code(node)


def _is_compared(node: Node) -> bool:
    parent = node.parent
    if parent is None or parent.type not in ("binary_expression", "switch_case", "subscript_expression"):
        return parent is not None and parent.type in ("import_statement", "export_statement")
    return parent.type != "binary_expression" or text_of(parent.child_by_field_name("operator")) not in (
        "+",
        "||",
        "??",
        "&&",
    )


def _stands_in_code(node: Node) -> bool:
    at = node
    while (parent := at.parent) is not None and parent.type not in ("statement_block", "program", "arrow_function"):
        if parent.type == "pair":
            key = parent.child_by_field_name("key")
            if key == at or text_of(key).strip('"') in ATTRIBUTES:
                return True
        if parent.type == "arguments" and parent.parent is not None:
            called = parent.parent
            name = text_of(called.child_by_field_name("function") or called.child_by_field_name("constructor"))
            is_value = at.type == "object"  # a named value of a text is looked at by itself
            return (
                (name in MAKERS and not is_value)
                or CALLS.search(name) is not None
                or (name == "h" and parent.named_children[0] == at)
            )
        at = parent
    return False


def main() -> int:
    listed = subprocess.run(["git", "ls-files", STUDIO], cwd=ROOT, capture_output=True, text=True, check=True)
    count = 0
    for name in listed.stdout.split():
        if not name.endswith(".js") or "/vendor/" in name:
            continue
        for line, literal in found_in((ROOT / name).read_bytes()):
            print(f"{name}:{line}: {literal[:80]} does not go through _()")
            count += 1
    print(f"studio's texts: {count or 'fine'}")
    return bool(count)


if __name__ == "__main__":
    sys.exit(main())
