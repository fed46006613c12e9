"""Workflows as people have them, run by a real ComfyUI: what was asked for lies where it belongs, nothing else moved.

Each graph is compared with the one that the server says it ran. Custom nodes are ours, in the way of public ones.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from backends.comfyui.backend import ComfyUIBackend
from tests.real.comfy_graphs import film, node, plain
from tests.real.studio import SMALL, WORDS, Studio, changes
from tests.utils.pictures import noise, opened

pytestmark = pytest.mark.timeout(300)

CASES = Path(__file__).parent.parent / "data" / "cases" / "comfyui"
FOX, DOG = WORDS["prompt"], WORDS["negative_prompt"]
SETTINGS = {"3.seed": 42, "3.steps": 2}
SIZE = {"5.width": 64, "5.height": 96}
PLAIN = {"6.text": FOX, "7.text": DOG, **SETTINGS, **SIZE}


def case(name: str) -> dict[str, Any]:
    (path,) = CASES.glob(f"{name}-*.json")
    reported: dict[str, Any] = json.loads(path.read_text())
    return reported


def quick(name: str) -> dict[str, Any]:
    """Return a case that would look at a million pixels with fewer, and with what this version asks for beside."""
    reported = case(name)
    for item in reported.values():
        if item["class_type"].startswith("TextEncodeQwenImageEdit"):
            del item["inputs"]["vae"]  # without one it scales the picture up for its eyes only
        if item["class_type"] == "ImageScaleToTotalPixels":
            item["inputs"] |= {"megapixels": 0.01, "resolution_steps": 1}
        if item["class_type"] == "FluxKontextImageScale":
            item |= {"class_type": "ImageScale", "inputs": item["inputs"] | {
                "upscale_method": "lanczos", "width": 64, "height": 64, "crop": "center",
            }}  # fmt: skip
    return reported


def nodes_of(reported: dict[str, Any]) -> dict[str, Any]:
    """Return the nodes alone, out of an envelope or beside other keys."""
    reported = reported.get("output", reported)
    return {node: item for node, item in reported.items() if isinstance(item, dict) and "class_type" in item}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("05", {"6.text": FOX, "7.text": DOG, "41.seed": 42, "3.steps": 2, **SIZE}),
        ("06", {"32.text": FOX, "7.text": DOG, **SETTINGS, **SIZE}),
        ("07", {"32.value": FOX, "7.text": DOG, **SETTINGS, **SIZE}),
        ("08", dict.fromkeys(("16.clip_l", "16.clip_g", "16.t5xxl", "16.llama"), FOX)
               | {"40.text": DOG, **SETTINGS, "53.width": 64, "53.height": 96}),
        ("08b", dict.fromkeys(("6.clip_l", "6.clip_g", "6.t5xxl"), FOX) | {"7.text": DOG, **SETTINGS, **SIZE}),
        ("11", {"6.text": FOX, "7.text": DOG, "15.text": FOX, "16.text": DOG, "11.noise_seed": 42, "3.steps": 2,
                "3.end_at_step": 2, "11.steps": 2, "11.start_at_step": 2, **SIZE}),
        ("12", PLAIN),
        ("14", PLAIN),
        ("14b", PLAIN),
        ("15", {"1.positive": FOX, "1.negative": DOG, "1.empty_latent_width": 64, "1.empty_latent_height": 96,
                "2.seed": 42, "2.steps": 2}),
        ("16", PLAIN),
        ("16b", {"6.text": FOX, "40.text": DOG, "25.noise_seed": 42, "17.steps": 2, "27.width": 64, "27.height": 96}),
        ("16c", {"1.positive": FOX, "1.negative": DOG, "1.empty_latent_width": 64, "1.empty_latent_height": 96,
                 "2.seed": 42, "2.steps": 2}),
        ("16d", {"6.user_prompt": FOX, "7.text": DOG, **SETTINGS, **SIZE}),
        ("17", PLAIN),
    ],
)  # fmt: skip
async def test_words_seed_steps_and_size_go_where_they_belong(
    studio: Studio, name: str, expected: dict[str, Any]
) -> None:
    await studio.keep(case(name))
    job, ran = await studio.drawn(workflow="w", **WORDS)
    assert changes(nodes_of(case(name)), ran) == expected
    picture = opened(await studio.file(job))
    if any(place.endswith("width") for place in expected):
        assert picture.size == (SMALL["width"], SMALL["height"])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("09", {"6.text": FOX, "31.seed": 42, "31.steps": 2, "142.image": "UPLOAD", "42.height": 96}),
        ("09b", {"76.prompt": FOX, "77.prompt": DOG, **SETTINGS, "78.image": "UPLOAD"}),
        ("09c", {**{place: value for place, value in PLAIN.items() if place != "5.width"}, "10.image": "UPLOAD"}),
        ("10", {"76.prompt": FOX, "77.prompt": DOG, **SETTINGS, "78.image": "UPLOAD", "88.width": 64,
                "88.height": 96}),
    ],
)  # fmt: skip
async def test_picture_goes_to_its_first_place_and_strength_stays_as_exported(
    studio: Studio, name: str, expected: dict[str, Any]
) -> None:
    await studio.keep(quick(name))
    media_id = await studio.upload(noise((64, 96)))
    words = WORDS if DOG in expected.values() else {"prompt": FOX}
    job, ran = await studio.drawn(workflow="w", init_image=media_id, **words)
    found = changes(quick(name), ran)
    sent = {place: value for place, value in found.items() if str(value).endswith("[temp]")}
    assert found | dict.fromkeys(sent, "UPLOAD") == expected
    assert job["images"]


async def test_strength_that_was_said_is_set(studio: Studio) -> None:
    await studio.keep(quick("09"))
    media_id = await studio.upload(noise((64, 96)))
    _, ran = await studio.drawn(workflow="w", init_image=media_id, denoising_strength=0.5, prompt=FOX)
    assert ran["31"]["inputs"]["denoise"] == 0.5


async def test_picture_that_is_only_previewed_is_no_place_for_one(studio: Studio) -> None:
    await studio.keep(case("12"))
    media_id = await studio.upload(noise((64, 96)))
    reply = await studio.refused(workflow="w", init_image=media_id, **WORDS)
    assert reply.endswith("the workflow “w” has no place for a picture: draw without one.")


async def test_weight_of_a_lora_in_a_row_is_set(studio: Studio) -> None:
    await studio.keep(case("20"))
    loras = [{"name": "tiny_style.safetensors", "weight": 0.5}]
    _, ran = await studio.drawn(workflow="w", loras=loras, **WORDS)
    row = {"on": True, "lora": "tiny_style.safetensors", "strength": 0.5}
    assert changes(case("20"), ran) == {**PLAIN, "44.lora_1": row}


async def test_node_that_saves_in_silence_is_told_of_before_and_after(studio: Studio, backend: ComfyUIBackend) -> None:
    lines = (await backend.read_workflow(json.dumps(case("18")).encode())).lines
    assert "node 9 may report no picture while show_previews is false: switch it on" in lines
    await studio.keep(case("18"))
    job = await studio.draw(workflow="w", **WORDS)
    assert (job["status"], job["error"]["message"]) == ("failed", "comfyui finished without a picture.")
    loud = case("18")
    loud["9"]["inputs"]["show_previews"] = "true"
    await studio.keep(loud)
    job, ran = await studio.drawn(workflow="w", **WORDS)
    assert changes(loud, ran) == PLAIN


async def test_input_that_an_old_export_lacks_has_the_servers_default(studio: Studio) -> None:
    old = quick("09b")
    (scale,) = [node for node, reported in old.items() if reported["class_type"] == "ImageScaleToTotalPixels"]
    assert "resolution_steps" not in case("09b")[scale]["inputs"]
    del old[scale]["inputs"]["resolution_steps"]
    await studio.keep(old)
    media_id = await studio.upload(noise((64, 96)))
    _, ran = await studio.drawn(workflow="w", init_image=media_id, **WORDS)
    assert ran[scale]["inputs"]["resolution_steps"] == 1


@pytest.mark.parametrize(
    ("class_type", "inputs"),
    [
        ("CLIPTextEncodeFlux", {"clip_l": "WORDS", "t5xxl": "WORDS", "guidance": 3.5}),
        ("CLIPTextEncodeSDXL", {"width": 1024, "height": 1024, "crop_w": 0, "crop_h": 0, "target_width": 1024,
                                "target_height": 1024, "text_g": "WORDS", "text_l": "WORDS"}),
        ("CLIPTextEncodeHunyuanDiT", {"bert": "WORDS", "mt5xl": "WORDS"}),
        ("CLIPTextEncodeSD3", {"clip_l": "WORDS", "clip_g": "WORDS", "t5xxl": "WORDS", "empty_padding": "none"}),
        ("CLIPTextEncodeHiDream", dict.fromkeys(("clip_l", "clip_g", "t5xxl", "llama"), "WORDS")),
        ("CLIPTextEncodeLumina2", {"system_prompt": "superior", "user_prompt": "WORDS"}),
    ],
)  # fmt: skip
async def test_encoder_gets_its_words_in_all_its_texts(studio: Studio, class_type: str, inputs: dict[str, Any]) -> None:
    def side(words: str) -> dict[str, Any]:
        return node(class_type, clip=["4", 1], **{name: words if reported == "WORDS" else reported
                                                  for name, reported in inputs.items()})  # fmt: skip

    graph = plain(n6=side("a dog"), n7=side("ugly"))
    await studio.keep(graph)
    _, ran = await studio.drawn(workflow="w", **WORDS, guidance=None)
    texts = [name for name, reported in inputs.items() if reported == "WORDS"]
    expected = {f"6.{name}": FOX for name in texts} | {f"7.{name}": DOG for name in texts}
    assert changes(graph, ran) == {**expected, "3.seed": 42, "5.height": 96}


async def test_words_go_through_contexts_one_behind_the_other(studio: Studio) -> None:
    graph = case("05")
    graph["50"] = node("Context Big (rgthree)", base_ctx=["40", 0])
    for name, output in (("model", 1), ("positive", 4), ("negative", 5), ("latent_image", 6), ("seed", 8)):
        graph["3"]["inputs"][name] = ["50", output]
    await studio.keep(graph)
    _, ran = await studio.drawn(workflow="w", **WORDS)
    assert changes(graph, ran) == {"6.text": FOX, "7.text": DOG, "41.seed": 42, "3.steps": 2, **SIZE}


async def test_words_are_joined_to_those_of_the_export(studio: Studio) -> None:
    graph = plain(
        n6=node("CLIPTextEncode", text=["31", 0], clip=["4", 1]),
        n31=node("StringConcatenate", string_a="masterpiece", string_b=["32", 0], delimiter=", "),
        n32=node("PrimitiveStringMultiline", value="a dog"),
    )
    await studio.keep(graph)
    _, ran = await studio.drawn(workflow="w", **WORDS)
    assert changes(graph, ran) == {"32.value": FOX, "7.text": DOG, "3.seed": 42, "5.height": 96}


async def test_pictures_that_would_come_over_the_websocket_become_files(studio: Studio) -> None:
    graph = plain(n9=node("SaveImageWebsocket", images=["8", 0]))
    await studio.keep(graph)
    job, ran = await studio.drawn(workflow="w", **WORDS)
    assert ran["9"]["class_type"] == "PreviewImage"
    assert opened(await studio.file(job)).size == (SMALL["width"], SMALL["height"])


VIDEO = node("CreateVideo", images=["8", 0], fps=8.0)


@pytest.mark.parametrize(
    ("saving", "media_type", "begin"),
    [
        ({"n30": VIDEO, "n31": node("SaveVideo", video=["30", 0], filename_prefix="f", format="mp4", codec="h264")},
         "video/mp4", b"ftyp"),
        ({"n30": VIDEO, "n31": node("SaveVideo", video=["30", 0], filename_prefix="f", format="auto", codec="auto")},
         "video/mp4", b"ftyp"),
        ({"n31": node("SaveWEBM", images=["8", 0], filename_prefix="f", codec="vp9", fps=8.0, crf=32.0)},
         "video/webm", b"webm"),
        ({"n31": node("VHS_VideoCombine", images=["8", 0], frame_rate=8, loop_count=0, filename_prefix="f",
                      format="video/h264-mp4", pingpong=False, save_output=True)}, "video/mp4", b"ftyp"),
    ],
    ids=["SaveVideo mp4", "SaveVideo auto", "SaveWEBM", "gifs"],
)  # fmt: skip
async def test_film_comes_as_a_film(studio: Studio, saving: dict[str, Any], media_type: str, begin: bytes) -> None:
    graph = film(**saving)
    await studio.keep(graph)
    job, ran = await studio.drawn(workflow="w", **WORDS)
    assert changes(graph, ran) == {"6.text": FOX, "7.text": DOG, "3.seed": 42, "5.height": 96}
    (video,) = job["images"]
    assert (video["media_type"], video["width"], video["height"]) == (media_type, 64, 96)
    assert begin in (await studio.file(job))[:64]


async def test_wrapper_with_both_texts_in_one_node_and_types_of_its_own(studio: Studio) -> None:
    graph = {
        "4": plain()["4"],
        "16": node("WanVideoTextEncode", positive_prompt="a dog runs", negative_prompt="bad", t5=["4", 1]),
        "37": node("WanVideoEmptyEmbeds", width=832, height=480, num_frames=5),
        "27": node("WanVideoSampler", model=["4", 0], image_embeds=["37", 0], text_embeds=["16", 0], steps=30, cfg=6.0,
                   shift=5.0, seed=1057, scheduler="unipc"),
        "28": node("VAEDecode", samples=["27", 0], vae=["4", 2]),
        "30": node("VHS_VideoCombine", images=["28", 0], frame_rate=16, loop_count=0, filename_prefix="wan",
                   format="video/h264-mp4", pingpong=False, save_output=True),
    }  # fmt: skip
    await studio.keep(graph)
    job, ran = await studio.drawn(workflow="w", **WORDS)
    assert changes(graph, ran) == {
        "16.positive_prompt": FOX, "16.negative_prompt": DOG, "27.seed": 42, "27.steps": 2, "37.width": 64,
        "37.height": 96,
    }  # fmt: skip
    assert job["images"][0]["media_type"] == "video/mp4"
