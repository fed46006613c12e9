"""The dialect of a local model service: POST /v1/generate-image gives the picture in the answer, as base64.

Source: the published API of the Flux service that Easel unites.
"""

from collections import OrderedDict
from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import Query, Request

from api.caller import Maker, Reader
from api.context import Web, web_of
from api.dialects.failures import REFUSALS, ModelMissing, plain_form, route_class
from api.dialects.requests import DialectBody, DrawOrder, Words, engines_of, submit, with_model, words_of
from api.dialects.responses import base64_of, model_of, wait_for
from api.routing import Router
from api.schemas.requests import Name, Number, Seed, Whole
from generation.person import Person
from generation.request import Draft
from services.engines.catalog import Engine
from texts.text import _

router = Router(prefix="/v1", tags=["local model"], route_class=route_class(plain_form), responses=REFUSALS)

USUAL_MODEL: Final = "flux-schnell"
MOST_REMEMBERED: Final = 1000


class ImageGenRequest(DialectBody):
    """A picture from words."""

    prompt: Words | None = None
    width: Whole = 1024
    height: Whole = 1024
    num_inference_steps: Whole = 4
    model: Name = USUAL_MODEL
    negative_prompt: Words | None = None
    guidance_scale: Number | None = None
    seed: Seed | None = None


@router.post("/generate-image")
async def generate_image(request: Request, body: ImageGenRequest, caller: Maker) -> dict[str, Any]:
    """Draw one picture and give it back as PNG in base64."""
    web = web_of(request)
    prompt, loras = words_of(body.prompt)
    draft = Draft(
        prompt=prompt,
        loras=loras,
        negative_prompt=body.negative_prompt,
        width=body.width,
        height=body.height,
        steps=body.num_inference_steps,
        cfg_scale=body.guidance_scale,
        seed=body.seed,
    )
    draft, notes = _with_its_model(request, web, caller, draft, body)
    drawn = await wait_for(request, await submit(request, caller, DrawOrder(draft=draft, body=body, notes=notes)))
    job, image = drawn.pictures[0]
    text, __ = await base64_of(web, image, "PNG")
    return {
        "image_bytes_b64": text,
        "seed": image.seed,
        "model": model_of(job),
        "width": image.width,
        "height": image.height,
        "num_inference_steps": job.drawn.steps,
        "prompt": prompt,
        "generation_time": round(job.result.seconds, 3) if job.result else 0.0,
        "job_id": job.id,
        "notes": list(drawn.notes),
    }


@router.get("/model-info")
async def model_info(request: Request, caller: Reader) -> dict[str, Any]:
    """Return which model draws for this caller, on what, and which others there are."""
    web = web_of(request)
    engines = engines_of(web, caller)
    chosen = _chosen_models(request).get(caller.user_key)
    best = next((engine for engine in engines if engine.error is None and engine.capabilities), None)
    if chosen:
        best = next((engine for engine in engines if chosen in _names(engine)), best)
    offered = best.capabilities if best else None
    loaded = next((model.name for model in (offered.models or () if offered else ()) if model.is_loaded), None)
    return {
        "model": chosen or loaded or (best.name if best else None),
        "current_model": chosen or loaded or (best.name if best else None),
        "device": offered.remark or best.kind if offered and best else None,
        "engine": best.label if best else None,
        "loaded": best is not None,
        "available_models": [name for engine in engines for name in _names(engine)],
        "max_width": offered.max_side if offered else None,
        "max_height": offered.max_side if offered else None,
    }


@router.post("/load-model")
async def load_model(
    request: Request, caller: Maker, model_name: Annotated[str, Query(min_length=1, max_length=300)]
) -> dict[str, Any]:
    """Draw with this model from now on, where a request of the same caller names none. Forgotten at a restart."""
    draft = with_model(web_of(request), caller, Draft(), model_name)
    name = draft.model or draft.backend or model_name
    chosen = _chosen_models(request)
    chosen[caller.user_key] = name
    chosen.move_to_end(caller.user_key)
    while len(chosen) > MOST_REMEMBERED:
        chosen.popitem(last=False)
    return {"status": "success", "message": _("Model {name} is used from now on.", name=name), "model": name}


def _with_its_model(
    request: Request, web: Web, caller: Person, draft: Draft, body: ImageGenRequest
) -> tuple[Draft, tuple[str, ...]]:
    """Put the model in: the one named, else the one loaded before; where nobody has the usual one, the engine's own."""
    is_usual = "model" not in body.model_fields_set or body.model == USUAL_MODEL
    wanted = body.model
    if "model" not in body.model_fields_set:
        wanted = _chosen_models(request).get(caller.user_key, body.model)
    try:
        return with_model(web, caller, draft, wanted), ()
    except ModelMissing:
        if not is_usual:
            raise
        return replace(draft, model=None), (_("model {wanted} is not here: the engine's own was used", wanted=wanted),)


def _chosen_models(request: Request) -> OrderedDict[str, str]:
    """Return which model each caller loaded; it lives as long as the application."""
    state = request.app.state
    if not hasattr(state, "loaded_models"):
        state.loaded_models = OrderedDict()
    found: OrderedDict[str, str] = state.loaded_models
    return found


def _names(engine: Engine) -> list[str]:
    models = engine.capabilities.models if engine.capabilities else None
    return [model.name for model in models or ()] or [engine.name]
