"""Saved prompts, and style presets with a small picture each."""

from typing import Annotated, Final

from fastapi import Path, Request, Response

from api.caller import Admin, Maker, Reader
from api.context import web_of
from api.errors import errors, missing
from api.routing import Router
from api.schemas.templates import StyleIn, StyleOut, StylesOut, TemplateIn, TemplateOut, TemplatesOut, UsedOut
from generation.person import Person
from generation.prompt_syntax import format_prompt
from generation.request import Draft
from services.drawing.styles import Style
from services.library.templates import PromptTemplate, TemplateText

router = Router(prefix="/api", tags=["templates and styles"], responses=errors(401, 403, 422))

THUMBNAILS: Final = "/static/styles"  # drawn by scripts/draw_styles.py, one for each built-in style
TemplateId = Annotated[str, Path(pattern=r"^[0-9a-f]{1,32}$")]
StyleId = Annotated[str, Path(pattern=r"^[a-z0-9_-]{1,40}$")]


@router.get("/templates")
async def templates(request: Request, caller: Reader) -> TemplatesOut:
    """List your own saved prompts, then those that others share."""
    found = await web_of(request).services.records.templates.templates(caller)
    return TemplatesOut(templates=[_template(caller, item) for item in found])


@router.post("/templates", status_code=201, responses=errors(400))
async def create_template(request: Request, body: TemplateIn, caller: Maker) -> TemplateOut:
    """Save a prompt."""
    text = TemplateText(name=body.name, prompt=body.text, description=body.description, is_shared=body.is_shared)
    return _template(caller, await web_of(request).services.records.templates.create(caller, text))


@router.delete("/templates/{template_id}", status_code=204, responses=errors(404))
async def delete_template(request: Request, template_id: TemplateId, caller: Maker) -> Response:
    """Delete your own saved prompt."""
    with missing("template"):
        await web_of(request).services.records.templates.delete(caller, template_id)
    return Response(status_code=204)


@router.post("/templates/{template_id}/use", responses=errors(404))
async def use_template(request: Request, template_id: TemplateId, caller: Reader) -> UsedOut:
    """Take a saved prompt; that is counted."""
    with missing("template"):
        used = await web_of(request).services.records.templates.use(caller, template_id)
    return UsedOut(text=_text(used))


@router.get("/styles")
async def styles(request: Request, caller: Reader) -> StylesOut:
    """List the style presets by name."""
    found = await web_of(request).services.records.styles.styles()
    return StylesOut(styles=[_style(item) for item in found])


@router.post("/styles", status_code=201, responses=errors(400))
async def save_style(request: Request, body: StyleIn, caller: Admin) -> StyleOut:
    """Save a style preset; everybody sees it."""
    style = Style(id=body.id, name=body.name, description=body.description, value=body.value)
    return _style(await web_of(request).services.records.styles.save(caller, style))


@router.delete("/styles/{style_id}", status_code=204, responses=errors(404))
async def delete_style(request: Request, style_id: StyleId, caller: Admin) -> Response:
    """Delete your own style preset; a built-in one of the same id comes back."""
    with missing("style"):
        await web_of(request).services.records.styles.delete(caller, style_id)
    return Response(status_code=204)


def _template(caller: Person, template: PromptTemplate) -> TemplateOut:
    return TemplateOut(
        id=template.id,
        name=template.name,
        text=_text(template),
        description=template.description,
        uses=template.usage_count,
        is_mine=template.user_key == caller.user_key,
        is_shared=template.is_shared,
    )


def _text(template: PromptTemplate) -> str:
    """Return it as one line; what was saved with a negative prompt apart is written together."""
    if not template.negative_prompt:
        return template.prompt
    return format_prompt(Draft(prompt=template.prompt, negative_prompt=template.negative_prompt))


def _style(style: Style) -> StyleOut:
    return StyleOut(
        id=style.id,
        name=style.name,
        description=style.description,
        value=style.value,
        thumbnail_url=f"{THUMBNAILS}/{style.id}.webp" if style.is_built_in else None,
        is_custom=not style.is_built_in,
    )
