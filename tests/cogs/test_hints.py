"""Every slash command that a text of ours tells people to type can be typed as it stands."""

import ast
import re
from functools import cache
from pathlib import Path

import nextcord
import pytest
from nextcord.ext import commands

from cogs import bot as bot_module
from cogs.plain import sentence

ROOT = Path(__file__).resolve().parents[2]
SAID = re.compile(r"(?<![\w/])`/([a-z][a-z-]*)((?: [^`\n]*)?)`")
OPTION = re.compile(r"(?:^|\s)([a-z_]+):")
CODE = [path for room in ("cogs", "services", "backends", "generation") for path in (ROOT / room).rglob("*.py")]
FILLED_IN = "…"
FILLED = re.compile(r"\{\w+\}")
ADDRESSES = {"/infer", "/open"}  # of servers, which pages name too
# the studio's own box takes its commands in another form, and says so there
PAGES = [path for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")) if path.name != "studio.md"]


@cache
def known() -> dict[str, tuple[list[str], list[str]]]:
    """Return for each command, with its subcommand, its options and which of them must be given."""
    found = {}
    cogs = [item for item in vars(bot_module).values() if isinstance(item, type) and issubclass(item, commands.Cog)]
    for cog in cogs:
        for command in cog.__new__(cog).application_commands:  # bound to a cog, its options are read
            if isinstance(command, nextcord.SlashApplicationCommand):
                found |= leaves(command.get_payload(None))
    return found


def leaves(command: dict, before: str = "") -> dict[str, tuple[list[str], list[str]]]:
    name, options = before + command["name"], command.get("options", [])
    children = [item for item in options if item["type"] in (1, 2)]
    if not children:
        return {name: ([item["name"] for item in options], [item["name"] for item in options if item.get("required")])}
    return {key: value for child in children for key, value in leaves(child, f"{name} ").items()}


def texts(path: Path) -> str:
    """Return what people may read of a file: a page whole, of a module its texts without the docstrings."""
    source = path.read_text(encoding="utf-8")
    if path.suffix != ".py" or "`/" not in source:  # most modules tell of no command, and need no parsing
        return source
    tree = ast.parse(source)
    nodes = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    docstrings = {id(node.body[0].value) for node in nodes if node.body and isinstance(node.body[0], ast.Expr)}
    pieces = {id(piece) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for piece in node.values}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            found.append("".join(item.value if isinstance(item, ast.Constant) else FILLED_IN for item in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and not {id(node)} & (docstrings | pieces):
            found.append(node.value)
    return "\n".join(found)


@cache
def told() -> list[tuple[str, str, str]]:
    return [
        (str(path.relative_to(ROOT)), match[1], match[2].strip())
        for path in (*CODE, *PAGES)
        for match in SAID.finditer(texts(path))
        if f"/{match[1]}" not in ADDRESSES
    ]


def problem_of(name: str, rest: str, there: dict[str, tuple[list[str], list[str]]]) -> str:
    """Return why a command cannot be typed so; "" if it can."""
    first = rest.split(" ")[0]
    full = f"{name} {first}" if f"{name} {first}" in there else name
    arguments = rest[len(first) :].strip() if full != name else rest
    if full not in there:
        is_group = any(item.startswith(f"{name} ") for item in there)
        return "" if is_group and (not arguments or FILLED_IN in first) else "no such command"
    options, required = there[full]
    names = OPTION.findall(arguments)
    if unknown := set(names) - set(options):
        return f"no option {unknown}"
    if arguments and not names:  # typed after the command, it goes into the one thing that must be said
        return "" if len(required) == 1 else f"say which of {options} is meant"
    return ""


def test_there_are_hints_to_look_at():
    assert len(told()) > 40
    assert len(known()) > 20


@pytest.mark.parametrize(("where", "name", "rest"), sorted(set(told())))
def test_a_command_that_is_told_can_be_typed(where, name, rest):
    assert problem_of(name, rest, known()) == ""


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("sdconnect a1111 https://x", False),
        ("sdconnect type:a1111 url:https://x", True),
        ("generate a red fox --steps 30", True),
        ("gpu price 0.34", True),
        ("gpu wash", False),
        ("paint", False),
    ],
)
def test_the_check_itself_finds_what_cannot_be_typed(reply, expected):
    name, _, rest = reply.partition(" ")
    assert (problem_of(name, rest, known()) == "") is expected


def hints() -> list[tuple[str, str]]:
    """Return what says to people what to do, behind an error: where it stands, and its words."""
    found = []
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for word in node.keywords if isinstance(node, ast.Call) else ():
                if word.arg in ("hint", "owner_hint") and isinstance(word.value, ast.Call) and word.value.args:
                    text = word.value.args[0]
                    if isinstance(text, ast.Constant) and isinstance(text.value, str):
                        found.append((f"{path.name}:{node.lineno}", text.value))
    return found


def test_what_is_to_be_typed_in_a_hint_stays_code() -> None:
    assert len(hints()) > 100
    assert [
        (where, text)
        for where, text in hints()
        if "\\`" in sentence(FILLED.sub("x", text.replace("{usage}", "/sdconnect")))
    ] == []
