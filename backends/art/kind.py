"""Facts about the built-in neural networks, which do what the engines here cannot."""

from typing import Final

from backends.art.work.networks import can_check, is_installed
from backends.base import Backend, BackendConfig, ClosablePictureCheck
from backends.kind import CheckKind, EngineKind, Option
from generation.request import Mode
from texts.text import _

NAME: Final = "art"
IDLE_S: Final = 300.0


def make(config: BackendConfig) -> Backend:
    """Make an instance; its options are `threads` and `idle_s`."""
    from backends.art.backend import ArtBackend  # loaded only where the networks are used

    return ArtBackend(
        config.name,
        threads=int(config.options.get("threads", "0")),
        idle_s=float(config.options.get("idle_s", f"{IDLE_S:g}")),
    )


def make_check() -> ClosablePictureCheck:
    """Make the check of finished pictures."""
    from backends.art.check import NetworkCheck  # loaded only where pictures are checked

    return NetworkCheck()


KIND = EngineKind(
    name=NAME,
    title=_("built in, neural networks"),
    noun=_("the built-in networks"),
    make=make,
    options=(
        Option(
            name="threads",
            type="number",
            low=0,
            high=256,
            default="0",
            help=_("processors that it may use; 0: all"),
        ),
        Option(
            name="idle_s",
            type="seconds",
            low=1,
            high=86_400,
            default=f"{IDLE_S:g}",
            help=_("Idle time after which its memory is freed"),
        ),
    ),
    is_inside=True,
    is_fallback=True,
    fills=frozenset({Mode.UPSCALE, Mode.RESTYLE}),
    is_there=is_installed,
    absent_hint=_("Whoever runs Easel can add networks that need no server for it: `make run ART=1`."),
    check=CheckKind(make=make_check, is_there=can_check, absent_hint=_("`make run ART=1` installs it.")),
)
