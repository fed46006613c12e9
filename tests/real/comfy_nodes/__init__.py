"""Nodes that behave as public ones do, for a real ComfyUI that runs in the tests; it loads this folder as its own.

What they take and give is what `custom-nodes.object_info.json`, copied beside this file, says of the public ones; what
they do is done by ComfyUI's own nodes. Two things are made smaller than life, or they would take gigabytes: of several
text encoders only the first file is loaded, and its tokens answer under the names of the others too.
"""

import json
import random
import time
from pathlib import Path

import comfy.sd
import comfy.sd1_clip
import comfy.utils
import nodes
import torch

from .wrapped_video import CLASSES as VIDEO_CLASSES

TOLD = json.loads((Path(__file__).parent / "custom-nodes.object_info.json").read_text())
OTHER_ENCODERS = ("g", "h", "t5xxl", "mt5xl", "hydit_clip", "llama", "gemma2_2b", "qwen25_7b")


class AnyType(str):
    """A type that no other one differs from, as public packs write it."""

    __slots__ = ()

    def __ne__(self, other):
        return False

    __eq__ = str.__eq__
    __hash__ = str.__hash__


class AnyInputs(dict):
    """Optional inputs, of which those that a page adds by itself are taken too."""

    def __contains__(self, name):
        return True

    def __getitem__(self, name):
        return dict.__getitem__(self, name) if dict.__contains__(self, name) else (AnyType("*"),)


def _readable(spec):
    kind, *reported = spec
    reported = {key: value for key, value in (reported[0] if reported else {}).items() if key not in {"min", "max"}}
    reported |= {"min": -(2**63), "max": 2**64 - 1} if kind == "INT" else {}
    return (AnyType("*") if kind == "*" else kind, reported)


class PublicNode:
    """The entry of one class in the file; `name` is set below."""

    name = ""
    FUNCTION = "run"
    CATEGORY = "easel tests"

    @classmethod
    def INPUT_TYPES(cls):
        groups = TOLD[cls.name]["input"]
        read = {group: {name: _readable(spec) for name, spec in specs.items()} for group, specs in groups.items()}
        return read | {"optional": AnyInputs(read.get("optional", {}))}


def _drawn(model, seed, steps, cfg, sampler, scheduler, positive, negative, latent, denoise):
    return nodes.common_ksampler(
        model, seed, steps, cfg, sampler, scheduler, positive, negative, latent, denoise=denoise
    )[0]


def _encoded(clip, text):
    return nodes.CLIPTextEncode().encode(clip, text)[0]


def _loaded(ckpt_name, positive, negative, width, height, batch_size):
    model, clip, vae = nodes.CheckpointLoaderSimple().load_checkpoint(ckpt_name)[:3]
    latent = nodes.EmptyLatentImage().generate(width, height, batch_size)[0]
    return {
        "model": model, "clip": clip, "vae": vae, "latent": latent,
        "positive": _encoded(clip, positive), "negative": _encoded(clip, negative),
    }  # fmt: skip


class Context(PublicNode):
    name = "Context Big (rgthree)"

    def run(self, base_ctx=None, **given):
        names = ("model", "clip", "vae", "positive", "negative", "latent", "images", "seed")
        context = {name: given.get(name, (base_ctx or {}).get(name)) for name in names}
        return (context, *context.values())


class Seed(PublicNode):
    name = "Seed (rgthree)"

    def run(self, seed):
        return (seed,)


class TextConcatenate(PublicNode):
    name = "Text Concatenate"

    def run(self, delimiter, clean_whitespace, **texts):
        parts = [texts[name] for name in sorted(texts)]
        return (delimiter.join(part.strip() if clean_whitespace == "true" else part for part in parts),)


class TextMultiline(PublicNode):
    name = "Text Multiline"

    def run(self, text):
        return (text,)


class EasyLoader(PublicNode):
    name = "easy fullLoader"

    def run(self, ckpt_name, positive, negative, empty_latent_width, empty_latent_height, batch_size):
        pipe = _loaded(ckpt_name, positive, negative, empty_latent_width, empty_latent_height, batch_size)
        return pipe, pipe["model"], pipe["vae"]


class EasySettings(PublicNode):
    name = "easy preSampling"

    def run(self, pipe, **settings):
        return (pipe | settings,)


class EasySampler(PublicNode):
    """An output node that draws and saves; it takes no pictures."""

    name = "easy kSampler"

    def run(self, pipe, image_output, link_id, save_prefix, prompt=None, extra_pnginfo=None):
        latent = _drawn(
            pipe["model"], pipe["seed"], pipe["steps"], pipe["cfg"], pipe["sampler_name"], pipe["scheduler"],
            pipe["positive"], pipe["negative"], pipe["latent"], pipe["denoise"],
        )  # fmt: skip
        images = nodes.VAEDecode().decode(pipe["vae"], latent)[0]
        reported = nodes.SaveImage().save_images(images, save_prefix, prompt, extra_pnginfo)
        return {"ui": reported["ui"], "result": (pipe, images)}


