"""Engines whose answers are changed at random: a client returns clean values or raises one of our errors.

Each case prints its number with a failure; the same number makes the same changes.
"""

import asyncio
import dataclasses
import json
import math
import random
import unicodedata
from typing import Any

import pytest

from generation.capabilities import Fit, fit
from generation.errors import GenerationError
from generation.job import Progress
from tests.engines.fault_proxy import Fault, FaultProxy
from tests.engines_faults.engines import ALL, quick_timeouts
from tests.jobs import make_request

CASES = 12  # of each engine
TEXTS = (
    "\udcc4\udce3model.safetensors", "a\x00b\x1b[2J", "\u202egnp.\u2066exe", "x" * 5000, "", "[a](https://b)`", "NaN",
    "9" * 400, "9" * 5000, "²", "-1", "../../etc/passwd", "e\u0301" + "\u0301" * 60, "\n\n\n",
)  # fmt: skip
NUMBERS = (
    math.nan, math.inf, -math.inf, -1, 0, 2**63, 2**64, 10**400, -(10**30), 1e308, 0.5, 4_000_000_000, -0.0,
)  # fmt: skip
THINGS = (None, True, [], {}, [[[]]], {"a": {"b": None}}, [None, 1, "a"], *TEXTS[:3], *NUMBERS[:4])


class Changer:
    """Changes some leaves of every JSON that comes by, most of them to another value of the same kind."""

    def __init__(self, number: int) -> None:
        self._random = random.Random(number)
        self._share = self._random.choice((0.02, 0.1, 0.4))

    def edit(self, body: bytes) -> bytes:
        try:
            if body.startswith(b"data:"):
                return b"".join(b"data: " + self._changed(line[5:]) + b"\n\n" for line in body.split(b"\n") if line)
            return self._changed(body)
        except ValueError:
            return body  # a picture

    def _changed(self, text: bytes) -> bytes:
        return json.dumps(self._value(json.loads(text))).encode()

    def _value(self, value: Any) -> Any:
        choose = self._random.choice
        if isinstance(value, dict):
            return {key: self._value(item) for key, item in value.items() if self._random.random() > self._share / 10}
        if isinstance(value, list):
            return [self._value(item) for item in value]
        if self._random.random() > self._share:
            return value
        if self._random.random() < 0.2:
            return choose(THINGS)
        if isinstance(value, str):
            return choose(TEXTS)
        return choose(NUMBERS) if isinstance(value, int | float) and not isinstance(value, bool) else choose(THINGS)


def check(value: Any, where: str = "") -> None:
    """Fail unless everything in it can be stored, sent and shown."""
    if isinstance(value, str):
        value.encode()
        kinds = {unicodedata.category(item) for item in value if item not in "\n\u200c\u200d"}
        assert not kinds & {"Cc", "Cf", "Cs"}, (where, value)
    elif isinstance(value, float):
        assert math.isfinite(value), where
    elif isinstance(value, int):
        assert -(2**64) < value < 2**64, where
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            check(getattr(value, field.name), f"{where}.{field.name}")
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            check(item, where)


async def asked(kind: str, url: str, changer: Changer, proxy: FaultProxy) -> None:
    backend = ALL[kind].connect(url)

    async def report(progress: Progress) -> None:
        check(dataclasses.replace(progress, preview=None), "progress")

    try:
        async with asyncio.timeout(1.5):  # a job that never ends has its own end in the queue
            can = await backend.capabilities()
            check(can, "capabilities")
            fitted = fit(make_request(width=256, height=256, steps=4, sampler=None, seed=2**64 - 1), can)
            if isinstance(fitted, Fit):
                check(fitted.notes, "notes")
                result = await backend.generate(fitted.request, report)
                check(result, "result")
    except GenerationError as error:
        check((error.user_message, error.hint, error.detail, str(error), error.retry_after), "error")
    except TimeoutError:
        pass
    finally:
        await backend.aclose()


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("is_calm_at_first", [True, False])
async def test_whatever_an_engine_answers_is_a_clean_value_or_one_of_our_errors(
    monkeypatch: pytest.MonkeyPatch, kind: str, is_calm_at_first: bool
) -> None:
    quick_timeouts(monkeypatch)
    for number in range(CASES):
        engine = ALL[kind]
        async with engine.server() as server, FaultProxy(server.url) as proxy:
            changer = Changer(number)
            where = engine.end if is_calm_at_first else " /"
            proxy.arm(Fault(kind="edit", where=where, edit=changer.edit, times=10_000))
            try:
                await asked(kind, proxy.url, changer, proxy)
            except Exception as error:
                error.add_note(f"{kind}, case {number}, calm: {is_calm_at_first}")
                raise
