"""The offer of a Horde now: the models with a live worker, our account, and whether it is a Horde at all.

Source: `/v2/status/models`, `/v2/status/modes`, `/v2/find_user` of AI Horde 5.1.5 as recorded. The AI Power Grid, once
a Horde, answers these paths with a fixed 410 since July 2026, its coordinator alone with 404.
"""

import asyncio
import re
from http import HTTPStatus
from typing import Final

from pydantic import BaseModel, TypeAdapter

from backends.ai_horde.answers import JOB_ID
from backends.ai_horde.errors import Call, translate_failure
from generation.capabilities import Capabilities, ModelInfo
from generation.errors import BackendError, BackendUnavailable, UnexpectedAnswer
from generation.request import Mode
from lazy import dataclass
from net.calls import Calls, read_as
from net.rates import RateWindow
from texts.text import _, _n

API: Final = "/api/v2"
USUAL_MODEL: Final = "stable_diffusion"  # what the server takes when no model is named
SAMPLERS: Final = (
    "k_euler_a", "k_euler", "k_dpmpp_2m", "k_dpmpp_sde", "k_dpmpp_2s_a", "k_dpm_2", "k_dpm_2_a", "k_dpm_fast",
    "k_dpm_adaptive", "k_heun", "k_lms", "dpmsolver", "DDIM", "lcm",
)  # fmt: skip
SCHEDULERS: Final = ("karras", "normal")  # the one is `karras: true`, the other `karras: false`
# our name of a kind of control picture -> theirs
CONTROL_KINDS: Final = {
    "canny": "canny", "softedge": "hed", "depth": "depth", "normalmap": "normal", "openpose": "openpose",
    "segmentation": "seg", "scribble": "scribble", "fakescribbles": "fakescribbles", "hough": "hough",
}  # fmt: skip
SIZE_GRID: Final = 64
MAX_SEED: Final = 2**32 - 1  # the Horde shifts larger ones down, and nobody is told
MAX_LIST_BYTES: Final = 4 * 1024 * 1024
GET_TIMEOUT_S: Final = 8.0
MAINTENANCE_PAUSE_S: Final = 60.0  # the server itself looks at its flag every 50 s


class _Model(BaseModel):
    name: str
    count: int = 0
    eta: float = 0
    jobs: float = 0


_MODELS: Final = TypeAdapter(list[_Model])


class _Modes(BaseModel):
    maintenance_mode: bool = False


class _Jobs(BaseModel):
    image: list[str] | None = None


class _User(BaseModel):
    username: str = ""
    kudos: float = 0.0
    active_generations: _Jobs | None = None


class _Health(BaseModel):
    models_available: list[str]


@dataclass(frozen=True, kw_only=True)
class HordeFacts:
    """`models` with a live worker, most workers first. `kudos` is None for an anonymous key."""

    models: tuple[ModelInfo, ...]
    kudos: float | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(model.name for model in self.models)

    def model_for(self, mode: Mode, preferred: str) -> str:
        """Return the model for a request that names none."""
        if mode is Mode.INPAINT:
            return next((name for name in self.names if is_inpainting(name)), preferred or USUAL_MODEL)
        if preferred or USUAL_MODEL in self.names or not self.names:
            return preferred or USUAL_MODEL
        return self.names[0]


def is_inpainting(model: str) -> bool:
    return "inpainting" in model.lower()


def root_of(label: str, url: str) -> str:
    """Return a Horde's address without its `/api/v2`, however much of that was typed.

    Raises:
        BackendError: it is an address of the AI Power Grid's present API.
    """
    root = url.strip().rstrip("/")
    if root.lower().endswith("/v1"):
        raise moved(label)
    for end in ("/v2", "/api"):
        if root.lower().endswith(end):
            root = root[: -len(end)]
    return root


def moved(label: str) -> BackendError:
    return BackendError(
        _("{label} is an AI Power Grid, which has left the Horde's /v2 API for one of its own.", label=label),
        hint=_("Connect it as aipowergrid instead, with a key from its console."),
    )


