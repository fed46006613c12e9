"""The server's refusals and failures in our errors: one sentence, naming what is missing.

Source: recorded answers of ComfyUI 0.33. Its bodies hold tracebacks, paths and every file name there is: they go into
`detail`, never into the sentence.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

import httpx

from backends.answers import read_json
from backends.comfyui.graph import Graph, class_of, inputs_of, read_link
from backends.comfyui.nodes import ObjectInfo
from backends.comfyui.wire import Output, Status
from backends.http import translate
from backends.reasons import explanation, failure, with_reason
from generation.errors import (
    BackendError,
    CapabilityError,
    GenerationError,
    OutOfMemory,
    RequestRejected,
    UnexpectedAnswer,
)

MAX_NAME_CHARS: Final = 60
DETAIL_CHARS: Final = 500
MEMORY_HINT: Final = "Try a smaller size or batch."

# What people call the thing an input names, and the field of a request it comes from.
_WORDS: Final = {
    "ckpt_name": ("model", "model"),
    "unet_name": ("model", "model"),
    "model_name": ("upscaler", "model"),
    "lora_name": ("LoRA", "loras"),
    "vae_name": ("VAE", "vae"),
    "sampler_name": ("sampler", "sampler"),
    "scheduler": ("scheduler", "scheduler"),
    "clip_name": ("text encoder", "model"),
    "clip_name1": ("text encoder", "model"),
    "clip_name2": ("text encoder", "model"),
    "clip_name3": ("text encoder", "model"),
    "control_net_name": ("ControlNet", "model"),
    "image": ("picture", "image"),
}


def check(graph: Graph, info: ObjectInfo) -> CapabilityError | None:
    """Return what this server lacks for a graph, None if nothing: node classes first, then files and names.

    It is asked before anything is queued, since the server takes a graph whose one branch is good and drops the other.
    """
    missing = dict.fromkeys(class_of(graph, node) for node in graph if class_of(graph, node) not in info)
    if missing:
        return _missing_nodes(list(missing))
    for node in graph:
        class_type = class_of(graph, node)
        for name, value in inputs_of(graph, node).items():
            if read_link(value) or not isinstance(value, str) or info.is_upload(class_type, name):
                continue
            if count := info.refuses(class_type, name, value):
                return _not_listed(class_type, name, value, f"one of {count}")
    return None


def refused(label: str, response: httpx.Response, body: bytes) -> GenerationError:
    """Return our error for a `POST /prompt` that was no success."""
    try:
        answer = read_json(body)
    except ValueError:
        answer = None
    if response.status_code != httpx.codes.BAD_REQUEST or not isinstance(answer, dict):
        return translate(label, response, body=body)
    error = answer.get("error")
    told = error if isinstance(error, dict) else {"message": str(error or "")}
    extra = told.get("extra_info")
    if told.get("type") == "missing_node_type":
        class_type = extra.get("class_type") if isinstance(extra, dict) else None
        return _missing_nodes([str(class_type or "")], detail=_cut(told))
    return invalid(label, answer.get("node_errors")) or RequestRejected(
        with_reason(f"{label} does not accept this request.", explanation(body)),
        detail=_cut(told),
        hint="Try other settings.",
    )


def invalid(label: str, node_errors: Any) -> GenerationError | None:
    """Return our error for the `node_errors` of an answer, None if there are none."""
    for told in node_errors.values() if isinstance(node_errors, dict) else ():
        if not isinstance(told, dict):
            continue
        class_type = str(told.get("class_type") or "")
        for error in told.get("errors") or ():
            if isinstance(error, dict):
                return _invalid_input(label, class_type, error)
    return None


def failed(label: str, status: Status) -> GenerationError:
    """Return our error for a job that ended badly, by its entry in the history."""
    if status.message("execution_interrupted") is not None:
        return BackendError(
            f"The picture was stopped on {label} itself.", hint="Somebody pressed Cancel there. Run it again."
        )
    told = status.message("execution_error") or {}
    kind, text = str(told.get("exception_type", "")), str(told.get("exception_message", ""))
    node = _short(str(told.get("node_type", "")))
    detail = f"{node}: {kind}: {text}"[:DETAIL_CHARS]
    low = f"{kind} {text}".lower()
    if "outofmemory" in low or "out of memory" in low or "can't allocate memory" in low or "not enough memory" in low:
        return OutOfMemory(f"{label} ran out of memory.", detail=detail, hint=MEMORY_HINT)
    if "unidentifiedimageerror" in low or "cannot identify image" in low:
        return RequestRejected(
            f"{label} cannot read that picture.", field="image", detail=detail, hint="Send it as PNG or JPEG."
        )
    if "safetensor" in kind.lower() or "deserializing" in low or "unpickling" in low:
        return BackendError(
            f"{label} has a broken file where the model should be.", detail=detail, hint="Pick another model."
        )
    if "shapes cannot be multiplied" in low or "clip input is invalid" in low or "size mismatch" in low:
        return BackendError(
            f"{label} was given parts that do not belong together (model, text encoder, VAE or LoRA).",
            detail=detail,
            hint="Leave out LoRAs and the VAE made for another family, or pick another model.",
        )
    return failure(label, text, detail=detail, where=f" in the node {node}" if node else "")


def no_picture(label: str, outputs: Sequence[Output]) -> GenerationError:
    """Return our error for a job that finished without a picture or video; `outputs` are its other files."""
    if outputs:
        kinds = ", ".join(sorted({output.file.filename.rpartition(".")[2][:8] for output in outputs}))
        return BackendError(
            f"The workflow on {label} made no picture or video, only {kinds}, which cannot be shown here.",
            hint="Give the workflow a Save Image node, or a Save Video node that writes mp4 or webm.",
        )
    return UnexpectedAnswer(
        f"{label} finished without a picture.", hint="Does the workflow save one?", may_have_run=True
    )


def _invalid_input(label: str, class_type: str, error: dict[str, Any]) -> GenerationError:
    extra = error.get("extra_info")
    extra = extra if isinstance(extra, dict) else {}
    name = str(extra.get("input_name") or "")
    kind = str(error.get("type") or "")
    detail = _cut({"class": class_type, "type": kind, "details": error.get("details")})
    if kind == "value_not_in_list":
        return _not_listed(class_type, name, str(extra.get("received_value", "")), detail)
    if kind == "custom_validation_failed" and name == "image":
        return RequestRejected(
            f"{label} does not find the picture to start from.", field="image", detail=detail, hint="Attach it again."
        )
    if kind in {"value_bigger_than_max", "value_smaller_than_min", "invalid_input_type"}:
        how = {"value_bigger_than_max": "is too large", "value_smaller_than_min": "is too small"}.get(
            kind, "is no number"
        )
        return RequestRejected(
            f"{label} says that {_short(name)} {how}.", field=name, detail=detail, hint="Try another value."
        )
    sentence = f"{label} finds a mistake in the workflow, at the node {_short(class_type)}."
    said = explanation(json.dumps(error).encode())
    if kind == "required_input_missing" and name:  # its own words leave out which; an old export lacks newer ones
        said = f"{_short(name)} is missing"
    return RequestRejected(
        with_reason(sentence, said),
        field=name,
        detail=detail,
        hint="Load it in ComfyUI, run it there, and export it again.",
    )


def _missing_nodes(classes: list[str], detail: str = "") -> CapabilityError:
    names = ", ".join(_short(name) or "one without a class" for name in classes[:5])
    more = f" and {len(classes) - 5} more" if len(classes) > 5 else ""
    what = "a node" if len(classes) == 1 else f"{len(classes)} nodes"
    return CapabilityError(
        f"This engine lacks {what} the workflow needs: {names}{more}.",
        detail=detail,
        hint="Its owner can install missing nodes with ComfyUI-Manager, or update ComfyUI.",
    )


def _not_listed(class_type: str, name: str, value: str, detail: str) -> CapabilityError:
    word, field = _WORDS.get(name, (f"value for {_short(name)} of {_short(class_type)}", name))
    return CapabilityError(
        f"This engine has no {word} “{_short(value)}”.",
        field=field,
        detail=detail,
        hint="See /models for what it has.",
    )


def _short(name: str) -> str:
    """Return a name fit for a sentence: the server's paths and line breaks do not belong there."""
    name = " ".join(name.split())
    return name if len(name) <= MAX_NAME_CHARS else f"{name[: MAX_NAME_CHARS - 1]}…"


def _cut(told: dict[str, Any]) -> str:
    return json.dumps(told, ensure_ascii=False, default=str)[:DETAIL_CHARS]
