"""The same assertions for every backend, the fake one too: subclass `BackendContract` and give it a `rig`.

A new backend passes this before anything else is built on it.
"""

import asyncio
import io
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import pytest
from PIL import Image

from backends.base import Backend
from generation.capabilities import Fit, fit
from generation.errors import BackendError, GenerationError
from generation.job import Progress
from generation.request import GenerationRequest, Mode


class Rig(Protocol):
    """A backend together with a handle on the engine behind it."""

    backend: Backend

    def is_working(self) -> bool:
        """Return whether the engine is drawing, or has something of ours waiting."""
        ...

    def fail_next(self) -> None:
        """Make the next job fail inside the engine."""
        ...

    async def take_down(self) -> None:
        """Make the engine unreachable."""
        ...


class BackendContract:
    """`rig(hold=True)` gives an engine whose jobs do not end by themselves."""

    size = (64, 64)
    steps = 4
    mode = Mode.TXT2IMG  # what its requests are

    def rig(self, *, hold: bool = False) -> AbstractAsyncContextManager[Rig]:
        raise NotImplementedError

    def request(self, **changes: object) -> GenerationRequest:
        values: dict[str, object] = {
            "prompt": "a red fox", "width": self.size[0], "height": self.size[1], "steps": self.steps, "cfg_scale": 7.0,
            "seed": 812,
        }  # fmt: skip
        return GenerationRequest(**(values | changes))  # type: ignore[arg-type]

    async def test_capabilities_are_sane(self) -> None:
        async with self.rig() as rig:
            can = await rig.backend.capabilities()
            assert self.mode in can.modes
            assert can.size_grid >= 1
            assert 1 <= can.min_side <= can.max_side
            assert can.min_side <= can.default_width <= can.max_side
            assert can.min_side <= can.default_height <= can.max_side
            assert can.max_batch >= 1
            assert can.max_steps >= 1
            for names in (can.samplers, can.schedulers, can.loras, can.vaes):
                assert names is None or (len(set(names)) == len(names) and all(names))
            assert isinstance(fit(self.request(width=can.default_width, height=can.default_height), can), Fit)

    async def test_backend_says_its_name_and_kind(self) -> None:
        async with self.rig() as rig:
            assert rig.backend.name
            assert rig.backend.kind
            assert isinstance(rig.backend.is_paid, bool)

    @pytest.mark.parametrize("batch_size", [1, 3])
    async def test_generate_gives_the_asked_number_of_pictures_of_the_asked_size(self, batch_size: int) -> None:
        async with self.rig() as rig:
            result = await rig.backend.generate(self.request(batch_size=batch_size), _ignore)
            assert len(result.images) == batch_size
            for image in result.images:
                with Image.open(io.BytesIO(image.data)) as picture:
                    picture.load()
                    assert picture.size == self.size
                    assert picture.format in {"PNG", "JPEG", "WEBP"}

    async def test_each_picture_carries_the_seed_that_made_it(self) -> None:
        async with self.rig() as rig:
            result = await rig.backend.generate(self.request(batch_size=3), _ignore)
            seeds = [image.seed for image in result.images]
            assert seeds[0] == 812
            assert len(set(seeds)) == 3

    async def test_same_request_gives_the_same_picture_where_that_is_promised(self) -> None:
        async with self.rig() as rig:
            can = await rig.backend.capabilities()
            first, second = [await rig.backend.generate(self.request(), _ignore) for _ in range(2)]
            if can.is_deterministic:
                assert first.images == second.images

    async def test_progress_rises_from_0_to_1(self) -> None:
        async with self.rig() as rig:
            seen: list[Progress] = []

            async def report(progress: Progress) -> None:
                seen.append(progress)

            await rig.backend.generate(self.request(), report)
            fractions = [progress.fraction for progress in seen]
            assert fractions == sorted(fractions)
            assert all(0.0 <= fraction <= 1.0 for fraction in fractions)

    async def test_cancelling_stops_the_engine_and_lets_the_cancellation_through(self) -> None:
        async with self.rig(hold=True) as rig:
            job = asyncio.create_task(rig.backend.generate(self.request(), _ignore))
            await _until(rig.is_working)
            job.cancel()
            with pytest.raises(asyncio.CancelledError):
                await job
            await _until(lambda: not rig.is_working())

    async def test_failure_of_the_engine_is_one_of_our_errors_with_words_for_people(self) -> None:
        async with self.rig() as rig:
            await rig.backend.capabilities()
            rig.fail_next()
            with pytest.raises(GenerationError) as caught:
                await rig.backend.generate(self.request(), _ignore)
            text = f"{caught.value.user_message} {caught.value.hint}"
            assert caught.value.user_message
            assert not any(sign in text for sign in ("http:", "https:", "Traceback", "127.0.0.1", "Error("))

    async def test_engine_draws_again_after_a_failure(self) -> None:
        async with self.rig() as rig:
            await rig.backend.capabilities()
            rig.fail_next()
            with pytest.raises(GenerationError):
                await rig.backend.generate(self.request(), _ignore)
            assert (await rig.backend.generate(self.request(), _ignore)).images

    async def test_engine_that_is_gone_is_a_backend_error(self) -> None:
        async with self.rig() as rig:
            await rig.take_down()
            with pytest.raises(BackendError):
                await rig.backend.capabilities()

    async def test_jobs_side_by_side_get_their_own_pictures(self) -> None:
        async with self.rig() as rig:
            seeds = [1, 20, 300, 4000]
            results = await asyncio.gather(*(rig.backend.generate(self.request(seed=seed), _ignore) for seed in seeds))
            assert [result.images[0].seed for result in results] == seeds

    async def test_closing_twice_does_no_harm(self) -> None:
        async with self.rig() as rig:
            await rig.backend.aclose()
            await rig.backend.aclose()


async def _ignore(_: Progress) -> None:
    """Take no notice of progress."""


async def _until(is_so: Callable[[], bool], limit_s: float = 5.0) -> None:
    async with asyncio.timeout(limit_s):
        while not is_so():
            await asyncio.sleep(0.005)
