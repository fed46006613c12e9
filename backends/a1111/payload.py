"""Our request in the server's words: `POST /sdapi/v1/txt2img`, `/img2img`, `/extra-single-image`, `/interrogate`.

Source: the servers' own `/openapi.json`. They enforce no range and ignore unknown fields silently, so everything is
clamped and named exactly here; defaults of the API that differ from the web UI's are always sent.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from backends.a1111.extensions.control import to_unit
from backends.a1111.facts import MAX_SEED, MAX_STEPS, A1111Facts, Checkpoint, Program, choose_upscaler
from backends.a1111.pictures import encode
from backends.kind import is_on
from constants import DEFAULT_DENOISING_STRENGTH, MAX_HIRES_FACTOR, MAX_IMAGE_PIXELS
from generation.errors import RequestRejected
from generation.foreign import digits
from generation.lora_tags import tag_of
from generation.request import GenerationRequest, Lora, MaskFill, Mode, SourceImage
from generation.samplers import match_sampler, match_scheduler
from lazy import pattern
from texts.text import _
from utils.images import BadImage, inspect

MIN_SIDE_PX = 64
PREFERRED_SAMPLER = "DPM++ 2M"  # the web UI's default; the API's own is another
FLUX_GUIDANCE = 3.5
MASK_BLUR_PX = 4
SOFT_MASK_BLUR_PX = 8
MASK_PADDING_PX = 32
DEFAULT_UPSCALE_FACTOR = 2.0
FILLS: Final = {MaskFill.BLUR: 0, MaskFill.ORIGINAL: 1, MaskFill.NOISE: 2, MaskFill.EMPTY: 3}
# Enabled, schedule bias, preservation, transition contrast boost, mask influence, difference threshold and contrast.
SOFT_INPAINTING: Final = (True, 1, 0.5, 4, 0, 0.5, 2)

# Options that jobs of ours rely on. The server restores only those already in its config, so a value sent by one job
# may stay for the next: each job sends all of them.
HOUSE_KEYS: Final = ("sd_vae", "CLIP_stop_at_last_layers", "samples_format", "forge_additional_modules")
FILE_KEYS: Final = ("samples_filename_pattern", "save_to_dirs", "save_images_add_number")
FLUX_MODULES: Final = (r"^ae\.|flux.*(vae|ae)", r"clip_l", r"t5")

_UNSAFE = pattern(r"[<>:\n]")


def to_payload(
    request: GenerationRequest, facts: A1111Facts, options: Mapping[str, str], task_id: str, *, keep_files: bool
) -> dict[str, Any]:
    """Return the JSON body of one job.

    Args:
        request: bent by `fit` already; clamped once more, since the server checks nothing.
        facts: the last probe.
        options: the instance's own (`preview_every`, `upscaler`, `soft_inpainting`).
        task_id: unguessable; it is also the name of the files when `keep_files`.
        keep_files: have the pictures saved on the server, to be fetched when the answer is lost on the way.
    """
    checkpoint = facts.checkpoint(request.model)
    flux = facts.is_flux(checkpoint)
    sampler, scheduler = _sampling(request, facts, flux)
    payload: dict[str, Any] = {
        "prompt": _prompt(request),
        "negative_prompt": request.negative_prompt,
        "styles": list(request.styles),
        "seed": request.seed & MAX_SEED,
        "subseed": (request.subseed or 0) & MAX_SEED if request.subseed_strength else -1,
        "subseed_strength": float(_clamp(request.subseed_strength or 0, 0, 1)),
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
    if request.tiling:  # unsaid, the server's own setting counts
        payload["tiling"] = True
    if facts.has_tasks:
        payload["force_task_id"] = task_id
    if flux:
        guidance = FLUX_GUIDANCE if request.guidance is None else request.guidance
        payload |= {"cfg_scale": 1.0, "distilled_cfg_scale": float(_clamp(guidance, 0, 30)), "negative_prompt": ""}
    if request.hires and request.mode is Mode.TXT2IMG:
        payload |= _hires(request, facts, options, payload)
    is_soft = request.mode is Mode.INPAINT and facts.has_soft_inpainting and not flux
    is_soft = is_soft and is_on(options, "soft_inpainting", default=True)
    if request.mode is not Mode.TXT2IMG:
        payload |= _source(request, SOFT_MASK_BLUR_PX if is_soft else MASK_BLUR_PX)
    scripts: dict[str, Any] = {"soft inpainting": {"args": list(SOFT_INPAINTING)}} if is_soft else {}
    if request.control:
        name = checkpoint.name if checkpoint else request.model or ""
        scripts["ControlNet"] = {"args": [to_unit(unit, facts.control, name) for unit in request.control]}
    return payload | ({"alwayson_scripts": scripts} if scripts else {})  # a script that is not there is a 422


def changes(request: GenerationRequest, facts: A1111Facts) -> list[str]:
    """Return what `to_payload` changes beyond names, in words for the reply."""
    notes = []
    checkpoint = facts.checkpoint(request.model)
    if facts.is_flux(checkpoint):
        if request.cfg_scale > 1 and request.cfg_scale != request.guidance:
            guidance = FLUX_GUIDANCE if request.guidance is None else request.guidance
            notes.append(
                _(
                    "CFG scale {cfg_scale:g} → 1: Flux is steered by its own guidance, {guidance:g}",
                    cfg_scale=request.cfg_scale,
                    guidance=guidance,
                )
            )
        if request.negative_prompt:
            notes.append(_("negative prompt ignored: Flux takes none"))
    if facts.loras is not None:
        known = {name.casefold() for name in (*facts.loras, *facts.lora_aliases)}
        for name in re.findall(r"<lora:([^:>]+)", request.prompt):
            if name.casefold() not in known:
                notes.append(_("LoRA {name} was not used: this engine does not have it", name=name))
    return notes


def seeding(facts: A1111Facts) -> dict[str, Any]:
    """Return the server's present values of every option we override, to be saved once so that it restores them."""
    settings = facts.settings or {}
    return {key: settings[key] for key in (*HOUSE_KEYS, *FILE_KEYS) if settings.get(key) is not None}


