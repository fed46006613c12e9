"""The dialect of a local model service: POST /v1/generate-image gives the picture in the answer, as base64.

Source: the published API of the Flux service that Easel unites.
"""

from typing import Annotated, Any

from fastapi import Query, Request

from api.caller import Maker, Reader
from api.context import web_of
from api.dialects.failures import REFUSALS, plain_form, route_class
from api.dialects.requests import DialectBody, DrawOrder, Words, submit
from api.dialects.responses import base64_of, wait_for
from api.routing import Router
from api.schemas.requests import Name, Number, Seed, Whole
from generation.prompt_words import words_of
from generation.request import Draft
from services.drawing.drawn import model_of
from services.drawing.local_model import USUAL_MODEL
from texts.text import _

router = Router(prefix="/v1", tags=["local model"], route_class=route_class(plain_form), responses=REFUSALS)


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
    named = body.model if "model" in body.model_fields_set else None
    draft, notes = web.services.local_models.put_in(caller, draft, named)
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
    return web_of(request).services.local_models.info(caller)


@router.post("/load-model")
async def load_model(
    request: Request, caller: Maker, model_name: Annotated[str, Query(min_length=1, max_length=300)]
) -> dict[str, Any]:
    """Draw with this model from now on, where a request of the same caller names none. Forgotten at a restart.

    An engine inside Easel has it in memory then.
    """
    name = web_of(request).services.local_models.load(caller, model_name)
    await web_of(request).services.local_models.bring(caller, name)
    return {"status": "success", "message": _("Model {name} is used from now on.", name=name), "model": name}
