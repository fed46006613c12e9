"""A request put into somebody's own workflow, by its mapping."""

import copy
from collections.abc import Collection, Iterator
from collections.abc import Mapping as AnyMapping
from dataclasses import replace
from typing import Any, Final

from backends.comfyui.builtin.graphs import Drawing, Uploads
from backends.comfyui.builtin.offer import to_capabilities
from backends.comfyui.facts import ComfyFacts
from backends.comfyui.graphs.graph import Graph, Slot, class_of, free_id, inputs_of, rewire, splice_loras
from backends.comfyui.graphs.lacking import short
from backends.comfyui.graphs.values import read_number
from backends.comfyui.workflows.changes import alike, replace_loras, samplers_like, set_loras, set_steps
from backends.comfyui.workflows.options import offered
from backends.comfyui.workflows.workflow import Mapping, Workflow, without_replaced
from constants import MAX_SEED
from generation.capabilities import Capabilities, ModelInfo
from generation.foreign import whole
from generation.request import GenerationRequest, Mode
from texts.text import _

MAX_GRID_PX: Final = 128
ELSEWHERE: Final = (" [temp]", " [output]")  # folders whose files are not listed


def apply(
    workflow: Graph,
    mapping: Mapping,
    request: GenerationRequest,
    uploads: Uploads,
    lacking: Collection[Slot] = (),
) -> Drawing:
    """Return the workflow with a request's values in it; what it has no place for stays as it was exported.

    LoRAs of the request first take the places of those at `lacking`, which the server does not have.
    """
    graph = copy.deepcopy(workflow)
    sets: list[tuple[tuple[Slot, ...], Any]] = [
        (mapping.prompt, request.prompt or None),
        (mapping.negative, request.negative_prompt or None),
        (alike(workflow, mapping.guidance or mapping.cfg_scale), request.cfg_scale),
        (_one(mapping.guidance), request.guidance),
        (alike(workflow, mapping.sampler), request.sampler),
        (alike(workflow, mapping.scheduler), request.scheduler),
        (mapping.width, request.width),
        (mapping.height, request.height),
        (_one(mapping.batch), 1),
        (_one(mapping.model), request.model),
    ]
    if request.mode is not Mode.TXT2IMG:
        sets += [
            *zip(_each(mapping.images), (uploads.init or None, *uploads.more), strict=False),
            (mapping.masks[:1], uploads.mask or None),
            (_one(mapping.denoising_strength), request.denoising_strength),
        ]
    for slots, value in sets:
        if value is not None:
            for slot in slots:
                _set(graph, slot, value)
    if mapping.steps and mapping.steps.node in graph:
        set_steps(graph, mapping.steps, request.steps)
    if uploads.mask and not mapping.masks:
        _replace_alpha(graph, mapping, uploads.mask)
    _set_loras(graph, mapping, request, lacking)
    return Drawing(graph=graph, seeds=mapping.seed)


def missing_pictures(mapping: Mapping, graph: Graph, facts: ComfyFacts, given: int) -> list[str]:
    """Return a remark on each input picture that keeps the export's file while the server has no such file.

    Args:
        mapping: where pictures go.
        graph: the workflow with the request's values in it.
        facts: of the server.
        given: how many pictures the request brings.
    """
    notes = []
    for number, slot in enumerate(mapping.images[given:], given + 1):
        file = inputs_of(graph, slot.node).get(slot.input)
        choices = facts.info.choices(class_of(graph, slot.node), slot.input)
        if choices is None or not isinstance(file, str) or file.endswith(ELSEWHERE):
            continue
        if file.removesuffix(" [input]") not in choices:
            notes.append(
                _(
                    "picture {number} (node {node}, {input}) stays “{file}” of the export, "
                    "which this engine does not have: attach one for it",
                    number=number,
                    node=slot.node,
                    input=slot.input,
                    file=short(file),
                )
            )
    return notes


def workflow_capabilities(workflow: Workflow, facts: ComfyFacts, options: AnyMapping[str, str]) -> Capabilities:
    """Return what this workflow can do on this server: what it has a place for."""
    graph, mapping = workflow.graph, without_replaced(workflow.mapping)
    base = to_capabilities(facts, options)

    def listed(slot: Slot | None) -> tuple[str, ...] | None:
        if slot and not facts.info.is_told:
            return None
        return facts.info.choices(class_of(graph, slot.node), slot.input) or () if slot else ()

    def number(slot: Slot | None, default: float) -> float:
        value = read_number(inputs_of(graph, slot.node).get(slot.input)) if slot else None
        return value if value is not None and 0 < value < 2**53 else default

    models = [ModelInfo(name=name, title=name) for name in listed(mapping.model) or ()]
    default = inputs_of(graph, mapping.model.node).get(mapping.model.input) if mapping.model else None
    models.sort(key=lambda model: model.name != default)
    width = int(number(next(iter(mapping.width), None), base.default_width))
    height = int(number(next(iter(mapping.height), None), base.default_height))
    return replace(
        base,
        modes=_modes(mapping),
        models=tuple(models),
        samplers=listed(mapping.sampler),
        schedulers=listed(mapping.scheduler),
        loras=base.loras if mapping.model_link else (),
        vaes=(),
        upscalers=(),
        control_kinds=(),
        supports_hires=False,
        options=offered(graph, mapping.options, facts.info),
        supports_guidance=mapping.guidance is not None,
        supports_negative_prompt=bool(mapping.negative),
        supports_cfg_scale=mapping.cfg_scale is not None or mapping.guidance is not None,
        supports_steps=mapping.steps is not None,
        supports_clip_skip=False,
        max_batch=base.max_batch if mapping.seed else 1,
        max_images=max(1, len(mapping.images)),
        size_grid=max([base.size_grid, *(_step(facts, graph, slot) for slot in (*mapping.width, *mapping.height))]),
        max_steps=min(base.max_steps, _most(facts, graph, mapping.steps) if mapping.steps else base.max_steps),
        max_seed=min((_most(facts, graph, slot) for slot in mapping.seed), default=MAX_SEED),
        default_width=min(max(width, base.min_side), base.max_side),
        default_height=min(max(height, base.min_side), base.max_side),
        default_steps=int(number(mapping.steps, base.default_steps)),
        default_strength=min(1.0, number(mapping.denoising_strength, base.default_strength)),
        default_cfg_scale=number(mapping.guidance or mapping.cfg_scale, base.default_cfg_scale),
    )


