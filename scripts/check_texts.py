"""Find sentences in the code that people read, but that do not go through `_()` of `texts.text`.

A literal that reads like words is for people, unless it stands where only the log, a program or a developer reads it.
What is left ends its line with `# no text: why`.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
LEFT_OUT: Final = {  # files and rooms, and why
    "tests/": "not shipped",
    "bench/": "for developers",
    "scripts/": "for developers",
    "texts/": "makes them",
    "main.py": "runs on any Python",
    "api/app.py": "documentation",
    "api/routes/metrics.py": "for Prometheus",
    "backends/quality.py": "documentation",
    "backends/embedded/models/families.py": "names of models",
    "backends/embedded/facts.py": "names of samplers",
    "packages/easel_sketch/easel_sketch/painting/motifs": "seeds of drawings",
    "packages/easel_sketch/easel_sketch/painting/palettes": "colours",
    "packages/easel_sketch/easel_sketch/painting/sce": "seeds of drawings",
    "packages/easel_sketch/easel_sketch/painting/words": "words of prompts",
    "packages/easel_sketch/easel_sketch/painting/legend": "written into pictures",
    "generation/samplers.py": "names of samplers",
    "services/wording/languages.py": "words of languages",
    "services/wording/rules.py": "words of prompts",
    "utils/comfy_graph.py": "names in files of other programs",
    "utils/foreign_settings.py": "names in files of other programs",
    "utils/infotext.py": "names in files of other programs",
    "utils/provenance.py": "XML",
}
MARK: Final = "# no text:"
MAKERS: Final = frozenset({"_", "_n", "joined", "template", "Text"})
DEVELOPERS: Final = frozenset(
    {"ValueError", "TypeError", "RuntimeError", "LookupError", "KeyError", "NotImplementedError"}
)
LOGS: Final = frozenset({"log", "logger"})
# Calls whose literals a program reads, or whoever writes a program for the API.
CALLS: Final = frozenset(
    {
        "compile",
        "pattern",
        "APIRouter",
        "FastAPI",
        "frozenset",
        "execute",
    }
    | {
        "match",
        "search",
        "fullmatch",
        "sub",
        "fetch",
        "write_sql",
        "split",
        "getLogger",
        "startswith",
        "endswith",
        "replace",
    }
    | {"removeprefix", "removesuffix", "GaugeMetricFamily", "CounterMetricFamily", "strftime", "partition", "get"}
)
KEYWORDS: Final = frozenset(
    {
        "detail",
        "infotext",
        "summary",
        "responses",
        "examples",
        "example",
        "headers",
        "response_description",
        "tags",
        "openapi_extra",
    }
)
LABELS: Final = frozenset({"label", "placeholder"})  # of buttons and menus: one word is a text there
DESCRIBED: Final = frozenset({"Field", "Query", "Path", "Header", "Body", "Form", "File"})  # of pydantic and FastAPI
WORDS: Final = re.compile(r"[a-z]{2,}[,;:]? [{“(`*]?[A-Za-z{]|[A-Za-z}][*`)]* (· |— )?[a-z]{3,}|[a-z]{3}[.!?…]$")
PROGRAMS: Final = re.compile(
    r"charset=|filename=|max-age=|-src '|^bytes |^event: |X-API-Key|^<"
    r"|^\w+/[\w.]+( |$)|^\w+\[\w+, |^Bearer |^`/\w+ [{\w]*|^`? ?--\w+( [{}\w.`]+)*$|^pip install |^Basic "
)
SQL: Final = re.compile(
    r"\b(SELECT|INSERT|UPDATE|DELETE|FROM|WHERE|VALUES|ORDER BY|JOIN|NULL|PRAGMA|TABLE|EXISTS|SET|LIKE|COLLATE)\b"
    r"|\b(OR|AND)\b|iif\("
)


def found_in(source: str) -> Iterator[ast.expr]:
    """Yield the literals of a module that are for people, but are no texts."""
    tree = ast.parse(source)
    marked = {number for number, line in enumerate(source.splitlines(), 1) if MARK in line}
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.expr) or not _reads_like_words(words_of(node), parents.get(node)):
            continue
        way = list(_way_up(node, parents))
        lines = {n for part in (node, _statement(way)) for n in (part.lineno, part.end_lineno)}
        if not lines & marked and not any(_is_elsewhere(child, parent) for child, parent in way):
            yield node


def words_of(node: ast.AST) -> str:
    """Return what a literal says, with `{}` for its values; nothing for any other node."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _reads_like_words(words: str, parent: ast.AST | None) -> bool:
    if isinstance(parent, ast.keyword) and parent.arg in LABELS and re.search("[a-z]{2}", words):
        return True
    return bool(WORDS.search(words)) and not SQL.search(words) and not PROGRAMS.search(words)


def _statement(way: list[tuple[ast.AST, ast.AST]]) -> ast.stmt:
    return next(parent for _, parent in way if isinstance(parent, ast.stmt))


def _way_up(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> Iterator[tuple[ast.AST, ast.AST]]:
    while node in parents:
        yield node, (node := parents[node])


def _is_elsewhere(child: ast.AST, parent: ast.AST) -> bool:
    """Return whether what stands here is read by nobody but programs and developers."""
    match parent:
        case ast.Expr() | ast.JoinedStr() | ast.Assert():
            return isinstance(child, ast.Constant) or isinstance(parent, ast.Assert)
        case ast.Compare() | ast.Set() | ast.Subscript():
            return isinstance(child, ast.Constant | ast.JoinedStr | ast.Tuple)
        case ast.Dict(keys=keys, values=values):
            described = [value for key, value in zip(keys, values, strict=True) if words_of(key) in KEYWORDS]
            return isinstance(child, ast.Constant) and (child in keys or child in described)
        case ast.keyword():
            return parent.arg in KEYWORDS
        case ast.Call(func=ast.Name(id=name)) if name in DESCRIBED and isinstance(child, ast.keyword):
            return child.arg in {"description", "title"}
        case ast.Call(func=ast.Name(id=name)):
            return child is not parent.func and name in MAKERS | DEVELOPERS | CALLS
        case ast.Call(func=ast.Attribute(value=ast.Name(id=owner))) if owner in LOGS:
            return True
        case ast.Call(func=ast.Attribute(attr=name)):
            return child is not parent.func and name in MAKERS | CALLS
    return False


def main() -> int:
    """Print where a sentence goes past `_()`."""
    listed = subprocess.run(["git", "ls-files", "-z", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    count = 0
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if name.startswith(tuple(LEFT_OUT)) or not path.is_file():
            continue
        for node in found_in(path.read_text(encoding="utf-8")):
            print(f"{name}:{node.lineno}: {words_of(node)!r} is no text: write _(...), or end the line with {MARK} why")
            count += 1
    print("texts: fine" if not count else f"texts: {count} to change")
    return min(count, 1)


if __name__ == "__main__":
    sys.exit(main())
