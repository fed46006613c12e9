"""Two makers in one child: each model is drawn with by the library that it was saved for."""

import pytest

from backends.embedded.backend import EmbeddedBackend
from backends.embedded.models.disk import look_for_models
from backends.embedded.work.engine import LocalEngine
from backends.embedded.work.makers import Makers
from generation.errors import BackendUnavailable
from generation.request import Mode
from tests.backends.embedded.fake_maker import FakeMaker
from tests.backends.embedded.shelves import put_model
from tests.backends.embedded.test_embedded_backend import make
from tests.backends.embedded.test_engine import MODEL, Reports, draw


def put_openvino(folder, family):
    put_model(folder, family)
    (folder / "unet" / "openvino_model.xml").touch()
    return folder


def test_the_library_of_a_model_draws_and_the_other_gives_its_memory_back():
    first, second = FakeMaker(), FakeMaker()
    second.most_at_once = 1
    made = []

    def make_second():
        made.append(1)
        return second

    engine = LocalEngine(Makers({"diffusers": lambda: first, "openvino": make_second}))
    engine.work(draw(seeds=(1, 2)), (), Reports())
    assert made == []
    engine.work(draw(seeds=(1, 2), model={**MODEL, "name": "ov", "maker": "openvino"}), (), Reports())
    assert [event for event in first.events if event[0] in ("draw", "unload")] == [
        ("draw", 2, "whole"),
        ("unload", "fox"),
    ]
    assert [event for event in second.events if event[0] == "draw"] == [("draw", 1, "whole")] * 2


async def test_a_model_whose_library_is_missing_is_not_offered_and_named_if_it_is_the_only_one(tmp_path):
    put_openvino(tmp_path / "quick", "sd15")
    engine: EmbeddedBackend = make(tmp_path)
    with pytest.raises(BackendUnavailable, match="What draws with quick is not installed") as caught:
        await engine.capabilities()
    assert "CPU=1" in caught.value.hint
    put_model(tmp_path / "fox", "sd15")
    assert [model.name for model in (await engine.capabilities()).models] == ["fox"]
    await engine.aclose()


async def test_what_openvino_cannot_is_a_capability(tmp_path):
    put_openvino(tmp_path / "klein", "flux2-klein")
    engine = make(tmp_path, makers=("openvino",))
    found = await engine.capabilities()
    assert (found.samplers, found.schedulers, found.supports_clip_skip) == ((), (), False)
    assert Mode.INPAINT not in found.modes
    put_openvino(tmp_path / "quick", "sd15")
    assert Mode.INPAINT in (await engine.capabilities()).modes
    await engine.aclose()


def test_the_form_of_a_folder_says_which_library_it_is_for(tmp_path):
    put_openvino(tmp_path / "quick", "OVStableDiffusionPipeline")
    put_model(tmp_path / "fox", "sd15")
    shelf = look_for_models((tmp_path,), tmp_path / "none")
    assert {model.name: (model.family.name, model.maker) for model in shelf.models} == {
        "fox": ("sd15", "diffusers"), "quick": ("sd15", "openvino"),
    }  # fmt: skip
