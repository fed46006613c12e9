"""fal.ai: a request waits in a queue and is asked for by its address until the picture is there.

Source: fal.ai/docs. Who asks for prices proves the key, and has them before the click.
"""

from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from backends.fal.answers import COMPLETED, RUNNING, FalResult, FalStatus
from backends.fal.errors import translate_failure
from backends.fal.kind import MODELS, NAME, PRICING_PATH, PUBLIC_URL, QUEUE_URL, FalPrice, FalPrices
from backends.fal.payload import MAX_PICTURES, endpoint_of, model_of, to_body
from backends.flux_2 import flux_2, whole_megapixels
from backends.polling import PolledState, ended_with
from backends.queued import AddressedBackend, Say
from backends.refusals import charged, held_back
from generation.capabilities import Capabilities
from generation.errors import BackendUnavailable, ContentBlocked, RequestRejected, UnexpectedAnswer
from generation.prices import PriceLine
from generation.request import GenerationRequest
from net.calls import JSON
from texts.text import _

PRICES_FROM: Final = "api.fal.ai/v1/models/pricing"
MEGAPIXEL: Final = "megapixel"  # in their names of what is counted
PICTURE: Final = "image"
ENDED: Final = frozenset({HTTPStatus.OK, HTTPStatus.ACCEPTED, HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND})


class FalBackend(AddressedBackend):
    """One account. Options: `model`, `output_format`."""

    kind = NAME
    refusal = staticmethod(translate_failure)
    headers = JSON | {"X-Fal-No-Retry": "1"}  # what fails there is told, and tried again by people alone
    _known: dict[str, FalPrice] = {}  # noqa: RUF012  # replaced by each probe, never changed
    _known_on = ""

    async def capabilities(self) -> Capabilities:
        """Ask for prices, which costs nothing and proves the key.

        Raises:
            BackendAuthError: there is no key, or it is refused.
            BackendUnavailable: no answer.
            UnexpectedAnswer: another product.
        """
        found = await self._calls.read(FalPrices, PRICING_PATH, may_have_run=False)
        self._known = {price.endpoint_id: price for price in found.prices if price.currency == "USD"}
        self._known_on = f"{self._clock.now():%Y-%m-%d}"
        return flux_2(MODELS, min_side=512, max_images=MAX_PICTURES, supports_cancel=True)

    def prices(self) -> tuple[PriceLine, ...]:
        return tuple(
            PriceLine(
                name=price.endpoint_id,
                variant="",
                usd=price.unit_price,
                unit=price.unit,
                as_of=self._known_on,
                source=PRICES_FROM,
            )
            for price in self._known.values()
        )

    @property
    def _asked_at(self) -> str:
        return QUEUE_URL if self._root == PUBLIC_URL else self._root

    def _path(self, request: GenerationRequest) -> str:
        return f"{self._asked_at}/{endpoint_of(request, self._options)}"

    def _body(self, request: GenerationRequest, say: Say) -> dict[str, Any]:
        return to_body(request, self._options, say)

    def _usual(self, path: str, id: str) -> str:
        app = "/".join(urlsplit(path).path.split("/")[1:3])
        return f"{self._asked_at}/{app}/requests/{id}"

    async def _look(self, url: str) -> PolledState:
        status = await self._calls.read(FalStatus, f"{url}/status")
        if status.status != COMPLETED:
            note = _("being drawn") if status.status == RUNNING else _("waiting for a machine")
            return PolledState(fraction=0.5 if status.status == RUNNING else 0.0, note=note)
        try:
            result = await self._calls.read(FalResult, url)
        except (RequestRejected, ContentBlocked) as error:
            return ended_with(error)
        except BackendUnavailable:
            if not status.error:  # it may only be slow
                raise
            return ended_with(charged(self._label, status.error, COMPLETED))
        if result.is_held_back:
            return ended_with(held_back(self._label, "has_nsfw_concepts"))
        if not result.images:
            return ended_with(
                UnexpectedAnswer(_("{label} answered without a picture.", label=self._label), may_have_run=True)
            )
        return PolledState(is_finished=True, files=(result.images[0].url,))

    async def _stop(self, url: str) -> None:
        reply = await self._calls.call("PUT", f"{url}/cancel")
        if reply.status not in ENDED:
            raise translate_failure(self._label, reply)

    async def _drawn_by(self, request: GenerationRequest) -> str:
        return model_of(request, self._options)

    def _price(self, request: GenerationRequest) -> float | None:
        """Return what one picture costs, by what they said at the last probe."""
        known = self._known.get(endpoint_of(request, self._options))
        if known is None:
            return None
        unit = known.unit.casefold()
        if MEGAPIXEL in unit:
            return known.unit_price * whole_megapixels(request.width * request.height)
        return known.unit_price if PICTURE in unit else None
