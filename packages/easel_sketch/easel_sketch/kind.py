"""Facts about the built-in engine, which draws by rules when there is no other."""

from backends.base import Backend, BackendConfig
from backends.kind import EngineKind, Option
from easel_sketch.backend import SketchBackend
from texts.text import _
from utils.provenance import ALGORITHMIC


def make(config: BackendConfig) -> Backend:
    """Make an instance; its one option is `delay_s`."""
    return SketchBackend(config.name, delay_s=float(config.options.get("delay_s", "0")))


KIND = EngineKind(
    name=SketchBackend.kind,
    title=_("built in, draws by rules"),
    noun=_("the built-in engine"),
    make=make,
    options=(
        Option(
            name="delay_s",
            type="seconds",
            low=0,
            high=60,
            default="0",
            help=_("rest at each step, so that progress can be watched"),
        ),
    ),
    is_inside=True,
    is_fallback=True,
    source_type=ALGORITHMIC,
)
