"""The models of this machine for the command line, kept by the kind of engine that draws with them."""

import sys
from typing import Any

from backends.kinds import known_kinds
from config import Settings
from console.models import ModelCommand, keep_models


def make_keeper(settings: Settings) -> Any:
    kind = next(kind for kind in known_kinds() if kind.keep_models)
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