def to_capabilities(facts: HordeFacts) -> Capabilities:
    modes = {Mode.TXT2IMG, Mode.IMG2IMG}
    if any(map(is_inpainting, facts.names)):  # only a worker with such a model takes these jobs at all
        modes.add(Mode.INPAINT)
    return Capabilities(
        modes=frozenset(modes),
        models=facts.models,
        samplers=SAMPLERS,
        schedulers=SCHEDULERS,
        loras=None,  # any of CivitAI, fetched by the worker
        vaes=(),
        control_kinds=tuple(CONTROL_KINDS),
        size_grid=SIZE_GRID,
        min_side=64,
        max_side=3072,
        max_steps=500,
        max_batch=20,
        max_seed=MAX_SEED,
        supports_clip_skip=True,
        supports_hires=True,
        supports_tiling=True,
        supports_progress=True,
        supports_cancel=True,
        is_deterministic=False,  # workers differ in hardware and software
    )


class HordeProbe:
    """Asks one Horde for lists; `rate` holds for each path by itself."""

    def __init__(self, calls: Calls, rate: RateWindow, *, is_anonymous: bool) -> None:
        self._label = calls.label
        self._calls = calls
        self._rate = rate
        self._is_anonymous = is_anonymous

    async def facts(self) -> HordeFacts:
        """Ask for everything at once.

        Raises:
            BackendAuthError: the key is not known there.
            BackendUnavailable: no answer, or maintenance.
            BackendError: another product, or nobody draws there now.
        """
        models, modes, kudos = await asyncio.gather(self._models(), self._modes(), self.kudos())
        if modes.maintenance_mode:
            raise BackendUnavailable(
                _("{label} is closed for maintenance.", label=self._label),
                retry_after=MAINTENANCE_PAUSE_S,
                hint=_("It comes back by itself."),
            )
        if not models:
            raise BackendUnavailable(
                _("{label} answers, but no worker draws there now.", label=self._label),
                hint=_("Try again in a few minutes."),
            )
        return HordeFacts(models=models, kudos=kudos)

    async def kudos(self) -> float | None:
        """Return what the account holds; None for the anonymous one, which all share, or if asked too often."""
        path = f"{API}/find_user"
        if self._is_anonymous or self._rate.wait_s(path) > 0:
            return None
        body = await self._get(path, Call.ACCOUNT)
        return (await self._calls.as_kind(_User, body)).kudos

    async def own_jobs(self) -> list[str]:
        """Return the ids of the account's image jobs that the server still keeps, ended ones too."""
        user = await self._calls.as_kind(_User, await self._get(f"{API}/find_user", Call.ACCOUNT))
        listed = (user.active_generations and user.active_generations.image) or []
        return [remote_id for remote_id in listed if re.fullmatch(JOB_ID, remote_id)]

    async def _models(self) -> tuple[ModelInfo, ...]:
        body = await self._get(f"{API}/status/models?type=image&min_count=1", Call.LIST)
        models = await self._calls.as_kind(_MODELS, body)
        models.sort(key=lambda model: (-model.count, model.name))
        return tuple(ModelInfo(name=m.name, title=_title(m), is_loaded=True) for m in models if m.count > 0)

    async def _modes(self) -> _Modes:
        return await self._calls.as_kind(_Modes, await self._get(f"{API}/status/modes", Call.LIST))

    async def _get(self, path: str, call: Call) -> bytes:
        await self._rate.take(path)
        reply = await self._calls.call("GET", path, limit=MAX_LIST_BYTES, timeout=GET_TIMEOUT_S)
        if reply.status == HTTPStatus.OK and not reply.is_page:
            return reply.body
        if reply.status == HTTPStatus.NOT_FOUND and call is Call.LIST:
            raise await self._other_product()
        raise translate_failure(self._label, reply, call)

    async def _other_product(self) -> BackendError:
        """Return what answers instead of a Horde."""
        try:
            reply = await self._calls.call("GET", "/health", limit=MAX_LIST_BYTES, timeout=GET_TIMEOUT_S)
            read_as(self._label, _Health, reply.body)
        except (BackendUnavailable, UnexpectedAnswer):
            return UnexpectedAnswer(
                _("{label} answers, but it is not an AI Horde.", label=self._label),
                hint=_("Check the address, or connect it as what it is."),
            )
        return moved(self._label)


def _title(model: _Model) -> str:
    workers = _n("{count} worker", "{count} workers", count=model.count)
    return f"{model.name} ({workers}" + (_(", about {eta:.0f} s to wait)", eta=model.eta) if model.eta >= 1 else ")")
