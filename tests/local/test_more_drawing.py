"""ControlNets, weights in 8 bits and models in single files, with the real libraries on tiny models."""

import io

import diffusers
import pytest
import torch
import transformers
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from PIL import Image, ImageDraw
from safetensors.torch import load_file, save_file

from backends.child_side import OrderRefused
from backends.embedded.models.disk import look_for_models
from backends.embedded.payload import model_values
from backends.embedded.work import pipelines
from backends.embedded.work.depths import DepthDrawer, is_depth
from backends.embedded.work.drawing import DiffusersMaker
from backends.embedded.work.edges import edges_of
from backends.embedded.work.loaded import read_pipeline
from backends.embedded.work.orders import ControlFile, LoraFile, ModelFolder, Rung
from tests.local import more_tiny, orders, tiny
from tests.local.orders import apart, draw, opened, png, saved
from tests.local.test_drawing import lora

STEERED = ("sd15", "sdxl", "sd3", "flux", "z-image")
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    return {family: tiny.make(family, root / family) for family in STEERED}


@pytest.fixture(scope="session")
def controls(folders, tmp_path_factory):
    root = tmp_path_factory.mktemp("controls")
    return {
        family: more_tiny.control(read_pipeline(model_of(folders, family), "float32"), root / f"{family}-canny")
        for family in STEERED
    }


@pytest.fixture(scope="module")
def maker():
    return DiffusersMaker("cpu")


def model_of(folders, family):
    return ModelFolder(name=family, path=str(folders[family]), family=family, weights_mb=2)


def order(folders, family, mode="txt2img", **changes):
    return orders.order(model_of(folders, family), mode, **changes)


