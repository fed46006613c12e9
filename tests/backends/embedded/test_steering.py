"""ControlNets of each family: which model they fit, in which modes, and what is refused in words."""

import json
from dataclasses import replace
from pathlib import Path

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


def kinds_of(folder, model, mode="txt2img"):
    found = look_for_models((folder,), folder / "none")
    (chosen,) = [each for each in found.models if each.name == model]
    return {net.kind: net.mode for net in found.controls_for(chosen, mode)}


def test_one_for_several_kinds_has_the_number_of_each(tmp_path):
    put_model(tmp_path / "flux", "flux", config={"joint_attention_dim": 4096})
    put_model(tmp_path / "xl", "sdxl", width=2048)
    put_later_control(tmp_path / "flux-pro", "FluxControlNetModel", joint_attention_dim=4096, num_mode=4)
    assert kinds_of(tmp_path, "flux") == {"canny": 0, "tile": 1, "depth": 2, "blur": 3}
    put_later_control(tmp_path / "some-name", "ControlNetUnionModel", cross_attention_dim=2048, num_control_type=8)
    found = kinds_of(tmp_path, "xl", "inpaint")
    assert (found["openpose"], found["canny"], found["mlsd"], found["segmentation"], found["tile"]) == (0, 3, 3, 5, 6)
    put_later_control(tmp_path / "some-name", "ControlNetModel_Union", cross_attention_dim=2048, num_control_type=6)
    assert "tile" not in kinds_of(tmp_path, "xl")


def test_a_newer_one_of_flux_tells_its_kinds_apart_itself(tmp_path):
    put_model(tmp_path / "flux", "flux", config={"joint_attention_dim": 4096})
    put_later_control(tmp_path / "flux-union-pro-2", "FluxControlNetModel", joint_attention_dim=4096, num_mode=None)
    assert kinds_of(tmp_path, "flux") == dict.fromkeys(("canny", "softedge", "depth", "openpose"))


def test_one_of_another_size_of_model_does_not_fit(tmp_path):
    wide, narrow = ({"joint_attention_dim": 4096, "num_attention_heads": n, "attention_head_dim": 64} for n in (38, 24))
    put_model(tmp_path / "large", "sd3", config=wide)
    put_model(tmp_path / "medium", "sd3", config=narrow)
    put_later_control(tmp_path / "large-depth", "SD3ControlNetModel", **(wide | {"joint_attention_dim": None}))
    put_later_control(tmp_path / "medium-canny", "SD3ControlNetModel", **narrow)
    assert [*kinds_of(tmp_path, "large")] == ["depth"]
    assert [*kinds_of(tmp_path, "medium")] == ["canny"]


def test_several_pictures_go_to_one_that_takes_all_or_to_several_of_the_usual_kind(tmp_path):
    put_model(tmp_path / "xl", "sdxl", width=2048)
    put_control(tmp_path / "xl-canny", 2048)
    put_later_control(tmp_path / "my-union", "ControlNetUnionModel", cross_attention_dim=2048)
    shelf = look_for_models((tmp_path,), tmp_path / "none")

    def names(*kinds, **models):
        units = tuple(ControlUnit(kind=kind, image=SOURCE, model=models.get(kind)) for kind in kinds)
        request = replace(asked("canny"), control=units)
        order, pictures = draw_order(request, shelf.models[0], shelf)
        assert len(pictures) == len(kinds)
        return [(Path(unit["path"]).name, unit["mode"]) for unit in order["draw"]["controls"]]

    assert names("canny") == [("xl-canny", None)]
    assert names("canny", "canny") == [("xl-canny", None)] * 2
    assert names("depth") == [("my-union", 1)]
    assert names("canny", "depth") == [("my-union", 3), ("my-union", 1)]
    with pytest.raises(RequestRejected, match="xl-canny, my-union do not work together with the model xl") as caught:
        names("canny", "depth", canny="xl-canny")
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


@pytest.mark.parametrize("finder", ["RTDetrForObjectDetection", "RTDetrV2ForObjectDetection", None])
def test_networks_that_draw_poses_and_find_people_go_along_for_poses_alone(shelf, tmp_path, finder):
    model = next(model for model in shelf.models if model.name == "z-image")
    architectures = {"pose-maps": "VitPoseForPoseEstimation"} | ({"people-finder": finder} if finder else {})
    for name, architecture in architectures.items():
        place = put_in_hub(tmp_path / "hub", known_models()[name].repo, "none")
        (place / "config.json").write_text(json.dumps({"architectures": [architecture]}))
    found = look_for_models((tmp_path,), tmp_path / "hub")
    pose, edges = draw_order(asked("pose"), model, found), draw_order(asked("canny"), model, found)
    (unit,) = pose[0]["draw"]["controls"]
    assert ("vitpose" in unit["drawer"], "rtdetr" in unit.get("finder", "")) == (True, finder is not None)
    assert not {"drawer", "finder"} & {*edges[0]["draw"]["controls"][0]}


@pytest.mark.parametrize("content", ["{", "[]", '{"architectures": "fox"}', '{"architectures": ["ViTModel"]}'])
def test_what_draws_no_maps_is_passed_over(tmp_path, content):
    (tmp_path / "config.json").write_text(content)
    assert drawn_by(tmp_path) == ""
