"""The same assertions for every maker with its real library: subclass `MakerContract`.

The module of a subclass has the fixtures `maker` and `models`, a model as the child loads it for each family.
"""

import gc
from collections.abc import Mapping
from itertools import pairwise

import pytest
from PIL import ImageChops

from backends.child_side import OrderRefused, OrderStopped
from backends.embedded.work.orders import LoraFile, Rung
from tests.local.orders import draw, opened, order, png, resident_mb

MOST_MB = 60  # that the memory may differ by, between loading a model once and fifty times
SIDE = 256  # of a preview, at most


class MakerContract:
    """`modes` are those of each family that there is a model of."""

    modes: Mapping[str, tuple[str, ...]]
    unseen: frozenset[str] = frozenset()  # families without previews
    takes_loras = "sd15"  # a family, and one that takes none or others
    refuses_lora = "sd15"
    more_steps = 0  # than were asked for, which a library may report
    turns = 50  # in which a model is loaded and let go

    def lora(self, folder, name: str, *, is_foreign: bool = False) -> str:
        """Write a LoRA for the first family, or one that the other refuses; return its path."""
        raise NotImplementedError

    def damaged(self, folder):
        """Return a model whose weights are damaged; its name is "damaged"."""
        raise NotImplementedError

    def pytest_generate_tests(self, metafunc):
        if "mode" in metafunc.fixturenames:
            pairs = [(family, mode) for family, modes in self.modes.items() for mode in modes]
            metafunc.parametrize(("family", "mode"), pairs)
        elif "family" in metafunc.fixturenames:
            metafunc.parametrize("family", self.modes)

    def test_each_family_draws_in_each_mode_and_the_same_seed_gives_the_same_bytes(self, maker, models, family, mode):
        steps = []
        asked = order(models[family], mode)
        (first,) = draw(maker, asked, lambda step, preview: steps.append(step))
        (again,) = maker.draw(asked, (7,), lambda step, preview: None)
        (other,) = maker.draw(asked, (8,), lambda step, preview: None)
        assert opened(first).size == (64, 64)
        assert first == again
        assert first != other
        assert steps == list(range(1, len(steps) + 1))
        assert 1 <= len(steps) <= asked.planned_steps + self.more_steps

    def test_a_batch_has_a_picture_for_each_seed(self, maker, models, family):
        together = draw(maker, order(models[family], seeds=(7, 8, 9)))
        assert len(together) == 3
        assert len({*together}) == 3

    def test_cancelled_at_any_step_it_stops_there_and_draws_on(self, maker, models, family):
        asked = order(models[family])
        steps = []
        (whole,) = draw(maker, asked, lambda step, preview: steps.append(step))
        for last in steps:
            seen = []

            def on_step(step, preview, seen=seen, last=last):
                seen.append(step)
                if step == last:
                    raise OrderStopped

            with pytest.raises(OrderStopped):
                maker.draw(asked, (7,), on_step)
            assert seen == list(range(1, last + 1))
        assert maker.draw(asked, (7,), lambda step, preview: None) == [whole]

    def test_a_preview_is_a_small_picture_and_changes_nothing(self, maker, models, family):
        if family in self.unseen:
            pytest.skip("it has none")
        previews, steps = [], []

        def on_step(step, preview):
            steps.append(step)
            previews.append(preview())

        with_previews = draw(maker, order(models[family]), on_step)
        assert previews
        for data in previews:
            assert opened(data).format == "JPEG"
            assert max(opened(data).size) <= SIDE
        assert all(later == step + 1 for step, later in pairwise(steps))
        assert draw(maker, order(models[family])) == with_previews

    def test_no_strength_leaves_the_source(self, maker, models, family):
        (drawn,) = draw(maker, order(models[family], "img2img", strength=0.0))
        assert ImageChops.difference(opened(drawn), opened(png("red"))).getbbox() is None

    def test_a_size_that_is_no_square(self, maker, models, family):
        assert opened(draw(maker, order(models[family], width=96, height=64))[0]).size == (96, 64)

    def test_a_lora_changes_the_picture_by_its_weight_and_is_gone_afterwards(self, maker, models, tmp_path):
        path, model = self.lora(tmp_path, "ink"), models[self.takes_loras]
        (plain,) = draw(maker, order(model))
        weights = ((1.0,), (0.5,), (1.0, 1.0))
        inked = [
            draw(maker, order(model, loras=tuple(LoraFile(path=path, weight=weight) for weight in some)))[0]
            for some in weights[: 2 + (maker.most_at_once is None)]
        ]
        assert len({plain, *inked}) == 1 + len(inked)
        assert draw(maker, order(model)) == [plain]

    def test_a_lora_for_another_model_is_refused_by_name_and_the_next_picture_is_as_ever(self, maker, models, tmp_path):
        model = models[self.refuses_lora]
        (plain,) = draw(maker, order(model))
        path = self.lora(tmp_path, "wide", is_foreign=True)
        with pytest.raises(OrderRefused, match=f"the model {model.name}") as caught:
            draw(maker, order(model, loras=(LoraFile(path=path, weight=1.0),)))
        assert caught.value.field == "loras"
        assert draw(maker, order(model)) == [plain]

    def test_a_damaged_model_is_refused_in_words_and_another_draws(self, maker, models, tmp_path):
        with pytest.raises(OrderRefused, match="damaged cannot be loaded"):
            maker.load(self.damaged(tmp_path), Rung.WHOLE)
        assert draw(maker, order(models["sd15"]))

    def test_load_and_unload_again_and_again_keeps_the_memory_flat(self, maker, models):
        sizes = []
        for turn in range(self.turns):
            maker.load(models["sd15"], Rung.WHOLE)
            maker.unload()
            gc.collect()
            if turn >= self.turns // 5:
                sizes.append(resident_mb())
        assert max(sizes) - min(sizes) < MOST_MB

    def test_a_device_that_is_not_there_is_named_and_the_processor_draws(self):
        facts = self.make("cuda:9").look()
        assert (facts.kind, facts.is_set_back) == ("cpu", "cuda:9")
        assert facts.title
        assert self.make("auto").look().is_set_back == ""

    def make(self, wanted: str):
        """Make a maker for a device."""
        raise NotImplementedError