def to_upscale(request: GenerationRequest, facts: A1111Facts, options: Mapping[str, str]) -> tuple[dict[str, Any], int]:
    """Return the JSON body and the pixels of the result. Slow with megabytes: call it in a thread.

    The API's own default upscaler is "None", which only stretches: one is always named.

    Raises:
        RequestRejected: no readable picture, or the result would be too large.
    """
    image = encode(request.init_image, _("picture to upscale"))
    try:
        info = inspect(request.init_image.data if request.init_image else b"")
    except BadImage as error:
        raise RequestRejected(str(error), field="init_image") from error
    factor = request.upscale_factor or DEFAULT_UPSCALE_FACTOR
    pixels = round(info.width * factor) * round(info.height * factor)
    if pixels > MAX_IMAGE_PIXELS:
        raise RequestRejected(
            _(
                "Upscaled, this picture would have {pixels:.0f} million pixels; at most {most} million are possible.",
                pixels=pixels / 1e6,
                most=MAX_IMAGE_PIXELS // 10**6,
            ),
            field="upscale_factor",
            hint=_("Use a smaller factor."),
        )
    payload = {
        "image": image,
        "resize_mode": 0,
        "upscaling_resize": factor,
        "upscaler_1": choose_upscaler(request.upscaler, facts, options),
        "upscaler_2": "None",
        "extras_upscaler_2_visibility": 0,
        "gfpgan_visibility": 0,
        "codeformer_visibility": 0,
        "show_extras_results": True,
    }
    return payload, pixels


def to_question(image: SourceImage) -> dict[str, Any]:
    return {"image": encode(image, _("picture to describe")), "model": "clip"}


def _prompt(request: GenerationRequest) -> str:
    tags = "".join(f" {tag_of(_safe(lora))}" for lora in request.loras)
    return (request.prompt + tags).strip()


def _safe(lora: Lora) -> Lora:
    return replace(lora, name=_UNSAFE.sub("", lora.name), details=re.sub(r"[<>\n]", "", lora.details))


