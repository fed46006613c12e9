"""The offer of the Grid now: its image models, what each of them takes, and our credit.

Source: `/v1/status/models`, `/v1/models/{model}/params` (the machine-readable contract of a model made from a recipe;
404 for a model without one, which takes anything) and `/v1/account/credits`, recorded from grid-core 4ee16f7.
"""

import asyncio
from http import HTTPStatus
from typing import Final, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, TypeAdapter

from generation.capabilities import Capabilities, ModelInfo
from generation.errors import BackendAuthError, BackendError, BackendUnavailable, UnexpectedAnswer
from generation.request import Mode
from lazy import dataclass
from net.calls import Calls, read_as
from net.reply import Reply
from texts.text import _, _n

MAX_LIST_BYTES: Final = 4 * 1024 * 1024
GET_TIMEOUT_S: Final = 8.0
SIZE_GRID: Final = 64
MIN_SIDE: Final = 256
MAX_SIDE: Final = 1536
MAX_STEPS: Final = 80
MAX_BATCH: Final = 4
MAX_SEED: Final = 2**53 - 1  # the API's
USUAL_SIDE: Final = 1024
USUAL_STEPS: Final = 20
USUAL_FEW_STEPS: Final = 8  # recipes are made for models that need few
USUAL_CFG: Final = 4.5
FREE_SAMPLERS: Final = (
    "euler", "euler_ancestral", "dpmpp_2m", "dpmpp_2m_sde", "dpmpp_3m_sde", "dpmpp_sde", "heun", "ddim", "uni_pc",
    "lcm", "res_multistep",
)  # fmt: skip
FREE_SCHEDULERS: Final = ("normal", "karras", "simple", "beta", "sgm_uniform", "exponential")

_Answer = TypeVar("_Answer", bound=BaseModel)


class Bound(BaseModel):
    """The values that one parameter of a recipe takes."""

    minimum: float | None = None
    maximum: float | None = None
    options: list[str] = []

    def clamp(self, value: float) -> float:
        low = value if self.minimum is None else max(self.minimum, value)
        return low if self.maximum is None else min(self.maximum, low)


class _Abilities(BaseModel):
    img2img: bool = False
    loras: bool = False
    strength: bool = False


class Recipe(BaseModel):
    """The contract of one model."""

    capabilities: _Abilities = _Abilities()
    params: dict[str, Bound] = {}


class _Listed(BaseModel):
    name: str
    count: int = 0
    type: str = "image"
    avg_latency_s: float | None = None
    capabilities: list[str] | None = None  # only models made from a recipe have them


_LISTED: Final = TypeAdapter(list[_Listed])


class Credit(BaseModel):
    """The credit of the account. With `charging_enabled` off everything is free."""

    total_spendable_usd: float = 0.0
    charging_enabled: bool = True


class _Heartbeat(BaseModel):
    version: str


@dataclass(frozen=True, kw_only=True)
class GridModel:
    """One model with a live worker. `recipe` is None where it takes free parameters."""

    name: str
    workers: int
    latency_s: float | None = None
    recipe: Recipe | None = None

    @property
    def takes_pictures(self) -> bool:
        return self.recipe is not None and self.recipe.capabilities.img2img

    @property
    def title(self) -> str:
        workers = _n("{count} worker", "{count} workers", count=self.workers)
        return f"{self.name} ({workers}" + (
            _(", about {latency_s:.0f} s)", latency_s=self.latency_s) if self.latency_s else ")"
        )

    def bound(self, parameter: str) -> Bound | None:
        return self.recipe.params.get(parameter) if self.recipe else None


@dataclass(frozen=True, kw_only=True)
class GridFacts:
    """`models`: those made from a recipe first, most workers first."""

    models: tuple[GridModel, ...]
    credit: Credit

    def model(self, name: str | None, mode: Mode = Mode.TXT2IMG, preferred: str = "") -> GridModel | None:
        """Return the model meant; without a name the preferred one, else the first that can do `mode`."""
        by_name = {model.name: model for model in self.models}
        if name:
            return by_name.get(name)
        fitting = [model for model in self.models if mode is Mode.TXT2IMG or model.takes_pictures]
        chosen = by_name.get(preferred)
        return chosen if chosen in fitting else next(iter(fitting), None)


def root_of(url: str) -> str:
    """Return the Grid's address without the path of an API, however much of that was typed."""
    root = url.strip().rstrip("/")
    for end in ("/v1", "/v2", "/api"):
        if root.lower().endswith(end):
            root = root[: -len(end)]
    return root


