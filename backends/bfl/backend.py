"""Black Forest Labs: a request is answered with an address that is asked until the picture is there.

Source: docs.bfl.ai. There is no list of jobs and nothing can be taken back.
"""

from typing import Any, Final

from backends.bfl.answers import WAITING, BflResult
from backends.bfl.errors import ended, translate_failure
from backends.bfl.kind import CREDITS_PATH, MODELS, NAME, BflCredits
from backends.bfl.payload import MAX_PICTURES, megapixels, model_of, to_body
from backends.flux_2 import flux_2
from backends.polling import PolledState, ended_with
from backends.prices import lines_of, price_for, prices_of
from backends.queued import AddressedBackend, Say
from generation.capabilities import Capabilities
from generation.prices import PriceLine
from generation.request import GenerationRequest
from texts.text import _

PACKAGE: Final = "backends.bfl"
RESULT_PATH: Final = "/v1/get_result"


class BflBackend(AddressedBackend):
    """One account. Options: `model`, `output_format`."""

    kind = NAME
    domain = ".bfl.ai"  # its regions
    takes_back = False
    refusal = staticmethod(translate_failure)

    async def capabilities(self) -> Capabilities:
        """Ask for our credits, which costs nothing and proves the key.

        Raises:
            BackendAuthError: there is no key, or it is refused.
            BackendUnavailable: no answer.
            UnexpectedAnswer: another product.
        """
        await self._calls.read(BflCredits, CREDITS_PATH, may_have_run=False)
        return flux_2(MODELS, min_side=256, max_images=MAX_PICTURES)

    def prices(self) -> tuple[PriceLine, ...]:
        return tuple(line for price in prices_of(PACKAGE).values() for line in lines_of(price))

    def _path(self, request: GenerationRequest) -> str:
        return f"/v1/{model_of(request, self._options)}"

    def _body(self, request: GenerationRequest, say: Say) -> dict[str, Any]:
        return to_body(request, model_of(request, self._options), self._options, say)

    def _usual(self, path: str, id: str) -> str:
        return f"{self._root}{RESULT_PATH}?id={id}"

    async def _look(self, url: str) -> PolledState:
        result = await self._calls.read(BflResult, url)
        if result.status in WAITING:
            return PolledState(fraction=result.fraction, note=_("being drawn"))
        if result.status == "Ready" and result.result and result.result.sample:
            return PolledState(is_finished=True, files=(result.result.sample,), cost_usd=result.cost_usd)
        return ended_with(ended(self._label, result))

    async def _drawn_by(self, request: GenerationRequest) -> str:
        return model_of(request, self._options)

    def _price(self, request: GenerationRequest) -> float | None:
        price = price_for(prices_of(PACKAGE), model_of(request, self._options))
        if price is None or (first := price.for_picture()) is None:
            return None
        out, into = megapixels(request)
        return first + (out - 1 + into) * price.picture.get("more", 0.0)