def _sampling(request: GenerationRequest, facts: A1111Facts, flux: bool) -> tuple[str, str]:
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
    request: GenerationRequest, facts: A1111Facts, options: Mapping[str, str], task_id: str, keep_files: bool
) -> dict[str, Any]:
    checkpoint = facts.checkpoint(request.model)
    wanted: dict[str, Any] = {
        "sd_vae": request.vae or facts.setting("sd_vae", "Automatic"),
        "CLIP_stop_at_last_layers": _clamp(
            request.clip_skip or digits(str(facts.setting("CLIP_stop_at_last_layers", 1)), 1), 1, 12
        ),
        "samples_format": "png",
    }
    if facts.family is Program.FORGE:
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


def _modules(request: GenerationRequest, facts: A1111Facts, checkpoint: Checkpoint | None) -> list[str]:
    """Return Forge's VAE and text encoders: always a list, since those of the last job would stay otherwise."""
    chosen = facts.setting("forge_additional_modules", [])
    if checkpoint is not None and checkpoint.is_flux:
        if checkpoint == facts.current and isinstance(chosen, list) and chosen and not request.vae:
            return [_file_name(path) for path in chosen]
        found = [next((m for m in facts.vaes or () if re.search(kind, m, re.I)), None) for kind in FLUX_MODULES]
        return [module for module in (request.vae or found[0], *found[1:]) if module]
    if request.vae:
        return [request.vae]
    if checkpoint == facts.current and isinstance(chosen, list):
        return [_file_name(path) for path in chosen]
    return []


def _file_name(path: object) -> str:
    return re.split(r"[\\/]", str(path))[-1]


def _hires(
    request: GenerationRequest, facts: A1111Facts, options: Mapping[str, str], payload: Mapping[str, Any]
) -> dict[str, Any]:
    hires = request.hires
    assert hires is not None, "asked for only where there is one"
    strength = float(_clamp(hires.denoising_strength, 0, 1))
    fields: dict[str, Any] = {
        "enable_hr": True,
        "hr_scale": float(_clamp(hires.factor, 1, MAX_HIRES_FACTOR)),
        "hr_upscaler": choose_upscaler(hires.upscaler, facts, options, hires=True),
        "hr_second_pass_steps": _clamp(hires.steps or 0, 0, MAX_STEPS),
        "hr_prompt": "",
        "hr_negative_prompt": "",
        "denoising_strength": strength,
    }
    if facts.family in {Program.FORGE, Program.REFORGE}:
        fields["hr_cfg"] = payload["cfg_scale"]  # theirs would be 1
    if facts.family is Program.FORGE:
        fields["hr_additional_modules"] = ["Use same choices"]  # no text: the server’s own; without it: a 500
        fields["hr_distilled_cfg"] = payload.get("distilled_cfg_scale", FLUX_GUIDANCE)
    if facts.family is Program.SDNEXT:
        fields |= {"hr_force": True, "hr_denoising_strength": strength}
    return fields


def _source(request: GenerationRequest, mask_blur: int) -> dict[str, Any]:
    strength = request.denoising_strength if request.denoising_strength is not None else DEFAULT_DENOISING_STRENGTH
    fields: dict[str, Any] = {
        "init_images": [encode(request.init_image, _("picture to start from"))],
        "denoising_strength": float(_clamp(strength, 0, 1)),
        "resize_mode": 1,  # crop and resize: 0 would stretch
        "include_init_images": False,
    }
    if request.mode is Mode.INPAINT:
        fields |= {
            "mask": encode(request.mask_image, "mask"),
            "mask_blur": mask_blur if request.mask_blur is None else request.mask_blur,
            "inpainting_fill": FILLS[request.mask_fill or MaskFill.ORIGINAL],
            "inpaint_full_res": bool(request.only_masked),
            "inpaint_full_res_padding": MASK_PADDING_PX,
            "inpainting_mask_invert": 0,
        }
    return fields


def _clamp(value: float, low: float, high: float) -> float | int:
    return max(low, min(high, value))
