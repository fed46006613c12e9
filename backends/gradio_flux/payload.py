"""Our request as the row of values that an app's function takes, and the app's components as our capabilities.

A batch is sent as single pictures, one after the other, each with its own seed: the apps' own "Number of images" gives
one seed to all, so that no picture but the first could be made again.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

from backends.gradio_flux.facts import App, AppEndpoint, AppField
from backends.kind import number_of
from generation.capabilities import Capabilities, ModelInfo
from generation.request import GenerationRequest, Mode
from texts.text import _

# FLUX.1-schnell in Pinokio's app, for what an app does not say.
DEFAULT_WIDTH_PX: Final = 1024
DEFAULT_HEIGHT_PX: Final = 576
DEFAULT_STEPS: Final = 4
DEFAULT_CFG_SCALE: Final = 0.0
DEFAULT_MAX_SIDE_PX: Final = 2048
MIN_SIDE_PX: Final = 64
MAX_STEPS: Final = 150
MAX_BATCH: Final = 8
MAX_SEED: Final = 2**32 - 1  # where an app names no end: numpy takes no more
MIN_GRID_PX: Final = 8  # no Flux pipeline takes less

_NUMBERS: Final = {"width": "width", "height": "height", "steps": "steps", "cfg_scale": "guidance",
                   "denoising_strength": "strength"}  # fmt: skip


def to_capabilities(app: App, options: Mapping[str, str], warm_model: str | None = None) -> Capabilities:
    """Return what the queue needs to know; `options` are the instance's own (`max_side`, `max_batch`).

    Args:
        app: at least one endpoint.
        options: the instance's own settings.
        warm_model: the model that drew last, which the app still has loaded.
    """
    endpoint = app.endpoints.get(Mode.TXT2IMG) or next(iter(app.endpoints.values()))
    width, height = endpoint.field("width"), endpoint.field("height")
    sides = [field for field in (width, height) if field]
    grid = _grid(sides)
    largest = int(min((field.maximum for field in sides if field.maximum), default=DEFAULT_MAX_SIDE_PX))
    max_side = min(largest, number_of(options, "max_side", largest))
    steps = endpoint.field("steps")
    return Capabilities(
        modes=frozenset(app.endpoints),
        models=_models(endpoint.field("model"), warm_model),
        size_grid=grid,
        min_side=int(max((field.minimum for field in sides if field.minimum), default=MIN_SIDE_PX)),
        max_side=max_side,
        max_steps=int(steps.maximum) if steps and steps.maximum else MAX_STEPS,
        max_batch=number_of(options, "max_batch", MAX_BATCH),
        supports_negative_prompt="negative_prompt" in endpoint.roles,
        supports_cfg_scale="cfg_scale" in endpoint.roles,
        supports_steps="steps" in endpoint.roles,
        supports_progress=True,
        is_deterministic="seed" in endpoint.roles,
        default_width=min(_default(width, DEFAULT_WIDTH_PX), max_side),
        default_height=min(_default(height, DEFAULT_HEIGHT_PX), max_side),
        default_steps=max(1, _default(steps, DEFAULT_STEPS)),
        default_cfg_scale=_value_or(endpoint.field("cfg_scale"), DEFAULT_CFG_SCALE),
    )


def to_data(
    request: GenerationRequest, endpoint: AppEndpoint, seed: int, picture: dict[str, Any] | None = None
) -> list[Any]:
    """Return the values of all inputs in their order; what we do not know keeps the app's own value.

    Args:
        request: its batch size is not looked at.
        endpoint: the function to call.
        seed: within the app's range, as `app_seed` gives it.
        picture: the uploaded picture to start from, as the app names it.
    """
    data = [_own_value(field) for field in endpoint.fields]
    values: dict[str, Any] = {
        "prompt": request.prompt, "negative_prompt": request.negative_prompt, "batch_size": 1, "randomize_seed": False,
        "seed": seed, "init_image": picture,
    }  # fmt: skip
    for role in _NUMBERS:
        wanted = getattr(request, role)
        field = endpoint.field(role)
        if field and wanted is not None:
            values[role] = bounded(field, wanted)
    if request.model:
        values["model"] = _sent_model(endpoint.field("model"), request.model)
    for role, value in values.items():
        if role in endpoint.roles:
            data[endpoint.roles[role]] = value
    return data


def app_seed(endpoint: AppEndpoint, seed: int) -> int:
    """Return the seed folded into the app's own range, past the value that it takes for "any"."""
    field = endpoint.field("seed")
    if field is None:
        return seed
    low = math.ceil(field.minimum) if field.minimum is not None else 0
    if field.random_value is not None and low <= field.random_value:
        low = field.random_value + 1
    high = MAX_SEED if field.maximum is None or math.isinf(field.maximum) else int(field.maximum)
    return seed if low <= seed <= high else low + (seed - low) % max(1, high - low + 1)


