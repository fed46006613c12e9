"""Graphs and nodes of tests in a line each.

A node: `id Class name=value name=@id.output`. A class: `Class | input TYPE, input TYPE | TYPE name`; `STRING+`
is a text of several lines, `a/b/c` a list, and an `!` before the class says that it is an output.
"""

import json
import re
import shlex
from typing import Any

from backends.comfyui.graphs.graph import Graph
from backends.comfyui.graphs.nodes import ObjectInfo

LOADER = "4 CheckpointLoaderSimple ckpt_name=sd15_tiny.safetensors"
WORDS = '6 CLIPTextEncode text="a castle" clip=@4.1\n7 CLIPTextEncode text=ugly clip=@4.1'
NEGATIVE = "7 CLIPTextEncode text=ugly clip=@4.1"
LATENT = "5 EmptyLatentImage width=512 height=768 batch_size=1"
SETTINGS = "seed=1 steps=20 cfg=7 sampler_name=euler scheduler=normal denoise=1"
SAMPLER = f"3 KSampler {SETTINGS} model=@4.0 positive=@6.0 negative=@7.0 latent_image=@5.0"
SAVED = "8 VAEDecode samples=@3.0 vae=@4.2\n9 SaveImage images=@8.0 filename_prefix=x"


def graph_of(*parts: str) -> Graph:
    """Return the graph of such lines; a later line of an id takes the place of an earlier one."""
    found: Graph = {}
    for line in "\n".join(parts).splitlines():
        node, class_type, *inputs = shlex.split(line)
        values = dict(item.split("=", 1) for item in inputs)
        title = values.pop("title", "")
        found[node] = {"class_type": class_type, "inputs": {name: _value(value) for name, value in values.items()}}
        if title:
            found[node]["_meta"] = {"title": title}
    return found


def described(lines: str) -> dict[str, Any]:
    """Return what a server would tell of such classes."""
    return dict(_class(line) for line in lines.strip().splitlines())


def info_of(*parts: dict[str, Any]) -> ObjectInfo:
    return ObjectInfo({name: about for part in parts for name, about in part.items()})


def _value(text: str) -> Any:
    if match := re.fullmatch(r"@(.+)\.(\d+)", text):
        return [match[1], int(match[2])]
    try:
        return json.loads(text)
    except ValueError:
        return text


def _class(line: str) -> tuple[str, dict[str, Any]]:
    name, inputs, outputs = (part.strip() for part in re.split(r"\s\|(?=\s|$)", line))
    given = [part.split() for part in outputs.split(",") if part.strip()]
    answer = {
        "input": {"optional": dict(_input(part.strip()) for part in inputs.split(",") if part.strip())},
        "output": [part[0] for part in given],
        "output_name": [part[-1] for part in given],
        "output_node": name.startswith("!"),
    }
    return name.removeprefix("!"), answer


def _input(text: str) -> tuple[str, list[Any]]:
    name, kind = text.rsplit(" ", 1)
    if kind == "[]":
        return name, [[], {}]
    if "/" in kind:
        return name, [kind.replace("_", " ").split("/"), {}]
    return name, [kind.removesuffix("+"), {"multiline": True} if kind.endswith("+") else {}]
