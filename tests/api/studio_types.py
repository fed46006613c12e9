"""Types of the API's answers for the studio's code: made from its own description.

`python -m tests.api.studio_types` writes api/types/answers.d.ts again; a test holds the two together.
"""

import asyncio
import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tests.api.conftest import site_at

TARGET: Final = Path(__file__).parents[2] / "api" / "types" / "answers.d.ts"
METHODS: Final = {"get": "Get", "post": "Post", "put": "Put", "patch": "Patch", "delete": "Delete"}
HEAD: Final = """\
// Made from /openapi.json by `python -m tests.api.studio_types`; a test sees to it that it is the same.
// A seed is text where a number cannot hold it: shell/exact.js reads it so.
"""
NOT_THE_STUDIOS: Final = ("/api/images/",)  # other programs' dialects
ALSO: Final = ("DraftIn",)
PLAIN: Final = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
# by the name of a property: what the description leaves open, and what the studio makes of it
OPEN_VALUES: Final = {"draft": "Draft", "seed": "number | string", "aspect": "string | number[] | null"}


def types_of(described: dict[str, Any]) -> str:
    """Return the declarations: an interface for each answer in the namespace `Api`, and which path gives which."""
    schemas, answers = described["components"]["schemas"], dict(_answers(described["paths"]))
    used = _reached(json.dumps([*answers.values(), *({"$ref": f"#/{name}"} for name in ALSO)]), schemas)
    lines = [HEAD, "declare namespace Api {"]
    for name in sorted(used):
        lines += [f"  {line}" if line else "" for line in _declared(name, schemas[name])] + [""]
    for method, title in METHODS.items():
        lines += [f"  {line}" if line else "" for line in _by_path(title, method, answers)] + [""]
    return "\n".join(lines).rstrip() + "\n}\n"


def _answers(paths: dict[str, Any]) -> Iterator[tuple[tuple[str, str], Any]]:
    for path, methods in paths.items():
        if not path.startswith("/api/") or path.startswith(NOT_THE_STUDIOS):
            continue
        for method, about in methods.items():
            good = next(answer for status, answer in sorted(about["responses"].items()) if status.startswith("2"))
            content = good.get("content", {"none": {"schema": {"type": "null"}}})
            if method in METHODS and (reported := content.get("application/json", content.get("none"))):
                yield (method, path), reported["schema"]


def _reached(text: str, schemas: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    waiting = re.findall(r'"#/(?:components/schemas/)?(\w+)"', text)
    while waiting:
        if (name := waiting.pop()) not in found:
            found.add(name)
            waiting += re.findall(r'"#/components/schemas/(\w+)"', json.dumps(schemas[name]))
    return found


def _named(schema: str) -> str:
    return re.sub(r"(In|Out)$", "", schema)


def _declared(name: str, schema: dict[str, Any]) -> list[str]:
    about = schema.get("description", "").split("\n")[0]
    lines = [f"/** {about} */"] if about else []
    if "properties" not in schema:
        return [*lines, f"type {_named(name)} = {_type(schema)};"]
    lines.append(f"interface {_named(name)} {{")
    for key, reported in schema["properties"].items():
        # what has a default is said all the same, but in a draft
        is_there = name not in ALSO and (key in schema.get("required", ()) or reported.get("default") is not None)
        mark = "" if is_there or name.endswith("Out") else "?"
        lines.append(f"  {key}{mark}: {OPEN_VALUES.get(key, _type(reported))};")
    return [*lines, "}"]


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return _named(schema["$ref"].rpartition("/")[2])
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " | ".join(dict.fromkeys(_type(item) for item in schema[several]))
    if "enum" in schema or "const" in schema:
        return " | ".join(json.dumps(item) for item in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        if "prefixItems" in schema:
            return f"[{', '.join(_type(item) for item in schema['prefixItems'])}]"
        inner = _type(schema.get("items", {}))
        return f"({inner})[]" if " " in inner else f"{inner}[]"
    if schema.get("type") == "object":
        values = schema.get("additionalProperties")
        return f"Record<string, {_type(values if isinstance(values, dict) else {})}>"
    return PLAIN.get(schema.get("type", ""), "unknown")


def _by_path(title: str, method: str, answers: dict[tuple[str, str], Any]) -> list[str]:
    """Name the answer of each path; of two that fit, the one with more of its own words comes first."""
    mine = [(path, _type(schema)) for (kind, path), schema in answers.items() if kind == method]
    mine.sort(key=lambda reported: (-len(re.sub(r"\{[^}]*\}", "", reported[0])), reported[0]))
    lines = [f"/** What {method.upper()} gives for a path. */", f"type {title}<P extends string> ="]
    for path, kind in mine:
        pattern = re.sub(r"\{[^}]*\}", "${string}", path)
        quoted = f"`{pattern}`" if "$" in pattern else f'"{pattern}"'
        lines.append(f"  P extends {quoted} ? {kind} :")
    return [*lines, "  unknown;"]


async def described() -> dict[str, Any]:
    """Ask an Easel of this moment for its description."""
    with tempfile.TemporaryDirectory() as folder:
        async with site_at(Path(folder)) as site:
            answer: dict[str, Any] = (await site.client.get("/openapi.json")).json()
            return answer


if __name__ == "__main__":
    TARGET.write_text(types_of(asyncio.run(described())), "utf-8")
