"""ControlNets for several kinds of pictures, and those of Stable Diffusion 3.5 large, on tiny models made here."""

import json
from types import SimpleNamespace

import pytest
import torch
from diffusers import ControlNetUnionModel, FluxControlNetModel, SD3ControlNetModel
from PIL import Image

from backends.embedded.models.disk import look_for_models
from backends.embedded.payload import draw_order
from backends.embedded.work.drawing import DiffusersMaker
from backends.embedded.work.loaded import read_pipeline
from backends.embedded.work.orders import ChildOrder, ControlFile, ModelFolder, Rung
from backends.embedded.work.steering import _pixels
from generation.request import ControlUnit, GenerationRequest, Mode, SourceImage
from tests.local import tiny
from tests.local.more_tiny import OUTER
from tests.local.orders import apart, mask, png
from tests.local.test_more_drawing import shape

FAMILIES = ("sdxl", "flux", "sd3")
ZERO = ("controlnet", *OUTER, "spatial_ch_projs")  # layers that begin with nothing
torch.set_num_threads(1)


def made_for(base, family):
    """Make a ControlNet for a model in memory, as the public ones are configured."""
    torch.manual_seed(1)
    if family == "sdxl":
        config = {name: value for name, value in base.unet.config.items() if name in USED}
        return ControlNetUnionModel(
            **config, conditioning_embedding_out_channels=(16, 32), num_control_type=6, num_trans_channel=32,
            num_trans_head=2, num_proj_channel=32,
        )  # fmt: skip
    if family == "flux":
        return FluxControlNetModel(
            patch_size=1, in_channels=16, num_layers=1, num_single_layers=1, attention_head_dim=16,
            num_attention_heads=2, joint_attention_dim=32, pooled_projection_dim=32, axes_dims_rope=[4, 4, 8],
            num_mode=5,
        )  # fmt: skip
    return SD3ControlNetModel(
        sample_size=32, patch_size=1, in_channels=16, num_layers=1, attention_head_dim=8, num_attention_heads=4,
        joint_attention_dim=None, caption_projection_dim=32, pooled_projection_dim=64, use_pos_embed=False,
        pos_embed_type=None, force_zeros_for_pooled_projection=True,
    )  # fmt: skip


USED = {
    "down_block_types", "block_out_channels", "layers_per_block", "cross_attention_dim", "attention_head_dim",
    "use_linear_projection", "addition_embed_type", "addition_time_embed_dim", "transformer_layers_per_block",
    "projection_class_embeddings_input_dim",
}  # fmt: skip


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    for family in FAMILIES:
        folder = tiny.make(family, root / family)
        base = read_pipeline(ModelFolder(name=family, path=str(folder), family=family), "float32")
        net = made_for(base, family)
        with torch.no_grad():
            for name, values in net.named_parameters():
                if any(part in name for part in ZERO):
                    values.copy_(torch.randn_like(values) * 0.3)
        net.save_pretrained(root / {"sd3": "sd35-large-canny"}.get(family, f"{family}-union"))
    return look_for_models((root,), root / "none")


@pytest.fixture(scope="module")
def maker():
    return DiffusersMaker("cpu")


def drawn(maker, shelf, family, *units, mode="txt2img", count=1):
    """Draw what a request becomes, all the way."""
    model = next(model for model in shelf.models if model.name == family)
    sources = {"txt2img": {}, "img2img": {"init_image": png("red")}}
    sources["inpaint"] = sources["img2img"] | {"mask_image": mask()}
    values = {name: SourceImage.of(data, 64, 64) for name, data in sources[mode].items()}
    request = GenerationRequest(
        prompt="a red fox", width=64, height=64, steps=3, cfg_scale=3.0, seed=7, mode=Mode(mode), batch_size=count,
        control=tuple(ControlUnit(kind=kind, image=SourceImage.of(shape(), 64, 64)) for kind in units), **values,
    )  # fmt: skip
    order = ChildOrder.read(*draw_order(request, model, shelf))
    maker.load(order.model, Rung.WHOLE)
    return maker.draw(order, order.seeds, lambda step, preview: None)


@pytest.mark.parametrize("family", ["sdxl", "flux"])
@pytest.mark.parametrize("mode", ["txt2img", "img2img", "inpaint"])
def test_one_for_several_kinds_is_told_its_kind_in_each_mode(maker, shelf, family, mode):
    plain, by_tile, by_pose = (
        drawn(maker, shelf, family, *kinds, mode=mode, count=2) for kinds in ((), ("depth",), ("openpose",))
    )
    assert len({*plain, *by_tile, *by_pose}) == 6
    assert min(apart(by_tile[0], by_pose[0]), apart(plain[0], by_tile[0])) > 0
    assert drawn(maker, shelf, family, "depth", mode=mode, count=2) == by_tile


@pytest.mark.parametrize("family", ["sdxl", "flux"])
@pytest.mark.parametrize("mode", ["txt2img", "inpaint"])
def test_one_takes_several_pictures_of_several_kinds(maker, shelf, family, mode):
    (both,) = drawn(maker, shelf, family, "canny", "openpose", mode=mode)
    (alone,) = drawn(maker, shelf, family, "canny", mode=mode)
    assert apart(both, alone) > 0


def test_one_of_sd35_large_steers_and_reads_edges_on_its_own_scale(maker, shelf):
    (plain,), (by_edges,) = drawn(maker, shelf, "sd3"), drawn(maker, shelf, "sd3", "canny")
    assert apart(plain, by_edges) > 0
    network, edges = SimpleNamespace(config={"use_pos_embed": False}), ControlFile(path="", kind="canny", weight=1.0)
    read = _pixels(Image.new("RGB", (2, 2), "white"), edges, network)
    assert (tuple(read.shape), float(read.max())) == ((1, 3, 2, 2), 128.0)
    assert [(net.kind, net.words_width, net.inner_width) for net in shelf.controls if "sd35" in net.name] == [
        ("canny", 0, 32)
    ]


def test_one_saved_under_the_name_of_others_is_known_by_its_weights(shelf, tmp_path):
    (path,) = {net.path for net in shelf.controls if net.is_union}
    config = json.loads((path / "config.json").read_text())
    place = tmp_path / "my-union"
    place.mkdir()
    (place / "config.json").write_text(json.dumps(config | {"_class_name": "ControlNetModel"}))
    (place / "diffusion_pytorch_model.safetensors").symlink_to(path / "diffusion_pytorch_model.safetensors")
    found = look_for_models((tmp_path,), tmp_path / "none").controls
    assert {net.class_name for net in found} == {"ControlNetUnionModel"}
    assert len(found) == 9
