"""Read how a picture was made from what other programs write, in the keys that Automatic1111 has for the same things.

Read are the texts of Automatic1111, Forge, SD.Next (`utils.infotext`), ComfyUI (`utils.comfy_graph`), SwarmUI, InvokeAI
(since 1.x), NovelAI, Fooocus, Easy Diffusion and Draw Things, and Midjourney's prompts. None of them is specified: the
keys are those that their writers put down. What has no key of Automatic1111's keeps its own, so that it can be named.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from lazy import pattern
from utils.comfy_graph import settings_of_graph
from utils.infotext import Infotext, format_infotext, parse_infotext
from utils.picture_texts import COMMENT, PARAMETERS, XMP

MAX_VALUE_CHARS: Final = 200  # of a value that is only named
MODEL_FILE: Final = pattern(r"\.(safetensors|ckpt|pt|pth|gguf|sft)$", re.IGNORECASE)
_SIDES: Final = pattern(r"\D*(\d{1,5})\D+(\d{1,5})\D*")
_DREAM: Final = pattern(r'"(.*)"((?:\s+-\w+(?:\s+[^\s-]\S*|\s+-?\d\S*)?)*)', re.DOTALL)
_BRACKETS: Final = pattern(r"\[([^\[\]]*)\]")
_JOB: Final = pattern(r"(.*?)\s+Job ID: [0-9a-f-]{36}", re.DOTALL)
_XMP_COMMENT: Final = pattern(r"<exif:UserComment>.*?<rdf:li[^>]*>(.*?)</rdf:li>", re.DOTALL)

Said = Mapping[str, Any]

_SWARM: Final = {
    "steps": "Steps", "cfgscale": "CFG scale", "seed": "Seed", "sampler": "Sampler", "scheduler": "Schedule type",
    "model": "Model", "vae": "VAE", "fluxguidancescale": "Distilled CFG Scale", "refinermodel": "Refiner",
    "refinerupscale": "Hires upscale", "refinersteps": "Hires steps", "refinerupscalemethod": "Hires upscaler",
    "refinercontrolpercentage": "Denoising strength", "initimagecreativity": "Denoising strength",
}  # fmt: skip
_INVOKE: Final = {
    "steps": "Steps", "cfg_scale": "CFG scale", "seed": "Seed", "scheduler": "Sampler", "sampler": "Sampler",
    "model": "Model", "vae": "VAE", "strength": "Denoising strength", "refiner_model": "Refiner",
    "guidance": "Distilled CFG Scale", "model_weights": "Model", "hrf_strength": "Denoising strength",
    "refiner_start": "Refiner switch at",
}  # fmt: skip
_NOVELAI: Final = {
    "steps": "Steps", "scale": "CFG scale", "seed": "Seed", "sampler": "Sampler", "noise_schedule": "Schedule type",
    "strength": "Denoising strength",
}  # fmt: skip
_FOOOCUS: Final = {
    "steps": "Steps", "guidance_scale": "CFG scale", "seed": "Seed", "sampler": "Sampler", "scheduler": "Schedule type",
    "base_model": "Model", "vae": "VAE", "clip_skip": "Clip skip", "refiner_model": "Refiner",
    "refiner_switch": "Refiner switch at", "styles": "Fooocus styles",
}  # fmt: skip
_EASY: Final = {
    "num_inference_steps": "Steps", "steps": "Steps", "guidance_scale": "CFG scale", "seed": "Seed",
    "sampler_name": "Sampler", "sampler": "Sampler", "use_stable_diffusion_model": "Model", "scheduler_name":
    "Schedule type", "stable_diffusion_model": "Model", "use_vae_model": "VAE", "vae_model": "VAE",
    "clip_skip": "Clip skip", "prompt_strength": "Denoising strength",
    "distilled_guidance_scale": "Distilled CFG Scale",
}  # fmt: skip
_DRAW: Final = {
    "steps": "Steps", "scale": "CFG scale", "seed": "Seed", "sampler": "Sampler", "model": "Model",
    "strength": "Denoising strength",
}  # fmt: skip
_NOTHING: Final[tuple[object, ...]] = (
    None,
    "",
    "None",
    "none",
    "Automatic",
    "Default",
    "Default (model)",
    [],
    {},
    False,
)


def settings_in(texts: Mapping[str, str]) -> Infotext | None:
    """Return what the texts of one file say of its making; None where none of them is known."""
    for text in (texts.get(PARAMETERS), texts.get(COMMENT), _xmp_comment(texts), texts.get("XPComment")):
        if text and (found := _of_text(text, texts)):
            return found
    for read in (_of_comfy, _of_invoke, _of_novelai, _of_easy):
        if found := read(texts):
            return found
    for name in ("ImageDescription", "Comment", "Description", "XPTitle", "XPSubject", "XPKeywords"):
        if (text := texts.get(name)) and (found := _of_text(text, texts) or _of_midjourney(text)):
            return found
    return None


def _of_midjourney(text: str) -> Infotext | None:
    """Read a prompt as it was typed there, with its flags; how large the picture was meant is not said."""
    if (job := _JOB.fullmatch(text.strip())) is None:
        return None
    words, *flags = re.split(r"\s+--(?=[a-z])", job[1])
    given = dict(flag.partition(" ")[::2] for flag in flags)
    values = {name: value for name, value in given.items() if name not in {"no", "seed"}}
    return _made("Midjourney", words, given.get("no"), {"Seed": given.get("seed"), **values}, (None, None), [])


def _of_text(text: str, texts: Mapping[str, str]) -> Infotext | None:
    """Read one text that may be Automatic1111's, or JSON of some other program."""
    answer = _json(text)
    if answer is None:
        found = parse_infotext(text)
        return found if found.parameters else None
    if isinstance(answer.get("sui_image_params"), dict):
        return _of_swarm(answer["sui_image_params"])
    if "Comment" in answer and isinstance(answer["Comment"], str):  # NovelAI's WebP holds the chunks of its PNG as JSON
        return _of_novelai({key: value for key, value in answer.items() if isinstance(value, str)})
    nested = {key: value if isinstance(value, str) else json.dumps(value) for key, value in answer.items()}
    if "invokeai_metadata" in answer or "sd-metadata" in answer:
        return _of_invoke(nested)
    if isinstance(answer.get("prompt"), dict) or all(
        isinstance(node, dict) and "class_type" in node for node in answer.values()
    ):
        return _of_comfy({"prompt": json.dumps(answer.get("prompt", answer))})
    if "c" in answer and "uc" in answer:
        return _of_draw_things(answer)
    if "uc" in answer:
        return _of_novelai({"Comment": text, **texts})
    keys = {_plain_key(key): value for key, value in answer.items()}
    if keys.keys() & {"base_model", "metadata_scheme", "performance"}:
        return _of_fooocus(keys)
    return _of_easy(nested)


