"""Models and LoRAs that are found on this machine."""

from backends.embedded.models.disk import INCOMPLETE, hub_folder, look_for_models, snapshot_of
from backends.embedded.models.families import FAMILIES
from backends.embedded.models.known import known_models
from tests.backends.embedded.shelves import CLASSES, put_control, put_file, put_in_hub, put_lora, put_model


def names(shelf):
    return [model.name for model in shelf.models]


def test_a_model_of_each_family_is_recognised_by_what_its_folder_says(tmp_path):
    for family in CLASSES:
        put_model(tmp_path / f"my {family}", family, mb=3)
    shelf = look_for_models((tmp_path,), tmp_path / "none")
    assert {model.family.name for model in shelf.models} == {*FAMILIES}
    assert {model.weights_mb for model in shelf.models} == {3}


def test_what_is_no_model_is_passed_over(tmp_path):
    put_model(tmp_path / "video", "WanPipeline")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "model_index.json").write_text("{")
    (tmp_path / "list").mkdir()
    (tmp_path / "list" / "model_index.json").write_text("[]")
    assert names(look_for_models((tmp_path, tmp_path / "none"), tmp_path / "none")) == []


def test_a_folder_may_itself_be_a_model(tmp_path):
    put_model(tmp_path / "fox", "sdxl")
    assert names(look_for_models((tmp_path / "fox",), tmp_path / "none")) == ["fox"]


def test_the_hubs_models_go_by_their_short_names(tmp_path):
    put_in_hub(tmp_path, "black-forest-labs/FLUX.1-schnell", "flux", guidance=False)
    put_in_hub(tmp_path, "somebody/fine-fox", "sd15")
    shelf = look_for_models((), tmp_path)
    assert names(shelf) == ["flux-schnell", "fine-fox"]
    schnell = shelf.models[0]
    assert (schnell.title, schnell.steps, schnell.is_guided) == ("FLUX.1 schnell", 4, False)


def test_a_model_that_is_not_whole_yet_is_not_there(tmp_path):
    place = put_in_hub(tmp_path, "somebody/fine-fox", "sd15")
    (place / INCOMPLETE).touch()
    assert names(look_for_models((), tmp_path)) == []
    assert snapshot_of(tmp_path, "somebody/fine-fox") is None
    (place / INCOMPLETE).unlink()
    assert snapshot_of(tmp_path, "somebody/fine-fox") == place


def test_flux_without_guidance_draws_in_four_steps(tmp_path):
    put_model(tmp_path / "quick", "flux", guidance=False)
    put_model(tmp_path / "slow", "flux", guidance=True)
    assert [(m.name, m.steps, m.is_guided) for m in look_for_models((tmp_path,), tmp_path / "none").models] == [
        ("quick", 4, False), ("slow", 28, True),
    ]  # fmt: skip


def test_loras_are_found_in_their_folder_and_by_a_part_of_their_name(tmp_path):
    put_lora(tmp_path, "ink-wash-v2")
    shelf = look_for_models((tmp_path,), tmp_path / "none")
    assert [path.stem for path in shelf.loras] == ["ink-wash-v2"]
    assert shelf.lora("Ink Wash") == tmp_path / "loras" / "ink-wash-v2.safetensors"
    assert shelf.lora("oil") is None


def test_control_nets_are_found_by_what_their_names_say_and_fit_by_their_width(tmp_path):
    put_model(tmp_path / "fox", "sd15", width=768)
    put_model(tmp_path / "big", "sdxl", width=2048)
    for name, width in (("sd15_canny", 768), ("controlnet-depth-sdxl", 2048), ("nothing said", 768)):
        put_control(tmp_path / "controlnet" / name, width)
    known = known_models()["sd15-openpose"]
    put_control(put_in_hub(tmp_path / "hub", known.repo, "none"), 768)
    shelf = look_for_models((tmp_path,), tmp_path / "hub")
    fitting = {model.name: [control.name for control in shelf.controls_for(model)] for model in shelf.models}
    assert fitting == {"fox": ["sd15_canny", "sd15-openpose"], "big": ["controlnet-depth-sdxl"]}
    assert [control.kind for control in shelf.controls] == ["depth", "canny", "openpose"]


def test_single_files_are_recognised_by_their_weights_and_need_one_of_their_family(tmp_path):
    clip = "cond_stage_model.transformer.text_model.embeddings.position_ids"
    put_file(tmp_path / "dream.safetensors", clip, "model.diffusion_model.input_blocks.0.0.weight")
    put_file(tmp_path / "large.safetensors", "conditioner.embedders.1.model.ln_final.weight")
    put_file(tmp_path / "quick.safetensors", "double_blocks.0.img_attn.qkv.weight", "single_blocks.0.linear1.weight")
    put_file(tmp_path / "part.safetensors", "decoder.conv_in.weight")
    put_file(tmp_path / "vae" / "other.safetensors", clip, "model.diffusion_model.input_blocks.0.0.weight")
    (tmp_path / "short.safetensors").write_bytes(b"\x05")
    shelf = look_for_models((tmp_path,), tmp_path / "none")
    assert {single.name: single.family for single in shelf.alone} == {"dream": "sd15", "large": "sdxl", "quick": "flux"}
    put_model(tmp_path / "fox", "sd15")
    put_model(tmp_path / "dev", "flux", guidance=True)
    shelf = look_for_models((tmp_path,), tmp_path / "none")
    assert names(shelf) == ["dev", "fox", "dream"]
    assert shelf.models[-1].path == tmp_path / "fox"
    assert shelf.models[-1].file == tmp_path / "dream.safetensors"
    assert [single.name for single in shelf.alone] == ["large", "quick"], (
        "a model with guidance lends a quick one nothing"
    )


def test_the_hub_is_where_hf_home_says(tmp_path):
    assert hub_folder(str(tmp_path)) == tmp_path / "hub"
    assert hub_folder("").parts[-3:] == (".cache", "huggingface", "hub")


def test_each_known_model_has_a_family_a_licence_and_a_size():
    for model in known_models().values():
        assert model.family in FAMILIES or model.map, model.name
        assert model.licence
        assert model.licence_url.startswith("https://")
        assert 0 < model.size_gb < 100
        assert model.only
        assert not model.base or model.base in known_models()
    assert not known_models()["flux-dev"].is_commercial