class AnySwitch(PublicNode):
    name = "Any Switch (rgthree)"

    def run(self, **given):
        return (next((given[name] for name in sorted(given) if given[name] is not None), None),)


class EfficientLoader(PublicNode):
    name = "Efficient Loader"

    def run(self, ckpt_name, positive, negative, empty_latent_width, empty_latent_height, batch_size, **_):
        item = _loaded(ckpt_name, positive, negative, empty_latent_width, empty_latent_height, batch_size)
        return *(item[name] for name in ("model", "positive", "negative", "latent", "vae", "clip")), None


class EfficientSampler(PublicNode):
    name = "KSampler (Efficient)"

    def run(
        self, model, seed, steps, cfg, sampler_name, scheduler, positive, negative, latent_image, denoise,
        preview_method, vae_decode, optional_vae=None,
    ):  # fmt: skip
        latent = _drawn(model, seed, steps, cfg, sampler_name, scheduler, positive, negative, latent_image, denoise)
        images = nodes.VAEDecode().decode(optional_vae, latent)[0]
        reported = nodes.PreviewImage().save_images(images)
        return {"ui": reported["ui"], "result": (model, positive, negative, latent, optional_vae, images)}


class SaveSilently(PublicNode):
    """Saves, and tells of it only while its previews are shown."""

    name = "Image Save"

    def run(self, images, output_path, filename_prefix, extension, show_previews):
        reported = nodes.SaveImage().save_images(images, filename_prefix)
        return {"ui": reported["ui"] if show_previews == "true" else {"images": []}, "result": (images,)}


class PowerLora(PublicNode):
    """Its rows are inputs that its page adds: {"on", "lora", "strength"}."""

    name = "Power Lora Loader (rgthree)"

    def run(self, model=None, clip=None, **rows):
        for row in rows.values():
            if isinstance(row, dict) and row.get("on") and row.get("lora"):
                model, clip = nodes.LoraLoader().load_lora(model, clip, row["lora"], row["strength"], row["strength"])
        return model, clip


class Slow:
    """Passes pictures on after some seconds in which it tells how far it is, and can be stopped."""

    RETURN_TYPES = ("LATENT",)
    FUNCTION = "run"
    CATEGORY = "easel tests"

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"samples": ("LATENT",), "seconds": ("FLOAT", {"default": 1.0, "min": 0.0, "max": 600.0})}}

    @classmethod
    def IS_CHANGED(cls, **_):
        return random.random()

    def run(self, samples, seconds):
        bar = comfy.utils.ProgressBar(20)
        for _ in range(20):
            time.sleep(seconds / 20)
            comfy.model_management.throw_exception_if_processing_interrupted()
            bar.update(1)
        return (samples,)


class Fails:
    """Raises what a graphics card out of memory, or a broken node, does."""

    RETURN_TYPES = ("LATENT",)
    FUNCTION = "run"
    CATEGORY = "easel tests"

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"samples": ("LATENT",), "how": (["memory", "broken"],)}}

    def run(self, samples, how):
        if how == "memory":
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
        raise ValueError("tensor shapes differ in /srv/secret/models")


def _use_small_encoders():
    load, tokenize = comfy.sd.load_clip, comfy.sd1_clip.SD1Tokenizer.tokenize_with_weights

    def load_first(ckpt_paths, *arguments, **named):
        return load(ckpt_paths[:1], *arguments, **named)

    def tokenize_for_all(self, *arguments, **named):
        tokens = tokenize(self, *arguments, **named)
        return dict.fromkeys(OTHER_ENCODERS, tokens["l"]) | tokens if "l" in tokens else tokens

    comfy.sd.load_clip = load_first
    comfy.sd1_clip.SD1Tokenizer.tokenize_with_weights = tokenize_for_all


def _finished(cls):
    reported = TOLD[cls.name]
    cls.RETURN_TYPES = tuple(AnyType("*") if kind == "*" else kind for kind in reported["output"])
    cls.RETURN_NAMES = tuple(reported["output_name"])
    cls.OUTPUT_NODE = reported["output_node"]
    return cls


_use_small_encoders()
NODE_CLASS_MAPPINGS = {cls.name: _finished(cls) for cls in PublicNode.__subclasses__()}
NODE_CLASS_MAPPINGS |= {"EaselSlow": Slow, "EaselFails": Fails} | VIDEO_CLASSES
