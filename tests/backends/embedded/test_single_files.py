"""Models in single files: which family one is of, which model lends it what it lacks, and which cannot be read."""

import struct

import pytest

from backends.embedded.models import gguf
from backends.embedded.models.disk import look_for_models
from backends.embedded.models.machine import Gpu, OwnMachine
from backends.embedded.models.single import SingleFile, single_file
from tests.backends.embedded.shelves import put_file, put_gguf, put_model

FLUX = {"double_blocks.0.img_attn.qkv.weight": (96, 32), "single_blocks.0.linear1.weight": (96, 32)}
KLEIN = {**FLUX, "double_stream_modulation_img.lin.weight": (96, 32), "txt_in.weight": (32, 7680)}
SD3 = {"model.diffusion_model.joint_blocks.0.x_block.attn.qkv.weight": (96, 32)}
Z_IMAGE = {"x_pad_token": (1, 32), "layers.0.attention.qkv.weight": (96, 32), "cap_embedder.1.weight": (32, 2560)}
UNET = {"input_blocks.0.0.weight": (32, 4, 3, 3)}
WORDS = {"blk.0.attn_q.weight": (32, 32), "token_embd.weight": (32, 32)}
TEXTS = (
    ("general.architecture", 8, struct.pack("<Q", 4) + b"flux"),
    ("general.alignment", 4, struct.pack("<I", 32)),
    ("comfy.shapes", 9, struct.pack("<IQ", 5, 3) + bytes(12)),
    ("general.tags", 9, struct.pack("<IQ", 8, 2) + (struct.pack("<Q", 3) + b"fox") * 2),
)


def shelf_of(folder, **more):
    return look_for_models((folder,), folder / "none", **more)


@pytest.mark.parametrize(
    ("shapes", "family", "width"),
    [(FLUX, "flux", 0), (KLEIN, "flux2-klein", 7680), (SD3, "sd3", 0), (Z_IMAGE, "z-image", 2560)],
)
@pytest.mark.parametrize("suffix", [".gguf", ".safetensors"])
def test_the_part_that_draws_is_recognised_in_both_forms(tmp_path, shapes, family, width, suffix):
    path = tmp_path / f"fox{suffix}"
    found = single_file(put_gguf(path, shapes, values=TEXTS) if suffix == ".gguf" else put_file(path, **shapes))
    assert isinstance(found, SingleFile)
    assert (found.name, found.family, found.words_width, found.is_part) == ("fox", family, width, True)


def test_it_draws_with_the_rest_of_a_model_of_its_family_whose_words_are_as_wide(tmp_path):
    put_gguf(tmp_path / "quick.gguf", KLEIN)
    small = put_model(tmp_path / "nine", "flux2-klein", config={"joint_attention_dim": 12288})
    assert [single.name for single in shelf_of(tmp_path).alone] == ["quick"]
    put_model(tmp_path / "four", "flux2-klein", mb=3, config={"joint_attention_dim": 7680})
    with open(tmp_path / "four" / "transformer" / "model.safetensors", "wb") as file:
        file.truncate(50 * 2**20)
    found = {model.name: model for model in shelf_of(tmp_path).models}
    assert found["quick"].path == tmp_path / "four" != small
    assert (found["four"].weights_mb, found["quick"].weights_mb) == (53, 3), "what the file replaces does not count"


def test_a_file_that_cannot_be_drawn_with_is_named_with_the_reason(tmp_path):
    put_gguf(tmp_path / "old.gguf", UNET)
    put_gguf(tmp_path / "tight.gguf", FLUX, packing=17)
    put_gguf(tmp_path / "odd.gguf", FLUX, packing=99)
    put_gguf(tmp_path / "words.gguf", WORDS)
    (tmp_path / "cut.gguf").write_bytes(put_gguf(tmp_path / "whole.gguf", FLUX).read_bytes()[:40])
    shelf = shelf_of(tmp_path)
    assert {file.name: file.why for file in shelf.unread} == {
        "old.gguf": "of this family only .safetensors files can be read, or folders",
        "tight.gguf": "its weights are packed as IQ2_XS, which cannot be read here",
        "odd.gguf": "its weights are packed as 99, which cannot be read here",
    }
    assert [single.name for single in shelf.alone] == ["whole"]
    without = shelf_of(tmp_path, has_gguf=False)
    assert next(file.why for file in without.unread if file.name == "whole.gguf") == (
        "the package gguf is not installed: `make run GPU=1` installs it"
    )
    assert without.alone == ()


@pytest.mark.parametrize(
    "data",
    [
        b"", b"GGUF", b"GGML" + bytes(20), b"GGUF" + struct.pack("<IQQ", 1, 0, 0),
        b"GGUF" + struct.pack("<IQQ", 3, 2**60, 0), b"GGUF" + struct.pack("<IQQ", 3, 1, 0) + struct.pack("<Q", 2**62),
        b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1) + b"x" + struct.pack("<I", 77),
        b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1) + b"x" + struct.pack("<IIQ", 9, 4, 2**60),
    ],
)  # fmt: skip
def test_a_damaged_head_is_no_model_and_costs_nothing(tmp_path, data):
    (tmp_path / "bad.gguf").write_bytes(data)
    assert gguf.read_head(tmp_path / "bad.gguf") is None
    assert shelf_of(tmp_path).models == ()


def test_packed_weights_are_not_packed_once_more_where_memory_is_short(tmp_path):
    put_model(tmp_path / "base", "flux", mb=9000, guidance=False)
    with open(put_gguf(tmp_path / "quick.gguf", FLUX), "ab") as file:
        file.truncate(6000 * 2**20)
    machine = OwnMachine(gpus=(Gpu(name="small", total_mb=14_000),), memory_mb=60_000)
    fits = {model.name: machine.fit(model)[0] for model in shelf_of(tmp_path).models}
    assert fits == {"base": "whole", "quick": "parts"}