def workflow_changes(workflow: Workflow, request: GenerationRequest) -> list[str]:
    """Return what of a request the workflow has no place for, in words for the reply."""
    mapping = workflow.mapping
    notes = [*_kept(workflow.graph, mapping.cfg_scale, "CFG", request.cfg_scale)]
    notes += _kept(workflow.graph, mapping.sampler, "sampler", request.sampler)
    notes += _kept(workflow.graph, mapping.scheduler, "scheduler", request.scheduler)
    if request.prompt and not mapping.prompt:
        notes.append(_("prompt ignored: this workflow has no place for one"))
    if not mapping.width and request.mode in {Mode.TXT2IMG, Mode.IMG2IMG}:
        notes.append(_("size set by the workflow"))
    if request.mode is Mode.UPSCALE and request.upscale_factor:
        notes.append(_("how much larger is set by the workflow"))
    elif not mapping.seed:
        notes.append(_("seed ignored: this workflow has no place for one"))
    return notes


def _modes(mapping: Mapping) -> frozenset[Mode]:
    modes = set()
    if not mapping.needs_image:
        modes.add(Mode.TXT2IMG)
    if mapping.images:
        modes.add(Mode.IMG2IMG)
        if mapping.masks or mapping.mask_links:
            modes.add(Mode.INPAINT)
        if mapping.needs_image and not mapping.seed:
            modes.add(Mode.UPSCALE)
    return frozenset(modes)


def _most(facts: ComfyFacts, graph: Graph, slot: Slot) -> int:
    """Return the largest number that a node takes at an input."""
    most = facts.info.settings_of(class_of(graph, slot.node), slot.input).get("max")
    return whole(most, 1, MAX_SEED) if isinstance(most, int | float) else MAX_SEED


def _step(facts: ComfyFacts, graph: Graph, slot: Slot) -> int:
    """Return in what steps of pixels a node takes a side: models of videos are strict."""
    step = facts.info.settings_of(class_of(graph, slot.node), slot.input).get("step")
    return whole(step, 1, MAX_GRID_PX) if isinstance(step, int | float) else 1


def _kept(graph: Graph, slot: Slot | None, word: str, value: object) -> Iterator[str]:
    """Yield a remark where another sampler keeps its own value because it differs in the export."""
    before = inputs_of(graph, slot.node).get(slot.input) if slot else None
    if slot is None or value in (None, before):
        return
    others = [item for item in samplers_like(graph, slot) if inputs_of(graph, item.node)[item.input] != before]
    if others:
        kept = ", ".join(
            _(
                "node {node} keeps {inputs}",
                node=other.node,
                inputs=short(str(inputs_of(graph, other.node)[other.input])),
            )
            for other in others
        )
        yield _("{word} set at node {node}; {kept}", word=word, node=slot.node, kept=kept)


def _each(slots: tuple[Slot, ...]) -> list[tuple[Slot, ...]]:
    return [(slot,) for slot in slots]


def _one(slot: Slot | None) -> tuple[Slot, ...]:
    return (slot,) if slot else ()


def _set(graph: Graph, slot: Slot, value: Any) -> None:
    if slot.node in graph:
        graph[slot.node]["inputs"][slot.input] = value


def _replace_alpha(graph: Graph, mapping: Mapping, mask: str) -> None:
    """Let what was painted into the alpha of a picture come from a mask file: white is what may change."""
    node = free_id(graph)
    graph[node] = {"class_type": "LoadImageMask", "inputs": {"image": mask, "channel": "red"}}
    for link in mapping.mask_links:
        rewire(graph, link, [node, 0], lambda item: item == node)


def _set_loras(graph: Graph, mapping: Mapping, request: GenerationRequest, lacking: Collection[Slot]) -> None:
    """Set the weight of LoRAs the workflow has already, splice the others in behind the model's loader."""
    new = replace_loras(graph, lacking, set_loras(graph, request.loras))
    if new and mapping.model_link:
        splice_loras(graph, new, mapping.model_link, mapping.clip_link)