def _of_swarm(given: Said) -> Infotext:
    values = _renamed(given, _SWARM, {"prompt", "negativeprompt", "width", "height", "loras", "loraweights", "images",
                                     "clipstopatlayer", "aspectratio", "swarm_version"})  # fmt: skip
    if isinstance(layer := given.get("clipstopatlayer"), int):
        values["Clip skip"] = abs(layer)
    if not given.get("refinerupscale") and "initimagecreativity" not in given:
        values.pop("Denoising strength", None)
    names, weights = _list(given.get("loras")), _list(given.get("loraweights"))
    loras = [(name, weights[at] if at < len(weights) else 1) for at, name in enumerate(names)]
    return _made("SwarmUI", given.get("prompt"), given.get("negativeprompt"), values, _sides(given), loras)


def _of_invoke(texts: Mapping[str, str]) -> Infotext | None:
    if (answer := _json(texts.get("invokeai_metadata"))) is not None:
        values = _renamed(answer, _INVOKE, {"positive_prompt", "negative_prompt", "width", "height", "loras",
                                          "clip_skip", "app_version", "generation_mode", "rand_device",
                                          "hrf_enabled"})  # fmt: skip
        if not answer.get("hrf_enabled") and "strength" not in answer:
            values.pop("Denoising strength", None)
        if isinstance(skipped := answer.get("clip_skip"), int) and skipped:
            values["Clip skip"] = skipped + 1  # it counts the layers left out
        loras = [
            (entry.get("model") or entry.get("lora"), entry.get("weight", 1)) for entry in _dicts(answer.get("loras"))
        ]
        return _made(
            "InvokeAI", answer.get("positive_prompt"), answer.get("negative_prompt"), values, _sides(answer), loras
        )
    if (answer := _json(texts.get("sd-metadata"))) is not None and isinstance(image := answer.get("image"), dict):
        values = _renamed(image, _INVOKE, {"prompt", "width", "height", "type", "variations"})
        values["Model"] = answer.get("model_weights")
        words = image.get("prompt")
        if not isinstance(words, str):
            words = ", ".join(str(part.get("prompt", "")) for part in _dicts(words))
        return _made("InvokeAI", *_without_brackets(words), values, _sides(image), [])
    if (dream := _DREAM.fullmatch(texts.get("Dream", "").strip())) is None:
        return None
    flags = dict(re.findall(r"-(\w+)\s+(-?[^\s-]\S*)", dream[2]))
    names = {"s": "Steps", "S": "Seed", "C": "CFG scale", "A": "Sampler", "f": "Denoising strength"}
    values = {names[flag]: value for flag, value in flags.items() if flag in names}
    sides = flags.get("W"), flags.get("H")
    return _made("InvokeAI", *_without_brackets(dream[1]), values, sides, [])


