"""Our request in the server's words, for `POST /sdapi/v1/txt2img` and `/img2img`.

Source: the servers' own `/openapi.json`. They enforce no range and ignore unknown fields silently, so everything is
clamped and named exactly here; defaults of the API that differ from the web UI's are always sent.
"""

import base64
import re
from collections.abc import Mapping
from typing import Any, Final

from backends.a1111.facts import MAX_STEPS, Checkpoint, Facts, Family
from generation.errors import RequestRejected
from generation.request import GenerationRequest, Mode, SourceImage
from generation.samplers import match_sampler, match_scheduler

MAX_SEED = 2**32 - 1  # the web UI's; larger ones overflow inside
MIN_SIDE_PX = 64
PREFERRED_SAMPLER = "DPM++ 2M"  # the web UI's default; the API's own is another
FLUX_GUIDANCE = 3.5
MASK_BLUR_PX = 4
MASK_PADDING_PX = 32

# Options that jobs of ours rely on. The server restores only those already in its config, so a value sent by one job
# may stay for the next: each job sends all of them.
HOUSE_KEYS: Final = ("sd_vae", "CLIP_stop_at_last_layers", "samples_format", "forge_additional_modules")
FILE_KEYS: Final = ("samples_filename_pattern", "save_to_dirs", "save_images_add_number")
FLUX_MODULES: Final = (r"^ae\.|flux.*(vae|ae)", r"clip_l", r"t5")

_UNSAFE = re.compile(r"[<>:\n]")