def shape(side=64):
    picture = Image.new("RGB", (side, side), "white")
    ImageDraw.Draw(picture).rectangle((side // 4, side // 4, 3 * side // 4, 3 * side // 4), fill="black")
    return saved(picture)


def by(controls, family, kind="canny", weight=1.0):
    return (ControlFile(path=str(controls[family]), kind=kind, weight=weight),)


@pytest.mark.parametrize(
    ("family", "mode"), [(family, mode) for family in STEERED for mode in pipelines.STEERED[family]]
)
def test_a_control_net_changes_the_picture_by_its_weight_in_each_mode(maker, folders, controls, family, mode):
    plain = order(folders, family, mode)
    sent = (*plain.pictures, shape())
    first, none, empty = (
        draw(maker, order(folders, family, mode, controls=by(controls, family, weight=weight), pictures=pictures))[0]
        for weight, pictures in ((1.0, sent), (0.0, sent), (1.0, (*plain.pictures, png("white"))))
    )
    assert opened(first).size == (64, 64)
    assert apart(first, none) > 2
    assert apart(first, empty) > 2
    assert maker.notes() == []
    (again,) = draw(maker, order(folders, family, mode, controls=by(controls, family), pictures=sent))
    assert again == first
    assert draw(maker, plain) == draw(maker, plain)


def test_two_steer_together_and_a_map_is_taken_as_it_is(maker, folders, controls):
    two = (*by(controls, "sd15"), *by(controls, "sd15", kind="openpose", weight=0.5))
    (both,) = draw(maker, order(folders, "sd15", controls=two, pictures=(shape(), png("red"))))
    assert maker.notes() == ["as_map"]
    (alone,) = draw(maker, order(folders, "sd15", controls=by(controls, "sd15"), pictures=(shape(),)))
    assert apart(both, alone) > 0


def test_a_damaged_control_net_is_refused_by_name(maker, folders, tmp_path):
    damaged = {"sd15": tmp_path / "broken-canny"}
    damaged["sd15"].mkdir()
    with pytest.raises(OrderRefused, match="ControlNet broken-canny cannot be loaded"):
        draw(maker, order(folders, "sd15", controls=by(damaged, "sd15"), pictures=(shape(),)))


def test_edges_are_thin_lines_where_a_picture_changes():
    edges = edges_of(opened(shape(128))).convert("L")
    assert edges.size == (128, 128)
    assert edges.getpixel((64, 64)) == edges.getpixel((4, 4)) == 0
    row = [edges.getpixel((x, 64)) for x in range(128)]
    assert 2 <= sum(value > 0 for value in row) <= 4
    assert edges_of(Image.new("RGB", (32, 32), "red")).getextrema() == ((0, 0),) * 3


def depth_network(folder):
    torch.manual_seed(2)
    backbone = transformers.Dinov2Config(
        hidden_size=16, num_hidden_layers=4, num_attention_heads=2, image_size=56, out_indices=[1, 2, 3, 4],
        reshape_hidden_states=False,
    )  # fmt: skip
    config = transformers.DepthAnythingConfig(
        backbone_config=backbone, reassemble_hidden_size=16, neck_hidden_sizes=[4, 8, 16, 16], fusion_hidden_size=8,
        head_hidden_size=4, initializer_range=0.2,
    )  # fmt: skip
    transformers.DepthAnythingForDepthEstimation(config).save_pretrained(folder)
    return folder


def test_a_map_of_depth_is_drawn_of_a_picture_and_one_that_is_there_is_taken(maker, folders, controls, tmp_path):
    folder = depth_network(tmp_path / "depth")
    assert look_for_models((tmp_path,), tmp_path / "none").drawers == {"depth": folder}
    colours = Image.open(io.BytesIO(png("red", (96, 64))))
    ImageDraw.Draw(colours).ellipse((20, 10, 60, 50), fill="green")
    drawn = DepthDrawer(folder).draw(colours)
    assert (drawn.size, is_depth(drawn), is_depth(colours)) == ((96, 64), True, False)
    low, high = drawn.convert("L").getextrema()
    assert (low, high) != (0, 0)
    assert DepthDrawer(folder).draw(colours).tobytes() == drawn.tobytes()

    def by_depth(picture, **more):
        control = ControlFile(path=str(controls["sd15"]), kind="depth", weight=1.0, **more)
        return draw(maker, order(folders, "sd15", controls=(control,), pictures=(saved(picture),)))[0], maker.notes()

    of_picture, notes = by_depth(colours, drawer=str(folder))
    assert notes == []
    of_map, notes = by_depth(drawn, drawer=str(folder))
    assert notes == ["as_map"]
    assert apart(of_picture, of_map) <= 2
    as_it_is, notes = by_depth(colours)
    assert notes == ["as_map"]
    assert apart(as_it_is, of_picture) > 2
    with pytest.raises(OrderRefused, match="network broken cannot be loaded"):
        by_depth(colours, drawer=str(tmp_path / "broken"))


@pytest.mark.parametrize("family", ["sd15", "flux", "flux2-klein", "z-image"])
def test_weights_in_8_bits_take_less_room_and_draw_nearly_the_same(tmp_path_factory, family, tmp_path):
    folder = tiny.make(family, tmp_path_factory.mktemp("models") / family)
    model = ModelFolder(name=family, path=str(folder), family=family, weights_mb=2)
    asked = order({family: folder}, family)
    sizes, pictures = [], []
    for rung in (Rung.WHOLE, Rung.EIGHT_BIT):
        maker = DiffusersMaker("cpu")
        maker.load(model, rung)
        previews = []
        pictures += maker.draw(asked, (7,), lambda step, preview, seen=previews: seen.append(preview()))
        part = maker._loaded._base.components.get("transformer") or maker._loaded._base.unet
        sizes.append(sum(values.numel() * values.element_size() for values in part.parameters()))
        kinds = {values.dtype for values in part.parameters()}
        assert maker.draw(asked, (7,), lambda step, preview: None) == pictures[-1:]
    assert sizes[1] < 0.95 * sizes[0], "of a tiny model much is in layers that stay as they are"
    assert torch.float8_e4m3fn in kinds
    assert 0 < apart(*pictures) < 128


def test_a_lora_works_on_weights_in_8_bits(folders, tmp_path):
    maker = DiffusersMaker("cpu")
    maker.load(model_of(folders, "sd15"), Rung.EIGHT_BIT)
    asked = order(folders, "sd15")
    (plain,) = maker.draw(asked, (7,), lambda *_: None)
    with_lora = order(folders, "sd15", loras=(LoraFile(path=lora(tmp_path, "ink"), weight=1.0),))
    (inked,) = maker.draw(with_lora, (7,), lambda *_: None)
    assert apart(plain, inked) > 0
    assert maker.draw(asked, (7,), lambda *_: None) == [plain]


def test_a_model_in_one_file_draws_what_its_folder_draws(maker, folders, tmp_path):
    root = tmp_path / "models"
    more_tiny.one_file(folders["sd15"], root / "mine" / "dream.safetensors")
    assert look_for_models((root,), tmp_path).models == ()
    assert [single.name for single in look_for_models((root,), tmp_path).alone] == ["dream"]
    tiny.make("sd15", root / "base")
    found = {model.name: model for model in look_for_models((root,), tmp_path).models}
    assert {*found} == {"base", "dream"}
    asked = order(folders, "sd15")
    pictures = []
    for name in ("base", "dream"):
        maker.load(ModelFolder(**model_values(found[name])), Rung.WHOLE)
        pictures += maker.draw(asked, (7,), lambda *_: None)
    assert apart(*pictures) <= 2


def test_a_flux_in_one_file_draws_with_the_rest_of_its_family(maker, folders, tmp_path):
    root = tmp_path / "models"
    base = tiny.make("flux", root / "base")
    weights = load_file(next((base / "transformer").glob("*.safetensors")))
    save_file({name: values * 1.05 for name, values in weights.items()}, root / "mine.safetensors")
    found = {model.name: model for model in look_for_models((root,), tmp_path).models}
    assert (found["mine"].steps, found["mine"].is_guided) == (4, False)
    asked = order(folders, "flux")
    pictures = []
    for name in ("base", "mine"):
        maker.load(ModelFolder(**model_values(found[name])), Rung.WHOLE)
        pictures += maker.draw(asked, (7,), lambda *_: None)
    assert apart(*pictures) > 0


def checked(base, folder):
    """Save a model with a safety checker that takes every picture for unsafe."""
    torch.manual_seed(3)
    pipe = diffusers.StableDiffusionPipeline.from_pretrained(base, safety_checker=None, requires_safety_checker=False)
    vision = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
              "image_size": 32, "patch_size": 8}  # fmt: skip
    config = transformers.CLIPConfig(vision_config=vision, text_config={"num_hidden_layers": 1}, projection_dim=8)
    checker = StableDiffusionSafetyChecker(config)
    checker.concept_embeds_weights.data.fill_(-1.0)
    reads = transformers.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    made = diffusers.StableDiffusionPipeline(
        **{**pipe.components, "safety_checker": checker, "feature_extractor": reads}
    )
    made.save_pretrained(folder)
    return folder


def test_a_models_own_safety_checker_holds_pictures_back_in_each_mode(maker, folders, tmp_path):
    folder = checked(folders["sd15"], tmp_path / "checked")
    for mode in ("txt2img", "img2img", "inpaint"):
        draw(maker, order({"sd15": folder}, "sd15", mode, seeds=(7, 8)))
        assert maker.notes() == ["held_back:7", "held_back:8"], mode
    draw(maker, order(folders, "sd15"))
    assert maker.notes() == []