def to_capabilities(facts: GridFacts, preferred: str) -> Capabilities:
    """Return what the models can do together; what one of them cannot is bent and told when it is drawn."""
    recipes = [model.recipe for model in facts.models if model.recipe]
    is_free = len(recipes) < len(facts.models)
    usual = facts.model(None, preferred=preferred)
    sides = [bound for recipe in recipes for name in ("width", "height") if (bound := recipe.params.get(name))]
    low = MIN_SIDE if is_free or not sides else int(min(side.minimum or MIN_SIDE for side in sides))
    modes = {Mode.TXT2IMG}
    if any(model.takes_pictures for model in facts.models):
        modes.add(Mode.IMG2IMG)
    return Capabilities(
        modes=frozenset(modes),
        models=tuple(ModelInfo(name=m.name, title=m.title, is_loaded=True) for m in facts.models),
        samplers=_options(recipes, "sampler", FREE_SAMPLERS if is_free else ()),
        schedulers=_options(recipes, "scheduler", FREE_SCHEDULERS if is_free else ()),
        loras=None if is_free or any(recipe.capabilities.loras for recipe in recipes) else (),
        vaes=(),
        size_grid=SIZE_GRID,
        min_side=low,
        max_side=MAX_SIDE,
        max_steps=MAX_STEPS if is_free else int(max(_top(recipe, "steps", MAX_STEPS) for recipe in recipes)),
        max_batch=MAX_BATCH,
        max_seed=MAX_SEED,
        supports_negative_prompt=is_free or any("negative_prompt" in recipe.params for recipe in recipes),
        supports_cfg_scale=is_free or any("cfg_scale" in recipe.params for recipe in recipes),
        supports_progress=True,
        is_deterministic=False,  # workers differ in hardware and software
        default_width=USUAL_SIDE,
        default_height=USUAL_SIDE,
        default_steps=usual_steps(usual),
        default_cfg_scale=usual_cfg(usual),
    )


def usual_steps(model: GridModel | None) -> int:
    bound = model.bound("steps") if model else None
    return int(bound.clamp(USUAL_FEW_STEPS)) if bound else USUAL_STEPS


def usual_cfg(model: GridModel | None) -> float:
    if model is None or model.recipe is None:
        return USUAL_CFG
    bound = model.bound("cfg_scale")
    return bound.clamp(1.0) if bound else 1.0


def _options(recipes: list[Recipe], parameter: str, more: tuple[str, ...]) -> tuple[str, ...]:
    listed = [name for recipe in recipes if parameter in recipe.params for name in recipe.params[parameter].options]
    return tuple(dict.fromkeys([*listed, *more]))


def _top(recipe: Recipe, parameter: str, otherwise: float) -> float:
    bound = recipe.params.get(parameter)
    return otherwise if bound is None or bound.maximum is None else bound.maximum


class GridProbe:
    """Asks one Grid."""

    def __init__(self, calls: Calls, *, has_key: bool) -> None:
        self._label = calls.label
        self._calls = calls
        self._has_key = has_key

    async def facts(self) -> GridFacts:
        """Ask for the models, their contracts and our credit.

        Raises:
            BackendAuthError: there is no key, or it is not known there.
            BackendUnavailable: no answer, or no worker.
            BackendError: another product, such as an AI Horde.
        """
        listed = await self._listed()
        if not self._has_key:
            raise BackendAuthError(
                _("{label} wants a key, and none is set.", label=self._label),
                hint=_("Make one in its console; it begins with grid_."),
            )
        if not listed:
            raise BackendUnavailable(
                _("{label} answers, but no worker draws there now.", label=self._label),
                hint=_("Try again in a few minutes."),
            )
        recipes, credit = await asyncio.gather(
            asyncio.gather(*(self._recipe(item) for item in listed)), self._read(Credit, "/v1/account/credits")
        )
        models = [
            GridModel(name=item.name, workers=item.count, latency_s=item.avg_latency_s, recipe=recipe)
            for item, recipe in zip(listed, recipes, strict=True)
        ]
        models.sort(key=lambda model: (model.recipe is None, -model.workers, model.latency_s or 0.0, model.name))
        return GridFacts(models=tuple(models), credit=credit)

    async def _listed(self) -> list[_Listed]:
        reply = await self._get("/v1/status/models")
        if reply.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE, HTTPStatus.METHOD_NOT_ALLOWED}:
            raise await self._other_product()
        if reply.status != HTTPStatus.OK or reply.is_page:
            raise self._calls.refused(reply)
        listed = read_as(self._label, _LISTED, reply.body)
        return [item for item in listed if item.type == "image" and item.count > 0]

    async def _recipe(self, model: _Listed) -> Recipe | None:
        if model.capabilities is None:
            return None
        reply = await self._get(f"/v1/models/{quote(model.name, safe='')}/params")
        if reply.status == HTTPStatus.NOT_FOUND:
            return None
        if reply.status != HTTPStatus.OK:
            raise self._calls.refused(reply)
        return read_as(self._label, Recipe, reply.body)

    async def _read(self, kind: type[_Answer], path: str) -> _Answer:
        reply = await self._get(path)
        if reply.status != HTTPStatus.OK:
            raise self._calls.refused(reply)
        return read_as(self._label, kind, reply.body)

    async def _get(self, path: str) -> Reply:
        return await self._calls.call("GET", path, limit=MAX_LIST_BYTES, timeout=GET_TIMEOUT_S)

    async def _other_product(self) -> BackendError:
        """Return what answers instead of the Grid."""
        try:
            reply = await self._get("/api/v2/status/heartbeat")
            read_as(self._label, _Heartbeat, reply.body)
        except BackendError:
            return UnexpectedAnswer(
                _("{label} answers, but it is not an AI Power Grid.", label=self._label),
                hint=_("Check the address, or connect it as what it is."),
            )
        return BackendError(
            _("{label} is an AI Horde, or a Grid from before its /v1 API.", label=self._label),
            hint=_("Connect it as ai_horde instead."),
        )
