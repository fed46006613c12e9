"""Models in `.gguf` files with the real libraries: weights that stay packed draw nearly the same."""

import pytest
import torch
from diffusers.quantizers.gguf.utils import SUPPORTED_GGUF_QUANT_TYPES
from gguf import GGMLQuantizationType as Kind
from safetensors.torch import save_file

from backends.child_side import OrderRefused
from backends.embedded.models.disk import look_for_models
from backends.embedded.models.gguf import UNPACKED
from backends.embedded.payload import model_values
from backends.embedded.work.drawing import DiffusersMaker
from backends.embedded.work.orders import LoraFile, ModelFolder, Rung
from tests.local import tiny
from tests.local.orders import MODES, apart, opened, order
from tests.local.packed import first_authors, packed

FAMILIES = ("flux", "sd3", "flux2-klein", "z-image")
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    for family in FAMILIES:
        packed(tiny.make(family, root / family), root / "own" / f"mine-{family}.gguf")
    packed(root / "z-image", root / "own" / "first.gguf", names=first_authors)
    packed(root / "z-image", root / "own" / "half.gguf", names=first_authors, kind=Kind.BF16)
    packed(root / "flux", root / "own" / "half-flux.gguf", kind=Kind.BF16)
    packed(root / "flux", root / "own" / "other.gguf", factor=1.2)
    return root


@pytest.fixture(scope="module")
def found(root):
    return {model.name: model for model in look_for_models((root,), root / "none").models}


@pytest.fixture(scope="module")
def maker():
    return DiffusersMaker("cpu")


def drawn(maker, found, name, mode="txt2img", **changes):
    model = ModelFolder(**model_values(found[name]))
    maker.load(model, Rung.WHOLE)
    asked = order(model, mode, **changes)
    (picture,) = maker.draw(asked, (7,), lambda *_: None)
    return picture


def layers(maker):
    return {values.dtype for values in maker._loaded._base.transformer.parameters()}


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_draws_with_packed_weights_in_each_mode(maker, found, family):
    name = f"mine-{family}"
    assert (found[name].family.name, found[name].path) == (family, found[family].path)
    for mode in MODES:
        picture = drawn(maker, found, name, mode)
        assert torch.uint8 in layers(maker), "they stay packed"
        assert picture == drawn(maker, found, name, mode)
        assert opened(picture).size == (64, 64)
        assert apart(picture, drawn(maker, found, family, mode)) <= 4


def test_the_first_authors_names_and_other_packings_draw_the_same(maker, found):
    plain = drawn(maker, found, "z-image")
    assert apart(drawn(maker, found, "first"), plain) <= 4
    assert apart(drawn(maker, found, "half"), plain) <= 4
    flux = drawn(maker, found, "flux")
    assert apart(drawn(maker, found, "half-flux"), flux) <= 4
    assert apart(drawn(maker, found, "other"), flux) > 0
    assert drawn(maker, found, "other") != drawn(maker, found, "mine-flux")


def test_a_lora_works_on_packed_weights_and_is_gone_afterwards(maker, found, tmp_path):
    random = torch.Generator().manual_seed(1)
    place = "transformer.transformer_blocks.0.attn"
    weights = {}
    for part in ("to_q", "to_k", "to_v"):
        weights[f"{place}.{part}.lora_A.weight"] = torch.randn(4, 32, generator=random)
        weights[f"{place}.{part}.lora_B.weight"] = torch.randn(32, 4, generator=random)
    path = tmp_path / "ink.safetensors"
    save_file(weights, path)
    plain = drawn(maker, found, "mine-flux")
    inked = drawn(maker, found, "mine-flux", loras=(LoraFile(path=str(path), weight=1.0),))
    assert apart(plain, inked) > 0
    assert drawn(maker, found, "mine-flux") == plain


def test_the_packings_that_can_be_read_are_those_of_the_library():
    assert all(Kind(number).name == name for number, name in UNPACKED.items())
    assert {kind.name for kind in SUPPORTED_GGUF_QUANT_TYPES} | {"F32", "F16"} == {*UNPACKED.values()}


def test_a_file_that_does_not_fit_or_is_cut_off_is_refused_by_name(maker, root, tmp_path):
    with open(root / "own" / "first.gguf", "rb") as file:
        head = file.read()[:20_000]
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(head)
    sd3 = root / "own" / "mine-sd3.gguf"
    for path, family in ((cut, "flux"), (sd3, "flux")):
        model = ModelFolder(name=path.stem, path=str(root / family), family=family, file=str(path))
        with pytest.raises(OrderRefused, match=f"The file {path.name} is damaged, or does not fit the model flux"):
            maker.load(model, Rung.WHOLE)


def test_decoding_in_tiles_draws_with_packed_weights(found):
    maker = DiffusersMaker("cpu")
    model = ModelFolder(**model_values(found["mine-flux"]))
    maker.load(model, Rung.TILED)
    asked = order(model, width=128, height=128)
    assert opened(maker.draw(asked, (7,), lambda *_: None)[0]).size == (128, 128)
