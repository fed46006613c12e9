"""The work of the child with a maker that draws without torch: loading, the ladder, and what is reported."""

from itertools import pairwise

import pytest

from backends.child_side import OrderStopped
from backends.embedded.work.engine import LocalEngine
from backends.embedded.work.ladder import first_rung, next_rung
from backends.embedded.work.orders import Device, ModelFolder, Rung
from tests.backends.embedded.fake_maker import FakeMaker

MODEL = {"name": "fox", "path": "/models/fox", "family": "sd15", "weights_mb": 4000}


class Reports:
    """Keeps what is reported; `stop_at` takes the order back at that step."""

    def __init__(self, stop_at=None):
        self.items = []
        self.stop_at = stop_at

    def report(self, *blobs, **values):
        self.items.append(values)
        self.check()
        if values.get("step") == self.stop_at is not None:
            raise OrderStopped

    def check(self):
        pass

    def stages(self):
        return [item["stage"] for item in self.items if item["stage"] != "step"]


def draw(seeds=(1,), model=MODEL, **changes):
    values = {
        "model": model, "mode": "txt2img", "prompt": "a red fox", "negative_prompt": "", "width": 64, "height": 64,
        "steps": 3, "cfg_scale": 7.0, "seeds": list(seeds),
    }  # fmt: skip
    return {"do": "draw", "draw": values | changes}


def device(kind, free_mb, total_mb=24_000):
    return Device(name=kind, kind=kind, title=kind, total_mb=total_mb, free_mb=free_mb)


def folder(weights_mb=0, family="sd15", **more):
    return ModelFolder(name="fox", path="", family=family, weights_mb=weights_mb, **more)


@pytest.mark.parametrize(
    ("where", "weights_mb", "wanted", "rung"),
    [
        (device("cuda", 24_000), 12_000, "auto", Rung.WHOLE),
        (device("cuda", 13_000), 12_000, "auto", Rung.MODEL_OFFLOAD),
        (device("rocm", 8_000), 12_000, "auto", Rung.SEQUENTIAL_OFFLOAD),
        (device("cuda", 8_000), 12_000, "none", Rung.WHOLE),
        (device("cuda", 24_000), 12_000, "model", Rung.MODEL_OFFLOAD),
        (device("cuda", 24_000), 12_000, "sequential", Rung.SEQUENTIAL_OFFLOAD),
        (device("cpu", 1_000), 12_000, "model", Rung.WHOLE),
        (device("mps", 1_000), 12_000, "auto", Rung.WHOLE),
        (device("cuda", None, None), 12_000, "auto", Rung.WHOLE),
    ],
)
def test_the_first_way_is_the_quickest_that_should_fit(where, weights_mb, wanted, rung):
    assert first_rung(where, folder(weights_mb), wanted) is rung


def test_the_ways_follow_one_another_to_the_most_sparing():
    cuda, cpu = device("cuda", 1), device("cpu", 1)
    ways = [Rung.WHOLE]
    while (rung := next_rung(cuda, ways[-1], folder(family="flux"))) is not None:
        ways.append(rung)
    assert ways == list(Rung)
    assert next_rung(cuda, Rung.WHOLE, folder(family="sdxl")) is Rung.MODEL_OFFLOAD, (
        "a small one would lose too much in 8 bits"
    )
    packed = folder(family="flux", file="/models/fox.gguf")
    assert next_rung(cuda, Rung.WHOLE, packed) is Rung.MODEL_OFFLOAD, "it is smaller already"
    assert first_rung(cuda, packed, "8bit") is Rung.WHOLE
    assert next_rung(cpu, Rung.EIGHT_BIT, folder(family="flux")) is Rung.TILED
    assert next_rung(cpu, Rung.WHOLE, folder(family="flux")) is Rung.TILED
    assert next_rung(cpu, Rung.TILED, folder(family="flux")) is None


