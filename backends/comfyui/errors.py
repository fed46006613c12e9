"""The server's refusals and failures in our errors: one sentence, naming what is missing.

Source: recorded answers of ComfyUI 0.33. Its bodies hold tracebacks, paths and every file name there is: they go into
`detail`, never into the sentence.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

import httpx

from backends.comfyui.answers import UPLOAD_FOLDER, HistoryStatus, Output
from backends.comfyui.graphs.graph import Graph, class_of
from backends.comfyui.graphs.lacking import WORDS, Ways, lacking_files, no_files, short, unlisted
from backends.comfyui.graphs.nodes import ObjectInfo
from backends.comfyui.jobs.api import ApiGone
from backends.comfyui.jobs.v2_answers import code_of
from backends.drawing_errors import drawing_error
from generation.errors import (
    BackendError,
    CapabilityError,
    GenerationError,
    OutOfMemory,
    RequestRejected,
    UnexpectedAnswer,
)
from net.answers import read_json
from net.failures import translate
from net.reasons import explanation, with_reason
from net.reply import Reply
from texts.text import _, _n, joined

DETAIL_CHARS: Final = 500
MEMORY_HINT: Final = _("Try a smaller size or batch.")

# The same as in `lacking`, for what is no file.
_WORDS: Final = WORDS | {
    "sampler_name": ("sampler", "sampler"),
    "scheduler": ("scheduler", "scheduler"),
    "image": ("picture", "image"),
}


def check(graph: Graph, info: ObjectInfo, ways: Ways | None = None) -> CapabilityError | None:
    """Return what this server lacks for a graph, None if nothing: node classes first, then names, then files.

    It is asked before anything is queued, since the server takes a graph whose one branch is good and drops the other.
    `ways` says how the file of an input can be overridden.
    """
    return check_nodes(graph, info) or no_files(lacking_files(graph, info), ways)


def check_nodes(graph: Graph, info: ObjectInfo) -> CapabilityError | None:
    """Return what this server lacks that no request can say otherwise: node classes, and names that are no files.

    One that does not say what it has is let judge by itself.
    """
    if not info.is_told:
        return None
    missing = dict.fromkeys(class_of(graph, node) for node in graph if class_of(graph, node) not in info)
    if missing:
        return missing_nodes(list(missing))
    for item in unlisted(graph, info):
        if not item.is_file:
            return _not_listed(item.class_type, item.slot.input, item.value, _("one of {count}", count=item.count))
    return None


def upload_refused(label: str, reply: Reply) -> GenerationError:
    """Return our error for a picture that was not taken."""
    if reply.status == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
        return RequestRejected(
            _("The picture is too large for {label}.", label=label), field="image", hint=_("Send a smaller one.")
        )
    return translate(label, reply)


def v2_refused(label: str, reply: Reply, *, may_have_run: bool | None = None) -> GenerationError:
    """Return our error for an answer of v2 that is no success; "not found" in other words than its own is no v2."""
    error = translate(label, reply, may_have_run=may_have_run)
    if reply.status in {404, 405} and not code_of(reply.body):
        return ApiGone(error.user_message, detail=error.detail, hint=error.hint).for_owner(error.owner_hint)
    return error


def refused(label: str, reply: Reply) -> GenerationError:
    """Return our error for a `POST /prompt` that was no success."""
    try:
        answer = read_json(reply.body)
    except ValueError:
        answer = None
    if reply.status != httpx.codes.BAD_REQUEST or not isinstance(answer, dict):
        return translate(label, reply)
    error = answer.get("error")
    reported = error if isinstance(error, dict) else {"message": str(error or "")}
    extra = reported.get("extra_info")
    if reported.get("type") == "missing_node_type":
        class_type = extra.get("class_type") if isinstance(extra, dict) else None
        return missing_nodes([str(class_type or "")], detail=_cut(reported))
    return invalid(label, answer.get("node_errors")) or RequestRejected(
        with_reason(_("{label} does not accept this request.", label=label), explanation(reply.body)),
        detail=_cut(reported),
        hint=_("Try other settings."),
    )


def invalid(label: str, node_errors: Any) -> GenerationError | None:
    """Return our error for the `node_errors` of an answer, None if there are none."""
    for entry in node_errors.values() if isinstance(node_errors, dict) else ():
        if not isinstance(entry, dict):
            continue
        class_type = str(entry.get("class_type") or "")
        for error in entry.get("errors") or ():
            if isinstance(error, dict):
                return _invalid_input(label, class_type, error)
    return None


def failed(label: str, status: HistoryStatus) -> GenerationError:
    """Return our error for a job that ended badly, by its entry in the history."""
    if status.message("execution_interrupted") is not None:
        return BackendError(
            _("The picture was stopped on {label} itself.", label=label),
            hint=_("Somebody pressed Cancel there. Run it again."),
        )
    answer = status.message("execution_error") or {}
    kind, text = str(answer.get("exception_type", "")), str(answer.get("exception_message", ""))
    node = short(str(answer.get("node_type", "")))
    detail = f"{node}: {kind}: {text}"[:DETAIL_CHARS]
    low = f"{kind} {text}".lower()
    if "outofmemory" in low or "out of memory" in low or "can't allocate memory" in low or "not enough memory" in low:
        return OutOfMemory(_("{label} ran out of memory.", label=label), detail=detail, hint=MEMORY_HINT)
    if "unidentifiedimageerror" in low or "cannot identify image" in low:
        return RequestRejected(
            _("{label} cannot read that picture.", label=label),
            field="image",
            detail=detail,
            hint=_("Send it as PNG or JPEG."),
        )
    if "safetensor" in kind.lower() or "deserializing" in low or "unpickling" in low:
        return BackendError(
            _("{label} has a broken file where the model should be.", label=label),
            detail=detail,
            hint=_("Pick another model."),
        )
    if "shapes cannot be multiplied" in low or "clip input is invalid" in low or "size mismatch" in low:
        return BackendError(
            _("{label} was given parts that do not belong together (model, text encoder, VAE or LoRA).", label=label),
            detail=detail,
            hint=_("Leave out LoRAs and the VAE made for another family, or pick another model."),
        )
    return drawing_error(label, text, detail=detail, where=_(" in the node {node}", node=node) if node else "")


def no_model(label: str, info: ObjectInfo) -> BackendError:
    """Return our error for a server that can draw nothing as it is."""
    if not info.is_told:
        return BackendError(
            _("{label} speaks only ComfyUI's API v2, which does not say what models and nodes there are.", label=label),
        ).for_owner(_("Give it a workflow of its own, or let its address answer ComfyUI's other paths, too."))
    return BackendError(
        _("{label} has no model yet.", label=label), hint=_("Draw on another engine for now.")
    ).for_owner(_("Put a checkpoint into ComfyUI's models/checkpoints, or give it a workflow of its own."))


def no_picture(label: str, outputs: Sequence[Output]) -> GenerationError:
    """Return our error for a job that finished without a picture or video; `outputs` are its other files."""
    if outputs:
        kinds = ", ".join(sorted({output.file.filename.rpartition(".")[2][:8] for output in outputs}))
        return BackendError(
            _(
                "The workflow on {label} made no picture or video, only {kinds}, which cannot be shown here.",
                label=label,
                kinds=kinds,
            ),
            hint=_("Give the workflow a Save Image node, or a Save Video node that writes mp4 or webm."),
        )
    return UnexpectedAnswer(
        _("{label} finished without a picture.", label=label), hint=_("Does the workflow save one?"), may_have_run=True
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
        return _no_picture_file(label, str(error.get("details") or ""), detail)
    if kind in {"value_bigger_than_max", "value_smaller_than_min", "invalid_input_type"}:
        how = {"value_bigger_than_max": _("is too large"), "value_smaller_than_min": _("is too small")}.get(
            kind, "is not a number"
        )
        return RequestRejected(
            _("{label} says that {name} {how}.", label=label, name=short(name), how=how),
            field=name,
            detail=detail,
            hint=_("Try another value."),
        )
    sentence = _(
        "{label} finds a mistake in the workflow, at the node {class_type}.", label=label, class_type=short(class_type)
    )
    given = explanation(json.dumps(error).encode())
    if kind == "required_input_missing" and name:  # its own words leave out which; an old export lacks newer ones
        given = _("{name} is missing", name=short(name))
    return RequestRejected(
        with_reason(sentence, given),
        field=name,
        detail=detail,
        hint=_("Load it in ComfyUI, run it there, and export it again."),
    )


def _no_picture_file(label: str, words: str, detail: str) -> RequestRejected:
    file = words.partition("Invalid image file: ")[2]
    if not file or file.startswith(f"{UPLOAD_FOLDER}/"):
        what, hint = _("the picture to start from"), _("Attach it again.")
    else:
        what, hint = (
            _("the picture “{file}” that the workflow names", file=short(file)),
            _("Attach a picture for it, too."),
        )
    return RequestRejected(
        _("{label} does not find {what}.", label=label, what=what), field="image", detail=detail, hint=hint
    )


def missing_nodes(classes: list[str], detail: str = "") -> CapabilityError:
    """Return our error for node classes that a server does not have; they are named."""
    names = joined(", ", (short(name) or _("one without a class") for name in classes[:5]))
    more = _(" and {count} more", count=len(classes) - 5) if len(classes) > 5 else ""
    what = _n("a node", "{count} nodes", count=len(classes))
    return CapabilityError(
        _("This engine lacks {what} the workflow needs: {names}{more}.", what=what, names=names, more=more),
        detail=detail,
        hint=_("Draw without this workflow, or on another engine."),
    ).for_owner(_("ComfyUI-Manager installs missing nodes; or update ComfyUI."))


def _not_listed(class_type: str, name: str, value: str, detail: str) -> CapabilityError:
    word, field = _WORDS.get(name, (f"value for {short(name)} of {short(class_type)}", name))
    return CapabilityError(
        _("This engine has no {word} “{value}”.", word=word, value=short(value)),
        field=field,
        detail=detail,
        hint=_("See /models for what it has."),
    )


def _cut(words: dict[str, Any]) -> str:
    return json.dumps(words, ensure_ascii=False, default=str)[:DETAIL_CHARS]
