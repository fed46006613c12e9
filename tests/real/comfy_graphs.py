"""Graphs for a real ComfyUI, put together from one that draws 64 x 64 pixels in two steps."""

from typing import Any

from backends.comfyui.graphs.graph import Graph
from tests.real.comfy_weights import CHECKPOINT


def node(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs}


def plain(**nodes: dict[str, Any]) -> Graph:
    """Return the graph that everybody knows; `nodes`, named n6, n9 and so on, come beside its own or in their place."""
    graph: Graph = {
        "3": node("KSampler", seed=5, steps=2, cfg=7.0, sampler_name="euler", scheduler="normal", denoise=1.0,
                  model=["4", 0], positive=["6", 0], negative=["7", 0], latent_image=["5", 0]),
        "4": node("CheckpointLoaderSimple", ckpt_name=CHECKPOINT),
        "5": node("EmptyLatentImage", width=64, height=64, batch_size=1),
        "6": node("CLIPTextEncode", text="a dog", clip=["4", 1]),
        "7": node("CLIPTextEncode", text="ugly", clip=["4", 1]),
        "8": node("VAEDecode", samples=["3", 0], vae=["4", 2]),
        "9": node("SaveImage", filename_prefix="easel", images=["8", 0]),
    }  # fmt: skip
    return graph | {name.removeprefix("n"): reported for name, reported in nodes.items()}


def slow(seconds: float) -> Graph:
    """Return a graph that takes a while after its sampler."""
    graph = plain(n20=node("EaselSlow", samples=["3", 0], seconds=seconds))
    graph["8"]["inputs"]["samples"] = ["20", 0]
    return graph


def failing(how: str) -> Graph:
    """Return a graph with a node that raises: "memory" or "broken"."""
    graph = plain(n20=node("EaselFails", samples=["3", 0], how=how))
    graph["8"]["inputs"]["samples"] = ["20", 0]
    return graph


def film(**nodes: dict[str, Any]) -> Graph:
    """Return a graph that draws three pictures, and `nodes` that save them in place of the one that does."""
    graph = plain(**nodes)
    if "n9" not in nodes:
        del graph["9"]
    graph["5"]["inputs"]["batch_size"] = 3
    return graph
