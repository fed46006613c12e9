"""ControlNets of each family: which model they fit, in which modes, and what is refused in words."""

import json

import pytest

from backends.embedded.facts import model_for_controls
from backends.embedded.models.disk import look_for_models
from backends.embedded.models.drawers import drawn_by
from backends.embedded.models.known import known_models
from backends.embedded.payload import draw_order
from generation.errors import RequestRejected
from generation.request import ControlUnit, GenerationRequest, Mode, SourceImage
from tests.backends.embedded.shelves import put_control, put_in_hub, put_model
from tests.utils.pictures import picture

SOURCE = SourceImage.of(picture(size=(64, 64)), 64, 64)


def asked(*kinds, mode=Mode.TXT2IMG):
    values = {"prompt": "a red fox", "width": 64, "height": 64, "steps": 4, "cfg_scale": 7.0, "seed": 812}
    source = {} if mode is Mode.TXT2IMG else {"init_image": SOURCE, "mask_image": SOURCE}
    units = tuple(ControlUnit(kind=kind, image=SOURCE) for kind in kinds)
    return GenerationRequest(**values, mode=mode, control=units, **source)


def put_later_control(folder, class_name, **config):
    put_control(folder, 0)
    (folder / "config.json").write_text(json.dumps({"_class_name": class_name, **config}))


@pytest.fixture
def shelf(tmp_path):
    for family, config in {
        "flux": {"joint_attention_dim": 4096},
        "sd3": {"joint_attention_dim": 4096},
        "z-image": {"cap_feat_dim": 2560},
        "flux2-klein": {"joint_attention_dim": 7680},
    }.items():
        put_model(tmp_path / family, family, config=config)
    put_later_control(tmp_path / "flux-canny", "FluxControlNetModel", joint_attention_dim=4096)
    put_later_control(tmp_path / "flux-union-canny", "FluxControlNetModel", joint_attention_dim=4096, num_mode=6)
    put_later_control(tmp_path / "sd3-depth", "SD3ControlNetModel", joint_attention_dim=4096)
    put_later_control(tmp_path / "z-image-union", "ZImageControlNetModel", dim=3840)
    put_later_control(tmp_path / "z-image-fun", "ZImageControlNetModel", dim=3840)
    return look_for_models((tmp_path,), tmp_path / "none")


def test_control_nets_fit_their_own_family_in_the_modes_that_it_is_steered_in(shelf):
    fitting = {
        model.name: {
            mode: [(c.name, c.kind) for c in shelf.controls_for(model, mode)] for mode in ("txt2img", "inpaint")
        }
        for model in shelf.models
    }
    union = [("z-image-union", kind) for kind in ("canny", "depth", "openpose", "softedge", "mlsd")]
    assert fitting == {
        "flux": {"txt2img": [("flux-canny", "canny")], "inpaint": [("flux-canny", "canny")]},
        "sd3": {"txt2img": [("sd3-depth", "depth")], "inpaint": []},
        "z-image": {"txt2img": union, "inpaint": []},
        "flux2-klein": {"txt2img": [], "inpaint": []},
    }


@pytest.mark.parametrize(
    ("name", "request_", "words"),
    [
        ("sd3", asked("depth", mode=Mode.IMG2IMG), "With the model sd3, a ControlNet steers only pictures from words"),
        ("z-image", asked("canny", mode=Mode.INPAINT), "With the model z-image, a ControlNet steers only"),
        ("z-image", asked("canny", "depth"), "The model z-image takes one ControlNet at a time"),
        ("flux2-klein", asked("canny"), "There is no ControlNet “canny” here for the model flux2-klein"),
        ("sd3", asked("openpose"), "There is no ControlNet “openpose” here for the model sd3"),
    ],
)
def test_what_a_family_is_not_steered_by_is_refused_in_words(shelf, name, request_, words):
    model = next(model for model in shelf.models if model.name == name)
    with pytest.raises(RequestRejected, match=words) as caught:
        draw_order(request_, model, shelf)
    assert caught.value.field == "control"


def test_a_request_that_names_no_model_goes_to_one_that_can(shelf):
    def chosen(*kinds, mode=Mode.TXT2IMG):
        return model_for_controls(shelf, "", kinds, mode).name

    assert chosen("openpose") == "z-image"
    assert chosen("canny", "canny") == "flux"
    assert chosen("canny", mode=Mode.INPAINT) == "flux"
    assert chosen("depth") in {"sd3", "z-image"}


def test_a_network_that_draws_maps_goes_along_for_its_kind_and_for_no_other(shelf, tmp_path):
    model = next(model for model in shelf.models if model.name == "z-image")
    assert all("drawer" not in unit for unit in draw_order(asked("depth"), model, shelf)[0]["draw"]["controls"])
    known = known_models()["depth-maps"]
    place = put_in_hub(tmp_path / "hub", known.repo, "none")
    (place / "config.json").write_text(json.dumps({"architectures": ["DepthAnythingForDepthEstimation"]}))
    found = look_for_models((tmp_path,), tmp_path / "hub")
    (unit,) = draw_order(asked("depth"), model, found)[0]["draw"]["controls"]
    assert unit["drawer"] == str(place)
    (unit,) = draw_order(asked("openpose"), model, found)[0]["draw"]["controls"]
    assert "drawer" not in unit
    assert [model.name for model in found.models] == [model.name for model in shelf.models], "it is no model that draws"


@pytest.mark.parametrize("content", ["{", "[]", '{"architectures": "fox"}', '{"architectures": ["ViTModel"]}'])
def test_what_draws_no_maps_is_passed_over(tmp_path, content):
    (tmp_path / "config.json").write_text(content)
    assert drawn_by(tmp_path) == ""
