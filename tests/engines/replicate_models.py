"""The models of the stand-in for Replicate: what they take, as their own schemas say it, and what they draw."""

import io
import json
from pathlib import Path
from typing import Any

from PIL import Image

from tests.engines.listener import draw

DATA = Path(__file__).parents[1] / "data" / "replicate"
SDXL = "stability-ai/sdxl"
RECORDED = "model_version_schema_sdxl.json"


def picture_of(given: dict[str, Any], sources: dict[str, bytes]) -> bytes:
    """Draw what a model of that input draws: the size is asked for in several ways."""
    seed = int(given.get("seed", 1))
    source = next((data for name, data in sources.items() if name != "mask"), None)
    if "scale" in given and source:
        width, height = Image.open(io.BytesIO(source)).size
        return draw(round(width * given["scale"]), round(height * given["scale"]), seed, "PNG")
    if source and "width" not in given and "aspect_ratio" not in given:
        return draw(*Image.open(io.BytesIO(source)).size, seed, "PNG")
    if source and given.get("aspect_ratio") == "match_input_image":
        return draw(*Image.open(io.BytesIO(source)).size, seed, "PNG")
    if "width" in given and given.get("aspect_ratio", "custom") == "custom":
        return draw(given["width"], given["height"], seed, "PNG")
    wide, __, high = given.get("aspect_ratio", "1:1").partition(":")
    sizes = json.loads((DATA / "models.json").read_text())["flux_aspect_ratio_pixels"]
    width, height = sizes.get(f"{wide}:{high}", (1024, 1024))
    small = 2 if given.get("megapixels") == "0.25" else 1
    return draw(width // small, height // small, seed, "PNG")


def schemas() -> dict[str, dict[str, Any]]:
    """Return the models by name, each with its schema as its own server writes it."""
    short = json.loads((DATA / "models.json").read_text())["models"]
    found = {}
    for number, (slug, model) in enumerate(short.items(), 1):
        found[slug] = {
            "official": model["official"] is True, "version": model.get("version", f"{number:064x}"),
            "inputs": model["input"], "is_single": "one URL" in model["output"], "schema": written(model["input"]),
        }  # fmt: skip
    recorded = json.loads((DATA / RECORDED).read_text())["response"]["body"]
    inputs = recorded["openapi_schema"]["components"]["schemas"]["Input"]["properties"]
    found[SDXL] = {
        "official": False, "version": recorded["id"], "is_single": False, "schema": recorded["openapi_schema"],
        "inputs": {name: shortened(entry, recorded) for name, entry in inputs.items()},
    }  # fmt: skip
    return found


def written(inputs: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the openapi schema of a model: choices stand in schemas of their own."""
    properties, others = {}, {}
    for order, (name, entry) in enumerate(inputs.items()):
        given: dict[str, Any] = {"title": name, "x-order": order}
        given |= {"default": entry["default"]} if "default" in entry else {}
        if entry["type"] == "enum":
            others[name] = {"enum": entry["enum"], "type": "string", "title": name, "description": "An enumeration."}
            given["allOf"] = [{"$ref": f"#/components/schemas/{name}"}]
        elif entry["type"] == "uri":
            given |= {"type": "string", "format": "uri"}
        elif entry["type"] == "uris":
            given |= {"type": "array", "items": {"type": "string", "format": "uri"}}
        else:
            given |= {"type": entry["type"]}
        given |= {theirs: entry[ours] for ours, theirs in (("min", "minimum"), ("max", "maximum")) if ours in entry}
        properties[name] = given
    required = [name for name, entry in inputs.items() if entry.get("required")]
    schema = {"type": "object", "title": "Input", "properties": properties, "required": required}
    return {"openapi": "3.0.2", "components": {"schemas": {"Input": schema, **others}}}


def shortened(entry: dict[str, Any], recorded: dict[str, Any]) -> dict[str, Any]:
    """Return what a recorded schema says of one input, in short."""
    if "allOf" in entry:
        name = entry["allOf"][0]["$ref"].rpartition("/")[2]
        return {"type": "enum", "enum": recorded["openapi_schema"]["components"]["schemas"][name]["enum"]}
    kind = "uri" if entry.get("format") == "uri" else entry["type"]
    limits = {ours: entry[theirs] for ours, theirs in (("min", "minimum"), ("max", "maximum")) if theirs in entry}
    return {"type": kind} | limits