def to_payload(
    request: GenerationRequest, facts: Facts, options: Mapping[str, str], task_id: str, *, keep_files: bool
) -> dict[str, Any]:
    """Return the JSON body of one job.

    Args:
        request: bent by `fit` already; clamped once more, since the server checks nothing.
        facts: the last probe.
        options: the instance's own (`preview_every`).
        task_id: unguessable; it is also the name of the files when `keep_files`.
        keep_files: have the pictures saved on the server, to be fetched when the answer is lost on the way.
    """
    checkpoint = facts.checkpoint(request.model)
    flux = facts.family is Family.FORGE and checkpoint is not None and checkpoint.is_flux
    sampler, scheduler = _sampling(request, facts, flux)
    payload: dict[str, Any] = {
        "prompt": _prompt(request),
        "negative_prompt": request.negative_prompt,
        "seed": request.seed & MAX_SEED,
        "subseed_strength": 0,
        "sampler_name": sampler,
        "scheduler": scheduler,
        "steps": _clamp(request.steps, 1, MAX_STEPS),
        "cfg_scale": float(_clamp(request.cfg_scale, 1, 30)),
        "width": max(MIN_SIDE_PX, request.width // 8 * 8),
        "height": max(MIN_SIDE_PX, request.height // 8 * 8),
        "batch_size": max(1, request.batch_size),
        "n_iter": 1,
        "enable_hr": False,
        "send_images": True,
        "save_images": keep_files,
        "do_not_save_grid": True,
        "override_settings": _overrides(request, facts, options, task_id, keep_files),
        "override_settings_restore_afterwards": True,
    }
    if facts.has_tasks:
        payload["force_task_id"] = task_id
    if flux:
        payload |= {"cfg_scale": 1.0, "distilled_cfg_scale": FLUX_GUIDANCE, "negative_prompt": ""}
    if request.mode is not Mode.TXT2IMG:
        payload |= _source(request)
    return payload


def changes(request: GenerationRequest, facts: Facts) -> list[str]:
    """Return what `to_payload` changes beyond names, in words for the reply."""
    notes = []
    checkpoint = facts.checkpoint(request.model)
    if facts.family is Family.FORGE and checkpoint and checkpoint.is_flux:
        if request.cfg_scale > 1:
            notes.append(f"CFG scale {request.cfg_scale:g} → 1: Flux is steered by its own guidance, {FLUX_GUIDANCE:g}")
        if request.negative_prompt:
            notes.append("negative prompt ignored: Flux takes none")
    if facts.loras is not None:
        known = {name.casefold() for name in (*facts.loras, *facts.lora_aliases)}
        for name in re.findall(r"<lora:([^:>]+)", request.prompt):
            if name.casefold() not in known:
                notes.append(f"LoRA {name} was not used: this engine does not have it")
    return notes


def seeding(facts: Facts) -> dict[str, Any]:
    """Return the server's present values of every option we override, to be saved once so that it restores them."""
    settings = facts.settings or {}
    return {key: settings[key] for key in (*HOUSE_KEYS, *FILE_KEYS) if settings.get(key) is not None}


def _prompt(request: GenerationRequest) -> str:
    tags = "".join(f" <lora:{_UNSAFE.sub('', lora.name)}:{lora.weight:g}>" for lora in request.loras)
    return (request.prompt + tags).strip()


def _sampling(request: GenerationRequest, facts: Facts, flux: bool) -> tuple[str, str]:
    names, scheduler = facts.samplers, request.scheduler
    preferred = "Euler" if flux else PREFERRED_SAMPLER
    sampler = wanted = request.sampler or preferred
    if names:
        found = match_sampler(wanted, names.values())
        scheduler = scheduler or (found.scheduler if found else None)
        sampler = names.get(wanted.casefold()) or (found.name if found else next(iter(names.values())))
    if scheduler and facts.schedulers is not None:
        scheduler = match_scheduler(scheduler, facts.schedulers)
    return sampler, scheduler or ("Simple" if flux and "Simple" in (facts.schedulers or ()) else "Automatic")


def _overrides(
    request: GenerationRequest, facts: Facts, options: Mapping[str, str], task_id: str, keep_files: bool
) -> dict[str, Any]:
    checkpoint = facts.checkpoint(request.model)
    wanted: dict[str, Any] = {
        "sd_vae": request.vae or facts.setting("sd_vae", "Automatic"),
        "CLIP_stop_at_last_layers": _clamp(
            request.clip_skip or int(facts.setting("CLIP_stop_at_last_layers", 1)), 1, 12
        ),
        "samples_format": "png",
    }
    if facts.family is Family.FORGE:
        del wanted["sd_vae"]
        wanted["forge_additional_modules"] = _modules(request, facts, checkpoint)
    if options.get("preview_every", "").isdigit():
        wanted["show_progress_every_n_steps"] = max(1, int(options["preview_every"]))
    if keep_files:
        wanted |= dict(zip(FILE_KEYS, (f"{task_id}-[generation_number]", False, False), strict=True))
    if facts.settings:  # an unknown key is a 500
        wanted = {key: value for key, value in wanted.items() if key in facts.settings}
    if checkpoint or request.model:
        wanted["sd_model_checkpoint"] = checkpoint.title if checkpoint else request.model
    return wanted


def _modules(request: GenerationRequest, facts: Facts, checkpoint: Checkpoint | None) -> list[str]:
    """Return Forge's VAE and text encoders: always a list, since those of the last job would stay otherwise."""
    if request.vae:
        return [request.vae]
    chosen = facts.setting("forge_additional_modules", [])
    if checkpoint == facts.current and isinstance(chosen, list) and chosen:
        return [re.split(r"[\\/]", str(path))[-1] for path in chosen]
    if checkpoint is None or not checkpoint.is_flux:
        return []
    found = (next((m for m in facts.vaes or () if re.search(kind, m, re.I)), None) for kind in FLUX_MODULES)
    return [module for module in found if module]


def _source(request: GenerationRequest) -> dict[str, Any]:
    strength = request.denoising_strength if request.denoising_strength is not None else 0.75
    fields: dict[str, Any] = {
        "init_images": [_encode(request.init_image, "picture to start from")],
        "denoising_strength": float(_clamp(strength, 0, 1)),
        "resize_mode": 1,  # crop and resize: 0 would stretch
        "include_init_images": False,
    }
    if request.mode is Mode.INPAINT:
        fields |= {
            "mask": _encode(request.mask_image, "mask"),
            "mask_blur": MASK_BLUR_PX,
            "inpainting_fill": 1,
            "inpaint_full_res": False,
            "inpaint_full_res_padding": MASK_PADDING_PX,
            "inpainting_mask_invert": 0,
        }
    return fields


def _encode(image: SourceImage | None, what: str) -> str:
    if image is None or not image.data:
        raise RequestRejected(f"The {what} is missing.", field="image", hint="Attach it again.")
    return base64.b64encode(image.data).decode()


def _clamp(value: float, low: int, high: int) -> float | int:
    return max(low, min(high, value))
