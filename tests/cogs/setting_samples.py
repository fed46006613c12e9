"""Settings as they are kept, and the picture that would be drawn with them, with the same text in every place."""

from backends.registry import Owner
from generation.errors import GenerationError, RequestRejected
from generation.request import GenerationRequest
from services.drawing.choosing import Estimate
from services.people.preferences import Preferred, Scope


def preferred(text: str) -> list[Preferred]:
    return [
        Preferred(name=name, text=f"--{name} {text}", scope=Scope.SERVER, is_used=name == "vae")
        for name in ("vae", "negative")
    ]


def estimates(text: str) -> tuple[Estimate, GenerationError]:
    request = GenerationRequest(
        prompt=text, negative_prompt=text, width=512, height=512, steps=20, cfg_scale=7.0, seed=1, model=text,
        sampler=text,
    )  # fmt: skip
    found = Estimate(
        lane="gpu", label=text, wait_s=0.0, seconds=None, is_paid=False, cost_usd=None,
        owner=Owner(kind="easel", id=""), request=request, notes=(text,),
    )  # fmt: skip
    return found, RequestRejected(text)
