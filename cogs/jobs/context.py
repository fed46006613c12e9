"""Facts that the card of a job needs beside the job."""

from collections.abc import Mapping
from dataclasses import field

from generation.money import dollars
from lazy import dataclass
from services.drawing.finishing import FinishPrice
from texts.text import _


@dataclass(frozen=True, kw_only=True)
class OtherEngine:
    """An engine that a picture can be drawn on instead; only those that are up are offered."""

    name: str
    label: str
    is_flux: bool = False
    is_idle: bool = False  # nothing waits or is drawn there
    usd: float = 0.0  # what the same costs there; 0: nothing, or nothing is known

    def named(self, words: str) -> str:
        """Return the words of a button that draws there, with the price."""
        return _("{words} · {usd}", words=words, usd=dollars(self.usd)) if self.usd else words


@dataclass(frozen=True, kw_only=True)
class CardContext:
    """Names of engines, and what those that this person may use can do."""

    engine: str  # the lane's label
    remark: str = ""  # an engine's honest line
    tried: tuple[str, ...] = ()  # labels of the engines a failed job was tried on
    others: tuple[OtherEngine, ...] = ()  # the best first
    has_models: bool = True  # the engine has models to choose from
    has_samplers: bool = True
    can_upscale: bool = False  # some engine here can
    can_zoom: bool = False
    can_vary: bool = False
    start_command: str = ""  # the engine is a rented machine that is stopped: this starts it
    has_studio: bool = False  # it can be reached from outside
    smaller_copy: bool = False  # the file attached is smaller than the original, to fit Discord's limit
    number: int = 0  # of the picture shown, from 1 on, where it is one of several and not a job of its own
    finish_price: FinishPrice | None = None  # of one picture of a draft; None where the engine is free
    prices: Mapping[str, float] = field(default_factory=dict)  # of what its buttons do, where the engine charges
    left_out: str = ""  # what of the result is not attached, and where it is
