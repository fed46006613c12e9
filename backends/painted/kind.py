"""The built-in painter, which is there where the built-in networks are."""

from typing import Final

from backends.base import Backend, BackendConfig
from backends.kind import EngineKind, Option
from generation.request import Mode
from texts.text import _

NAME: Final = "painted"
DEFAULT_STRENGTH: Final = "75"  # more paints over what was composed


def make(config: BackendConfig) -> Backend:
    """Make an instance; its one option is `strength`."""
    from backends.painted.backend import PaintedBackend  # loaded only where the networks are installed

    return PaintedBackend(config.name, strength=int(config.options.get("strength", DEFAULT_STRENGTH)) / 100)


KIND = EngineKind(
    name=NAME,
    title=_("built in, composes by rules, paints by a neural network"),
    noun=_("the built-in painter"),
    make=make,
    options=(
        Option(
            name="strength",
            type="number",
            low=10,
            high=100,
            default=DEFAULT_STRENGTH,
            help=_("percent of the picture that is painting; the rest is what was composed"),
        ),
    ),
    is_inside=True,
    finishes_with=frozenset({Mode.RESTYLE, Mode.UPSCALE}),
)
