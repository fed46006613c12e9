"""The calls of Replicate's API.

Source: its openapi 1.0.0-a1, its changelog for `Cancel-After`. It promises 600 new predictions and 3,000 other calls a
minute, and far fewer new ones to an account with little credit, which its answers tell.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import httpx

from backends.replicate.answers import ListedPredictions, ModelCard, ModelVersion, Prediction, SentFile
from backends.replicate.errors import forgotten, translate_failure
from backends.replicate.facts import SLUG, ReplicateModel, model_of
from backends.replicate.kind import ACCOUNT_PATH, ReplicateAccount
from backends.replicate.payload import ReplicateOrder
from generation.errors import CapabilityError, RateLimited
from lazy import pattern
from net.answers import write_json
from net.calls import JSON, Calls
from net.client import CONNECT_TIMEOUT_S
from net.rates import Rate, RateWindow
from utils.clock import Clock
from utils.threads import run_in_thread

API: Final = "/v1"
CALL_RATES: Final = (Rate(2_900, 60.0),)
CREATION_RATES: Final = (Rate(580, 60.0),)
_LIMIT: Final = pattern(r"([\w./-]+)=(\d{1,5})/(\d{1,5})")
ASK_TIMEOUT: Final = httpx.Timeout(15.0, connect=CONNECT_TIMEOUT_S)
READ_TIMEOUT: Final = ASK_TIMEOUT  # of what a model takes, which can be long
SEND_TIMEOUT: Final = httpx.Timeout(60.0, connect=CONNECT_TIMEOUT_S)
MAX_SCHEMA_BYTES: Final = 2 * 1024 * 1024
MAX_PREDICTION_BYTES: Final = 32 * 1024 * 1024  # its input comes back, and output may lie inside
MIN_DEADLINE_S: Final = 5.0


class ReplicateClient:
    """One account. `deadline_s`: after which a prediction is ended there; `webhook`: where they tell of its end."""

    def __init__(
        self, label: str, client: httpx.AsyncClient, clock: Clock, *, deadline_s: float, webhook: str = ""
    ) -> None:
        self.calls = Calls(label, client, refusal=translate_failure, timeout=ASK_TIMEOUT)
        self._label = label
        self._deadline_s = deadline_s
        self._webhook = webhook
        self._window = RateWindow(clock, *CALL_RATES)

    async def account(self) -> ReplicateAccount:
        return await self.calls.read(ReplicateAccount, ACCOUNT_PATH, timeout=READ_TIMEOUT, may_have_run=False)

    async def model(self, slug: str) -> ReplicateModel:
        """Read what a model takes: of the version that is named, or of the newest.

        Raises:
            CapabilityError: there is none.
        """
        found = SLUG.fullmatch(slug)
        assert found
        path = f"{API}/models/{found[1]}/{found[2]}"
        if found[3]:
            return await self._version(slug, path, found[3])
        card = await self.calls.read(ModelCard, path, limit=MAX_SCHEMA_BYTES, timeout=READ_TIMEOUT, may_have_run=False)
        version = card.latest_version or ModelVersion()
        by_name = card.is_official or not version.id
        if version.openapi_schema or not version.id:
            return model_of(slug, "" if by_name else version.id, version.openapi_schema)
        model = await self._version(slug, path, version.id)
        return _by_name(model) if by_name else model

    async def send(self, pictures: Iterable[bytes]) -> dict[bytes, str]:
        """Send pictures that are too large to go inside, and return their links; nothing is charged for that."""
        return {data: await self._sent(data) for data in dict.fromkeys(pictures)}

    async def begin(self, order: ReplicateOrder) -> Prediction:
        """Send one prediction; the answer comes at once, before it is drawn.

        Raises:
            GenerationError: it is refused, or the answer is lost.
        """
        given: dict[str, Any] = {"input": await run_in_thread(order.whole)}
        if self._webhook:
            given |= {"webhook": self._webhook, "webhook_events_filter": ["completed"]}
        slug, __, _version = order.model.slug.partition(":")
        path = f"{API}/models/{slug}/predictions"
        if order.model.version:
            path, given = f"{API}/predictions", {"version": order.model.version} | given
        deadline_s = max(MIN_DEADLINE_S, self._deadline_s)
        content = await run_in_thread(write_json, given)
        headers = {**JSON, "Cancel-After": f"{deadline_s:.0f}s"}
        return await self._prediction("POST", path, content=content, headers=headers, timeout=SEND_TIMEOUT)

    async def look(self, id: str) -> Prediction:
        """Ask for a prediction.

        Raises:
            RemoteForgotten: it is not known there.
        """
        await self._window.take()
        try:
            return await self._prediction("GET", f"{API}/predictions/{id}")
        except CapabilityError as error:
            raise forgotten(self._label, error.detail) from error
        except RateLimited as limited:
            self._window.hold(limited.retry_after or 1.0)
            raise

    async def cancel(self, id: str) -> None:
        await self.calls.fetch("POST", f"{API}/predictions/{id}/cancel", limit=MAX_PREDICTION_BYTES)

    async def listed(self, cursor: str = "") -> ListedPredictions:
        """Return a page of our predictions."""
        params: Mapping[str, str] = {"cursor": cursor} if cursor else {}
        sent: dict[str, Any] = {"limit": MAX_PREDICTION_BYTES, "params": params, "may_have_run": False}
        return await self.calls.read(ListedPredictions, f"{API}/predictions", **sent)

    async def _version(self, slug: str, path: str, id: str) -> ReplicateModel:
        read: dict[str, Any] = {"limit": MAX_SCHEMA_BYTES, "timeout": READ_TIMEOUT, "may_have_run": False}
        version = await self.calls.read(ModelVersion, f"{path}/versions/{id}", **read)
        return model_of(slug, id, version.openapi_schema)

    async def _prediction(self, method: str, path: str, **sent: Any) -> Prediction:
        body = await self.calls.fetch(method, path, limit=MAX_PREDICTION_BYTES, **sent)
        return await self.calls.as_kind(Prediction, body, may_have_run=True)

    async def _sent(self, data: bytes) -> str:
        files = {"content": ("picture.png", data, "image/png")}
        body = await self.calls.fetch("POST", f"{API}/files", files=files, timeout=SEND_TIMEOUT, may_have_run=False)
        return (await self.calls.as_kind(SentFile, body, may_have_run=False)).urls.get


class CreationLimits:
    """The rates of new predictions: the account's, and those that are set for single models.

    `text` is like "flux-dev=10/60, nightmareai/real-esrgan=2/60": so many in so many seconds.

    Raises:
        ValueError: it is not.
    """

    def __init__(self, clock: Clock, text: str) -> None:
        self._all = RateWindow(clock, *CREATION_RATES)
        self._models: dict[str, RateWindow] = {}
        for part in filter(None, map(str.strip, text.split(","))):
            found = _LIMIT.fullmatch(part)
            if not found or not int(found[2]) or not int(found[3]):
                raise ValueError(f"{part!r} is no limit of a model; it must be like flux-dev=10/60")
            self._models[found[1]] = RateWindow(clock, Rate(int(found[2]), float(found[3])))

    def wait_s(self, slug: str) -> float:
        return max(window.wait_s() for window in self._of(slug))

    async def take(self, slug: str) -> None:
        for window in self._of(slug):
            await window.take()

    def hold(self, seconds: float) -> None:
        """Begin nothing for so long: it counts for the whole account."""
        self._all.hold(seconds)

    def _of(self, slug: str) -> list[RateWindow]:
        plain = slug.partition(":")[0]
        own = [window for name, window in self._models.items() if name in {plain, plain.rpartition("/")[2]}]
        return [*own, self._all]


def _by_name(model: ReplicateModel) -> ReplicateModel:
    return ReplicateModel(slug=model.slug, inputs=model.inputs)
