"""Poses of people in a picture, with the real networks of the transformers library, tiny and made here."""

import pytest
import torch
import transformers
from PIL import Image, ImageDraw

from backends.child_side import OrderRefused
from backends.embedded.models.disk import look_for_models
from backends.embedded.work import poses
from backends.embedded.work.drawing import DiffusersMaker
from backends.embedded.work.orders import ControlFile, ModelFolder
from backends.embedded.work.poses import PoseDrawer, is_pose
from tests.local import more_tiny, orders, tiny
from tests.local.orders import apart, draw, saved

torch.set_num_threads(1)


def photo(size=(96, 128)):
    picture = Image.new("RGB", size, "wheat")
    ImageDraw.Draw(picture).ellipse((30, 20, 60, 100), fill="navy")
    return picture


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    """Save one that finds joints and one that finds people, of the classes of the public ones."""
    root = tmp_path_factory.mktemp("networks")
    torch.manual_seed(3)
    backbone = transformers.VitPoseBackboneConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=[256, 192], patch_size=[16, 16],
        out_indices=[1],
    )  # fmt: skip
    joints = transformers.VitPoseForPoseEstimation(
        transformers.VitPoseConfig(backbone_config=backbone, num_labels=17, initializer_range=3.0)
    )
    joints.save_pretrained(root / "joints")
    eyes = transformers.RTDetrResNetConfig(
        embedding_size=8, hidden_sizes=[8, 8, 8, 8], depths=[1, 1, 1, 1], layer_type="basic", out_indices=[2, 3, 4],
        out_features=["stage2", "stage3", "stage4"],
    )  # fmt: skip
    people = transformers.RTDetrV2ForObjectDetection(
        transformers.RTDetrV2Config(
            backbone_config=eyes,
            encoder_in_channels=[8, 8, 8],
            encoder_hidden_dim=16,
            encoder_ffn_dim=16,
            encoder_attention_heads=2,
            d_model=16,
            decoder_in_channels=[16, 16, 16],
            decoder_ffn_dim=16,
            decoder_layers=2,
            decoder_attention_heads=2,
            num_queries=12,
            decoder_n_points=2,
            num_denoising=0,
            id2label={0: "person", 1: "bicycle"},
            label2id={"person": 0, "bicycle": 1},
        )
    )
    people.save_pretrained(root / "people")
    return root


def test_both_are_found_by_what_their_folders_say(networks):
    found = look_for_models((networks,), networks / "none").drawers
    assert found == {"openpose": networks / "joints", "people": networks / "people"}


def test_the_pose_of_the_whole_picture_is_drawn_as_bones_on_black(networks, monkeypatch):
    monkeypatch.setattr(poses, "LEAST_JOINT", -1e9)  # weights by chance are sure of nothing
    drawn = PoseDrawer(networks / "joints").draw(photo())
    assert drawn.size == (96, 128)
    assert drawn.getpixel((95, 0)) == (0, 0, 0)
    assert {colour for _count, colour in drawn.getcolors()} & {*poses.COLOURS}
    assert (is_pose(drawn), is_pose(photo())) == (True, False)
    assert PoseDrawer(networks / "joints").draw(photo()).tobytes() == drawn.tobytes()


def test_each_person_that_is_found_has_a_pose(networks, monkeypatch):
    monkeypatch.setattr(poses, "LEAST_JOINT", -1e9)
    monkeypatch.setattr(poses, "LEAST_SURE", 0.0)
    drawer = PoseDrawer(networks / "joints", networks / "people")
    boxes = drawer._people(photo())
    assert len(boxes) == 12
    assert all(0 <= left + width / 2 <= 96 and 0 <= top + height / 2 <= 128 for left, top, width, height in boxes)
    monkeypatch.setattr(drawer, "_people", lambda _photo: [(0, 0, 40, 60), (50, 60, 40, 60)])
    both = drawer.draw(photo())
    monkeypatch.setattr(drawer, "_people", lambda _photo: [(0, 0, 40, 60)])
    assert both.tobytes() != drawer.draw(photo()).tobytes()


def test_a_picture_with_nobody_in_it_is_refused_in_words(networks, monkeypatch):
    monkeypatch.setattr(poses, "LEAST_JOINT", 1e9)
    with pytest.raises(OrderRefused, match="Nobody was found") as caught:
        PoseDrawer(networks / "joints").draw(photo())
    assert caught.value.field == "control"
    with pytest.raises(OrderRefused, match="network gone cannot be loaded"):
        PoseDrawer(networks / "gone")


def test_joints_are_where_the_network_sees_them(monkeypatch, networks):
    """A network that is sure of one place for each joint: they come out there, in the picture's own measure."""
    heat = torch.zeros(1, 17, 64, 48)
    for joint in range(17):
        heat[0, joint, 3 * joint + 5, 2 * joint + 6] = 1.0
    drawer = PoseDrawer(networks / "joints")
    monkeypatch.setattr(drawer, "_network", lambda pixel_values: transformers.utils.ModelOutput(heatmaps=heat))
    joints = drawer._joints(photo(), (0.0, 0.0, 96.0, 128.0))
    left, top, width, height = poses._roomy((0.0, 0.0, 96.0, 128.0))
    nose, neck, right_shoulder = joints[:3]
    assert nose == pytest.approx((left + 6 / 47 * width, top + 5 / 63 * height))
    assert right_shoulder == pytest.approx((left + 18 / 47 * width, top + 23 / 63 * height))
    left_shoulder = joints[5]
    assert neck == pytest.approx(
        ((left_shoulder[0] + right_shoulder[0]) / 2, (left_shoulder[1] + right_shoulder[1]) / 2)
    )


def test_a_photo_steers_by_its_pose_and_a_map_as_it_is(networks, tmp_path, monkeypatch):
    monkeypatch.setattr(poses, "LEAST_JOINT", -1e9)
    folder = tiny.make("sd15", tmp_path / "fox")
    model = ModelFolder(name="fox", path=str(folder), family="sd15", weights_mb=2)
    maker = DiffusersMaker("cpu")
    maker.load(model, orders.Rung.WHOLE)
    control = more_tiny.control(maker._loaded._base, tmp_path / "fox-openpose")

    def by_pose(picture, **more):
        unit = ControlFile(path=str(control), kind="openpose", weight=1.0, **more)
        return draw(maker, orders.order(model, controls=(unit,), pictures=(saved(picture),)))[0], maker.notes()

    drawer = {"drawer": str(networks / "joints")}
    of_photo, notes = by_pose(photo((64, 64)), **drawer)
    assert notes == []
    drawn = PoseDrawer(networks / "joints").draw(photo((64, 64)))
    of_map, notes = by_pose(drawn, **drawer)
    assert notes == ["as_map"]
    assert apart(of_photo, of_map) <= 2
    as_it_is, notes = by_pose(photo((64, 64)))
    assert notes == ["as_map"]
    assert apart(as_it_is, of_photo) > 2
