"""Makes the text engine that is set, and looks at it for `doctor`."""

from config import Settings
from console.doctor import Check
from generation.errors import GenerationError
from settings.reading.problems import Problem, SettingsError
from text_engines.base import TextEngine
from text_engines.making import make_text_engine
from texts.text import _, joined
from utils.urls import UrlPolicy, UrlRefused, check_url

MOST_NAMED = 8


def open_text_engine(settings: Settings) -> TextEngine | None:
    """Return the text engine, None where none is set.

    Raises:
        SettingsError: its address may not be used, or no model is named.
    """
    text = settings.text
    name, url = ("TEXT_ENGINE_URL", text.url) if text.url else ("ANTHROPIC_BASE_URL", text.anthropic_base_url)
    if text.is_on:
        policy = UrlPolicy(allow_private=True, allow_insecure_http=settings.safety.allow_insecure_http)
        try:
            check_url(url, policy)
        except UrlRefused as refused:
            allowed = _("an address that may be used. {refused}", refused=refused)
            raise SettingsError(Problem(name=name, value=url, allowed=allowed)) from refused
    if text.url and not text.model:
        allowed = _("the name of a model at TEXT_ENGINE_URL, like gemma4:e4b")
        raise SettingsError(Problem(name="TEXT_ENGINE_MODEL", value="", allowed=allowed))
    return make_text_engine(text)


async def check_text_engine(settings: Settings) -> list[Check]:
    """Ask the text engine for its models, which costs nothing; a server without such a list is taken as it is."""
    name = _("text engine")
    try:
        engine = open_text_engine(settings)
    except SettingsError as error:
        return [
            Check(name=problem.name, is_ok=False, message=_("It must be {allowed}.", allowed=problem.allowed))
            for problem in error.problems
        ]
    if engine is None:
        hint = _("TEXT_ENGINE_URL or ANTHROPIC_API_KEY adds one (docs/text-engines.md).")
        return [Check(name=name, is_ok=True, message=_("not set: prompts are improved by rules"), hint=hint)]
    wanted = dict.fromkeys((engine.model, engine.vision_model))
    try:
        there = await engine.models()
    except GenerationError as error:
        return [Check(name=name, is_ok=False, message=error.user_message, hint=error.hint)]
    finally:
        await engine.aclose()
    missing = [model for model in wanted if there and not _has(there, model)]
    if missing:
        named = joined(", ", there[:MOST_NAMED])
        message = _("It answers, but has no model {missing}.", missing=", ".join(missing))
        return [Check(name=name, is_ok=False, message=message, hint=_("It has: {named}", named=named))]
    return [Check(name=name, is_ok=True, message=_("{models} answers", models=", ".join(wanted)))]


def _has(there: tuple[str, ...], model: str) -> bool:
    """Return whether a model is listed, also under a name with its date or its tag behind it."""
    return any(name == model or name.startswith((f"{model}-", f"{model}:")) for name in there)
