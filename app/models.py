"""The models of this machine, kept by the kind of engine that draws with them."""

import sys
from functools import partial
from typing import Any

from app.base import Base
from app.engines import take_up
from backends.kind import EngineKind
from backends.kinds import known_kinds
from config import Settings
from console.models import ModelCommand, keep_models
from services.engines.own_models import OwnModels
from services.moderation.bundle import Moderation


def model_kind() -> EngineKind:
    """Return the kind of engine whose models Easel fetches."""
    return next(kind for kind in known_kinds() if kind.keep_models)


def make_own_models(base: Base, moderation: Moderation) -> OwnModels:
    """Wire what fetches models for every door; nothing is looked at yet."""
    kind = model_kind()
    made = OwnModels(
        partial(make_keeper, base.settings),
        is_there=kind.is_there,
        absent_hint=kind.absent_hint,
        rights=moderation.rights,
        audit=moderation.audit,
        clock=base.clock,
    )
    made.on_change = partial(take_up, base.registry, base.settings)
    return made


def make_keeper(settings: Settings) -> Any:
    kind = model_kind()
    assert kind.keep_models is not None, "asked for above"
    options = settings.engines.fallback_options.get(kind.name, {})
    return kind.keep_models(options, settings.models.hub, settings.models.token.get_secret_value())


async def manage_models(settings: Settings, command: ModelCommand) -> int:
    """Do it and tell; return the exit code."""
    keeper = make_keeper(settings)
    try:
        return await keep_models(keeper, command, input if sys.stdin.isatty() else None)
    finally:
        await keeper.aclose()