def changes(request: GenerationRequest, endpoint: AppEndpoint) -> tuple[str, ...]:
    """Return what this app cannot take as it was asked for, in words."""
    notes = []
    for role, word in _NUMBERS.items():
        wanted = getattr(request, role)
        field = endpoint.field(role)
        if wanted is None:
            continue
        if field is None:
            if role in {"steps", "denoising_strength"}:
                notes.append(_("{word} {wanted:g} ignored: this app has no setting for it", word=word, wanted=wanted))
        elif (given := bounded(field, wanted)) != wanted:
            notes.append(f"{word} {wanted:g} → {given:g}")
    if request.mode is Mode.TXT2IMG and not {"width", "height"} <= endpoint.roles.keys():
        notes.append(_("this app chooses the size itself"))
    if "seed" not in endpoint.roles:
        notes.append(_("this app chooses the seed itself"))
    elif (seed := app_seed(endpoint, request.seed)) != request.seed:
        notes.append(_("seed {seed} → {drawn}, in this app’s range", seed=request.seed, drawn=seed))
    return tuple(notes)


def bounded(field: AppField, value: float) -> float:
    """Return the value within the component's range; a slider also on its own steps, counted from its minimum."""
    low = field.minimum if field.minimum is not None else value
    high = field.maximum if field.maximum is not None else value
    value = max(low, min(high, value))
    if field.kind == "slider" and field.step:
        origin = field.minimum or 0.0
        value = origin + round((value - origin) / field.step) * field.step
        if value > high:
            value -= field.step
    value = round(value, 6)
    return int(value) if float(value).is_integer() and _takes_whole(field) else value


def _takes_whole(field: AppField) -> bool:
    """A pipeline's `range(steps)` breaks on 4.0, while 3.0 as guidance has to stay a float."""
    return not isinstance(field.value, float) and (field.step is None or float(field.step).is_integer())


def _own_value(field: AppField) -> Any:
    if field.value is None and field.choices and not field.is_optional:
        return field.choices[0][1]
    return field.value


def _sent_model(field: AppField | None, name: str) -> Any:
    choices = field.choices if field else None
    return next((sent for __, sent in choices or () if str(sent) == name), name)


def _models(field: AppField | None, warm_model: str | None) -> tuple[ModelInfo, ...] | None:
    if field is None:
        return ()
    if field.choices is None:
        return None
    return tuple(
        ModelInfo(name=str(sent), title=shown, is_loaded=str(sent) == warm_model) for shown, sent in field.choices
    )


def _grid(sides: list[AppField]) -> int:
    """The sliders' step, or the smallest multiple of it that pipelines take."""
    step = max((int(field.step) for field in sides if field.step and field.step >= 1), default=MIN_GRID_PX)
    return step * math.ceil(MIN_GRID_PX / step)


def _default(field: AppField | None, default: int) -> int:
    return int(_value_or(field, default))


def _value_or(field: AppField | None, default: float) -> float:
    value = field.value if field else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else float(default)