def _of_novelai(texts: Mapping[str, str]) -> Infotext | None:
    answer = _json(texts.get("Comment"))
    if answer is None or not answer.keys() & {"uc", "v4_prompt", "noise_schedule"}:
        return None
    values = _renamed(answer, _NOVELAI, {"prompt", "uc", "width", "height", "v4_prompt", "v4_negative_prompt",
                                       "n_samples", "request_type", "signed_hash", "hide_debug_overlay"})  # fmt: skip
    values["Model"] = texts.get("Source")
    values["Character prompts"] = "; ".join(_characters(answer.get("v4_prompt")))
    prompt = answer.get("prompt") or _caption(answer.get("v4_prompt")) or texts.get("Description")
    negative = answer.get("uc") or _caption(answer.get("v4_negative_prompt"))
    return _made("NovelAI", prompt, negative, values, _sides(answer), [])


def _of_fooocus(given: Said) -> Infotext:
    names = {key for key in given if key.endswith("_hash") or key.startswith("full_")}
    values = _renamed(given, _FOOOCUS, {"prompt", "negative_prompt", "resolution", "loras", "version",
                                       "metadata_scheme", *names})  # fmt: skip
    for key in [key for key in values if re.fullmatch(r"lora_combined_\d+|lora_\d+", key)]:
        del values[key]
    loras = [(entry[0], entry[1]) for entry in _list(given.get("loras")) if isinstance(entry, list) and len(entry) > 1]
    combined = [str(value).rpartition(" : ") for key, value in given.items() if key.startswith("lora_combined_")]
    loras += [(name, weight) for name, _, weight in combined]
    return _made("Fooocus", given.get("prompt"), given.get("negative_prompt"), values,
                 _sides_in(given.get("resolution")), loras)  # fmt: skip


def _of_easy(texts: Said) -> Infotext | None:
    given = {_plain_key(key): value for key, value in texts.items()}
    if "prompt" not in given or not given.keys() & {"num_inference_steps", "guidance_scale", "sampler_name"}:
        return None
    values = _renamed(given, _EASY, {"prompt", "negative_prompt", "width", "height", "use_lora_model", "lora_alpha",
                                    "lora_model", "original_prompt"})  # fmt: skip
    skip = str(values.pop("Clip skip", "")).casefold()
    if skip == "true":
        values["Clip skip"] = 2
    elif skip.isdecimal():
        values["Clip skip"] = skip
    names, weights = _list(_loose(given.get("use_lora_model"))), _list(_loose(given.get("lora_alpha")))
    loras = [(name, weights[at] if at < len(weights) else 1) for at, name in enumerate(names)]
    return _made("Easy Diffusion", given.get("prompt"), given.get("negative_prompt"), values, _sides(given), loras)


def _of_draw_things(given: Said) -> Infotext:
    values = _renamed(given, _DRAW, {"c", "uc", "size", "lora", "v2", "profile"})
    more = given["v2"] if isinstance(given.get("v2"), dict) else {}
    names = {"clipSkip": "Clip skip", "refinerModel": "Refiner", "refinerStart": "Refiner switch at",
             "upscaler": "Upscaler", "guidanceEmbed": "Distilled CFG Scale"}  # fmt: skip
    values |= {name: more[key] for key, name in names.items() if more.get(key) not in _NOTHING}
    if not more.get("refinerModel"):
        values.pop("Refiner switch at", None)
    if "flux" not in str(given.get("model", "")).casefold():
        values.pop("Distilled CFG Scale", None)
    entries = _dicts(given.get("lora")) or _dicts(more.get("loras"))
    loras = [(entry.get("model") or entry.get("file"), entry.get("weight", 1)) for entry in entries]
    if values.get("Denoising strength") in (1, 1.0):  # of a picture from words alone
        del values["Denoising strength"]
    return _made("Draw Things", given.get("c"), given.get("uc"), values, _sides_in(given.get("size")), loras)


def _of_comfy(texts: Mapping[str, str]) -> Infotext | None:
    graph = texts.get("prompt") or texts.get("Model", "").removeprefix("prompt:")
    if texts.get("ImageDescription", "").lower().startswith("prompt:"):
        graph = texts["ImageDescription"][len("prompt:") :]
    if texts.get("Make", "").lower().startswith("prompt:"):
        graph = texts["Make"][len("prompt:") :]
    answer = _json(graph)
    found = settings_of_graph(answer) if answer else None
    if found is None:
        return None
    return _made(
        "ComfyUI", found.prompt, found.negative_prompt, dict(found.values), (found.width, found.height), found.loras
    )