def test_a_model_is_loaded_once_and_another_takes_its_place():
    maker, reports = FakeMaker(), Reports()
    engine = LocalEngine(maker)
    for model in (MODEL, MODEL, {**MODEL, "name": "horse"}):
        engine.work(draw(model=model), (), reports)
    assert [event for event in maker.events if event[0] in {"load", "unload"}] == [
        ("load", "fox", "whole"), ("unload", "fox"), ("load", "horse", "whole"),
    ]  # fmt: skip
    assert reports.stages() == ["loading", "loaded"] * 2


def test_short_of_memory_it_draws_fewer_at_once_before_it_moves_the_model_out():
    maker, reports = FakeMaker(kind="cuda", at_once=2), Reports()
    values, pictures = LocalEngine(maker).work(draw(seeds=range(5)), (), reports)
    assert len(set(pictures)) == 5
    assert [event for event in maker.events if event[0] in {"draw", "short"}] == [
        ("short", 5, "whole"), ("draw", 2, "whole"), ("draw", 2, "whole"), ("draw", 1, "whole"),
    ]  # fmt: skip
    assert values["notes"] == []
    last = reports.items[-1]
    assert (last["done"], last["at_once"], last["count"], last["step"]) == (4, 1, 5, 3)


@pytest.mark.parametrize("fits", [Rung.MODEL_OFFLOAD, Rung.SEQUENTIAL_OFFLOAD, Rung.TILED])
def test_it_climbs_down_to_the_way_that_fits_and_stays_there(fits):
    maker, reports = FakeMaker(kind="cuda", fits=fits), Reports()
    engine = LocalEngine(maker)
    values, pictures = engine.work(draw(), (), reports)
    assert (values["notes"], len(pictures)) == ([str(fits)], 1)
    assert values["state"]["rung"] == str(fits)
    before = len(maker.events)
    engine.work(draw(), (), reports)
    assert maker.events[before:] == [("draw", 1, str(fits))]


def test_at_the_end_of_the_ladder_it_says_how_much_memory_there_is():
    maker = FakeMaker(total_mb=9000)
    with pytest.raises(MemoryError, match="a fake cpu has 5000 of 9000 MB free"):
        LocalEngine(maker).work(draw(prompt="short of memory"), (), Reports())


def test_what_the_work_raises_leaves_a_usable_engine():
    maker, engine = FakeMaker(), None
    engine = LocalEngine(maker)
    with pytest.raises(KeyError):
        engine.work(draw(prompt="fail"), (), Reports())
    with pytest.raises(OrderStopped):
        engine.work(draw(), (), Reports(stop_at=2))
    assert engine.work(draw(), (), Reports())[1]


def test_a_model_that_cannot_be_loaded_leaves_no_other_name_behind():
    engine = LocalEngine(FakeMaker())
    with pytest.raises(ValueError, match="no such weights"):
        engine.work({"do": "load", "model": {**MODEL, "name": "unloadable"}}, (), Reports())
    values, _ = engine.work({"do": "look"}, (), Reports())
    assert values["state"]["model"] == ""


def test_load_unload_fifty_times_ends_where_it_began():
    maker = FakeMaker()
    engine = LocalEngine(maker)
    for _ in range(50):
        engine.work({"do": "load", "model": MODEL}, (), Reports())
        values, _blobs = engine.work({"do": "unload"}, (), Reports())
    assert (values["state"]["model"], values["state"]["free_mb"]) == ("", 8000)


def test_previews_take_at_most_a_fifth_of_the_time():
    now = [0.0]
    shown = []

    class Slow(FakeMaker):
        def draw(self, order, seeds, on_step):
            def make_preview():
                now[0] += 2.0
                shown.append(now[0])
                return b"preview"

            for step in range(1, 31):
                now[0] += 1.0
                on_step(step, make_preview)
            return [b"png"]

    LocalEngine(Slow(), clock=lambda: now[0]).work(draw(steps=30), (), Reports())
    assert [round(later - earlier) for earlier, later in pairwise(shown)] == [12, 12]