def _made(
    program: str,
    prompt: object,
    negative: object,
    values: dict[str, Any],
    sides: tuple[Any, Any],
    loras: list[tuple[Any, Any]],
) -> Infotext:
    words = [str(prompt or "").strip()]
    for model, weight in loras[:64]:
        if (name := _name(model)) and isinstance(weight, int | float | str):
            words.append(f"<lora:{name}:{_text(_number(weight))}>")
    parameters = {key: value for key, value in values.items() if value not in _NOTHING}
    for key in ("Model", "VAE", "Refiner"):
        if key in parameters:
            parameters[key] = _name(parameters[key])
    size = f"{sides[0]}x{sides[1]}" if sides[0] and sides[1] else None
    ordered: dict[str, object] = {
        **{key: _text(value) for key, value in parameters.items()}, "Size": size, "App": program
    }  # fmt: skip
    text = format_infotext("", "", {key: value for key, value in ordered.items() if value not in (None, "")})
    read = dict(parse_infotext(f"{text}, Version: 0, Engine: 0").parameters)
    del read["Version"], read["Engine"]
    return Infotext(prompt=" ".join(filter(None, words)), negative_prompt=str(negative or "").strip(), parameters=read)


def _renamed(given: Said, names: Mapping[str, str], known: set[str]) -> dict[str, Any]:
    """Return values under Automatic1111's keys; what has none keeps its own, but for what is known otherwise."""
    values = {names[key]: value for key, value in given.items() if key in names and value not in _NOTHING}
    others = {key: value for key, value in given.items() if key not in names and key not in known and _is_worth(value)}
    return {**values, **{str(key)[:60]: value for key, value in others.items()}}


def _is_worth(value: object) -> bool:
    return value not in _NOTHING and not isinstance(value, dict) and len(str(value)) <= MAX_VALUE_CHARS


def _name(model: object) -> str:
    """Return a model's name from its file, its path or its record."""
    if isinstance(model, dict):
        model = model.get("name") or model.get("model_name") or model.get("base_model_name") or ""
    return MODEL_FILE.sub("", re.split(r"[\\/]", str(model or ""))[-1])


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)


def _number(value: float | str) -> float | str:
    try:
        return float(value)
    except ValueError:
        return 1.0


def _sides(given: Said) -> tuple[Any, Any]:
    return given.get("width"), given.get("height")


def _sides_in(value: object) -> tuple[Any, Any]:
    found = _SIDES.fullmatch(str(value or "")[:40])
    return (found[1], found[2]) if found else (None, None)


def _without_brackets(words: str) -> tuple[str, str]:
    """Return InvokeAI's old prompt without its negative parts, and those."""
    negative = ", ".join(part.strip() for part in _BRACKETS.findall(words) if part.strip())
    return " ".join(_BRACKETS.sub("", words).split()), negative


def _caption(given: object) -> str:
    caption = given.get("caption") if isinstance(given, dict) else None
    return str(caption.get("base_caption", "")) if isinstance(caption, dict) else ""


def _characters(given: object) -> list[str]:
    """Return what is said of each character beside the prompt."""
    caption = given.get("caption") if isinstance(given, dict) else None
    entries = _dicts(caption.get("char_captions")) if isinstance(caption, dict) else []
    return [str(entry["char_caption"]) for entry in entries if entry.get("char_caption")]


def _xmp_comment(texts: Mapping[str, str]) -> str:
    from html import unescape  # only here: its table of names is a third of a megabyte

    found = _XMP_COMMENT.search(texts.get(XMP, ""))
    return unescape(found[1]) if found else ""


def _plain_key(key: str) -> str:
    return key.strip().casefold().replace(" ", "_")


def _loose(value: object) -> object:
    """Return a list that was written as text."""
    if isinstance(value, str) and value.startswith("["):
        read: Callable[[str], object] = json.loads
        try:
            return read(value.replace("'", '"'))
        except (ValueError, RecursionError):
            return value
    return value


def _list(value: object) -> list[Any]:
    if isinstance(value, list):
        return value
    return [] if value in _NOTHING else [value]


def _dicts(value: object) -> list[dict[str, Any]]:
    return [entry for entry in _list(value) if isinstance(entry, dict)]


def _json(text: str | None) -> dict[str, Any] | None:
    """Return an object; None for anything else, deep or broken."""
    if not text or not text.lstrip().startswith("{"):
        return None
    try:
        answer = json.loads(text.strip())
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None
