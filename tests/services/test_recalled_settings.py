"""Parameters in pictures of other programs: read from every file they write, and what cannot be used is named."""

import io
import json
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from generation.request import Draft, HiresFix
from services.pictures.pictures import draft_from, parameters_in, unused_in

CASES = Path(__file__).parents[1] / "data/cases"
WORDS = "a château 城 on a hill, (masterpiece:1.2)"
A1111 = f"{WORDS}\nNegative prompt: ugly\nSteps: 28, Sampler: Euler a, CFG scale: 6.5, Seed: 1234567, Size: 512x768"


async def read(data: bytes) -> Draft:
    found = await parameters_in(data)
    assert found is not None, "nothing was read"
    return draft_from(found)


@pytest.mark.parametrize(
    ("file", "prompt", "negative", "seed", "steps", "cfg", "size"),
    [
        ("21-meta-comfy_prompt.png", "a castle", "ugly", 42, 20, 8, (512, 768)),
        ("21-meta-novelai.png", "1girl, {{castle}}", "lowres, bad anatomy", 3000000000, 28, 5, (832, 1216)),
        ("21-meta-invokeai.png", "dark painting", "frame", 1554095076, 50, 15, (832, 1216)),
        ("21-meta-swarmui.png", "a castle", "ugly", 777, 20, 7, (1024, 1024)),
        ("21-meta-fooocus.png", "a castle", "ugly", 123456789, 30, 4, (1152, 896)),
        ("22-usercomment-utf16le.jpg", WORDS, "ugly, blurry", 1234567, 28, 6.5, (512, 768)),
        ("22b-usercomment-utf8.jpg", WORDS, "ugly, blurry", 1234567, 28, 6.5, (512, 768)),
        ("23-meta-seed-over-32-bits.png", "cat", "dog", 156680208700286, 20, 7, (512, 512)),
    ],
)
async def test_the_files_of_other_programs_are_read(
    file: str, prompt: str, negative: str, seed: int, steps: int, cfg: float, size: tuple[int, int]
) -> None:
    draft = await read((CASES / file).read_bytes())
    assert (draft.prompt, draft.negative_prompt) == (prompt, negative)
    assert (draft.seed, draft.steps, draft.cfg_scale, (draft.width, draft.height)) == (seed, steps, cfg, size)


async def test_the_names_a_comfyui_graph_says_are_kept() -> None:
    draft = await read((CASES / "21-meta-comfy_prompt.png").read_bytes())
    assert (draft.sampler, draft.scheduler) == ("euler", "normal")
    assert draft.model


async def test_a_hires_fix_to_a_size_keeps_its_strength() -> None:
    draft = await read((CASES / "23b-meta-hires-resize.png").read_bytes())
    assert draft.hires == HiresFix(factor=2, denoising_strength=0.4, upscaler="Latent")
    assert draft.denoising_strength is None


def file_with(comment: bytes, kind: str, tag: int = 0x9286, *, outside: bool = False) -> bytes:
    exif = Image.Exif()
    (exif if outside else exif.get_ifd(0x8769))[tag] = comment
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, kind, exif=exif)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
@pytest.mark.parametrize("head", [b"UNICODE\0", b"ASCII\0\0\0", bytes(8), b""])
@pytest.mark.parametrize(
    "body",
    [
        A1111.encode("utf-16-be"),
        A1111.encode("utf-16-le"),
        b"\xfe\xff" + A1111.encode("utf-16-be"),
        b"\xff\xfe" + A1111.encode("utf-16-le"),
        A1111.encode(),
        b"\xef\xbb\xbf" + A1111.encode(),
        A1111.encode("utf-16-le") + b"\0\0",
    ],
)
async def test_a_comment_is_read_in_every_unicode(kind: str, head: bytes, body: bytes) -> None:
    draft = await read(file_with(head + body, kind))
    assert (draft.prompt, draft.seed) == (WORDS, 1234567)


@pytest.mark.parametrize("tag", [0x9286, 0x9C9C, 0x010E])
@pytest.mark.parametrize("body", [A1111.encode("utf-16-le"), A1111.encode()])
async def test_a_comment_outside_of_its_directory_is_read(tag: int, body: bytes) -> None:
    draft = await read(file_with(body, "JPEG", tag, outside=True))
    assert (draft.prompt, draft.seed) == (WORDS, 1234567)


def png(**texts: str) -> bytes:
    info = PngInfo()
    for name, text in texts.items():
        info.add_itxt(name.replace("__", "-"), text)
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG", pnginfo=info)
    return out.getvalue()


EASY = {"prompt": "a fox", "negative_prompt": "hat", "seed": 5, "num_inference_steps": 25, "guidance_scale": 7.5,
        "width": 512, "height": 640, "sampler_name": "euler_a", "use_stable_diffusion_model": "m/dream.safetensors",
        "use_vae_model": "kl-f8", "clip_skip": True}  # fmt: skip
DRAW = {"c": "a fox", "uc": "hat", "seed": 5, "steps": 25, "scale": 7.5, "size": "512x640", "strength": 1,
        "sampler": "Euler Ancestral", "model": "dream.ckpt", "v2": {"clipSkip": 2}}  # fmt: skip
OLD_INVOKE = {"model_weights": "dream", "image": {"prompt": [{"prompt": "a fox [hat]", "weight": 1}], "steps": 25,
              "cfg_scale": 7.5, "sampler": "k_euler_a", "seed": 5, "width": 512, "height": 640}}  # fmt: skip
SWARM = {"sui_image_params": {"prompt": "a fox", "negativeprompt": "hat", "seed": 5, "steps": 25, "cfgscale": 7.5,
         "width": 512, "height": 640, "model": "dream", "vae": "kl-f8"}}  # fmt: skip
NOVEL = {"prompt": "a fox", "uc": "hat", "seed": 5, "steps": 25, "scale": 7.5, "width": 512, "height": 640}
FOOOCUS = {"prompt": "a fox", "negative_prompt": "hat", "seed": "5", "steps": 25, "guidance_scale": 7.5,
           "resolution": "(512, 640)", "base_model": "dream", "styles": "['Fooocus V2']", "vae": "kl-f8",
           "metadata_scheme": "fooocus"}  # fmt: skip
DREAM = '"a fox [hat]" -s 25 -S 5 -W 512 -H 640 -C 7.5 -A k_euler_a'


@pytest.mark.parametrize(
    "data",
    [
        png(**{key: str(value) for key, value in EASY.items()}),
        file_with(b"UNICODE\0" + json.dumps(EASY).encode("utf-16-be"), "JPEG"),
        file_with(b"ASCII\0\0\0" + json.dumps(DRAW).encode(), "JPEG"),
        file_with(b"ASCII\0\0\0" + json.dumps(DRAW).encode(), "WEBP"),
        png(UserComment=json.dumps(DRAW), parameters=json.dumps(DRAW)),
        png(sd__metadata=json.dumps(OLD_INVOKE)),
        png(Dream=DREAM),
        png(parameters=json.dumps(SWARM)),
        file_with(b"UNICODE\0" + json.dumps(SWARM).encode("utf-16-le"), "WEBP"),
        png(Comment=json.dumps(NOVEL), Description="a fox", Software="NovelAI"),
        file_with(b"ASCII\0\0\0" + json.dumps({"Comment": json.dumps(NOVEL)}).encode(), "WEBP"),
        png(parameters=json.dumps(FOOOCUS)),
        file_with(json.dumps(FOOOCUS).encode(), "JPEG"),
    ],
)
async def test_every_program_is_read_in_every_file(data: bytes) -> None:
    draft = await read(data)
    assert (draft.prompt, draft.negative_prompt, draft.seed, draft.steps) == ("a fox", "hat", 5, 25)
    assert (draft.cfg_scale, draft.width, draft.height) == (7.5, 512, 640)


@pytest.mark.parametrize("app", ["Version: v1.10.1", "Version: f2.0.1v1.10.1", "App: SD.Next, Operations: txt2img"])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
async def test_a1111_forge_and_sdnext_are_read_in_every_file(app: str, kind: str) -> None:
    text = f"{A1111}, Model: dream, {app}"
    data = png(parameters=text) if kind == "PNG" else file_with(b"UNICODE\0" + text.encode("utf-16-be"), kind)
    draft = await read(data)
    assert (draft.prompt, draft.seed, draft.steps) == (WORDS, 1234567, 28)
    assert (draft.sampler, draft.model) == ("Euler a", "dream")


async def test_clip_skip_and_vae_are_kept() -> None:
    easy = await read(png(**{key: str(value) for key, value in EASY.items()}))
    assert (easy.clip_skip, easy.vae, easy.model) == (2, "kl-f8", "dream")
    assert (await read(png(parameters=json.dumps(DRAW)))).clip_skip == 2


GRAPH = {
    "1": {"class_type": "UNETLoader", "inputs": {"unet_name": "sub\\flux.safetensors"}},
    "2": {"class_type": "LoraLoaderModelOnly", "inputs": {"model": ["1", 0], "lora_name": "ink.safetensors",
                                                          "strength_model": 0.7}},
    "3": {"class_type": "CLIPTextEncode", "inputs": {"clip": ["9", 0], "text": ["4", 0]}},
    "4": {"class_type": "PrimitiveString", "inputs": {"value": "a fox"}},
    "5": {"class_type": "FluxGuidance", "inputs": {"conditioning": ["3", 0], "guidance": 3.5}},
    "6": {"class_type": "BasicGuider", "inputs": {"model": ["2", 0], "conditioning": ["5", 0]}},
    "7": {"class_type": "RandomNoise", "inputs": {"noise_seed": 2**63}},
    "8": {"class_type": "BasicScheduler", "inputs": {"model": ["2", 0], "scheduler": "simple", "steps": 25}},
    "10": {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler"}},
    "11": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 640, "batch_size": 1}},
    "12": {"class_type": "SamplerCustomAdvanced", "inputs": {"noise": ["7", 0], "guider": ["6", 0],
                                                             "sampler": ["10", 0],
        "sigmas": ["8", 0],
        "latent_image": ["11", 0]}},
}  # fmt: skip


@pytest.mark.parametrize("place", ["png", "webp"])
async def test_a_graph_of_many_parts_is_read(place: str) -> None:
    text = json.dumps(GRAPH)
    data = png(prompt=text) if place == "png" else file_with(f"prompt:{text}".encode(), "WEBP", 0x0110, outside=True)
    draft = await read(data)
    assert (draft.prompt, draft.seed, draft.steps, draft.guidance) == ("a fox", 2**63, 25, 3.5)
    assert (draft.width, draft.height, draft.model, draft.scheduler) == (512, 640, "flux", "simple")
    assert [(lora.name, lora.weight) for lora in draft.loras] == [("ink", 0.7)]


async def test_lines_that_add_ons_write_behind_the_settings_are_no_prompt() -> None:
    found = await parameters_in(png(parameters=f"{A1111}\nTemplate: a __place__\nNegative Template: ugly"))
    assert found
    draft = draft_from(found)
    assert (draft.prompt, draft.negative_prompt, draft.seed) == (WORDS, "ugly", 1234567)
    assert "Template a __place__" in unused_in(found)


@pytest.mark.parametrize("quote", ["&quot;", "&#34;", "&#x22;"])
async def test_draw_things_is_read_however_its_xmp_is_written(quote: str) -> None:
    text = json.dumps(DRAW | {"c": "a &#22478;"}).replace('"', quote)
    xmp = f"<x><exif:UserComment><rdf:Alt><rdf:li>{text}</rdf:li></rdf:Alt></exif:UserComment></x>"
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", xmp)
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG", pnginfo=info)
    draft = await read(out.getvalue())
    assert (draft.prompt, draft.negative_prompt, draft.seed) == ("a 城", "hat", 5)


async def test_a_prompt_of_midjourney_is_read_with_its_flags() -> None:
    job = "Job ID: 12345678-1234-1234-1234-123456789012"
    found = await parameters_in(png(Description=f"a fox -- in snow --no hat, scarf --seed 5 --ar 16:9 --tile {job}"))
    assert found
    draft = draft_from(found)
    assert (draft.prompt, draft.negative_prompt, draft.seed) == ("a fox -- in snow", "hat, scarf", 5)
    assert "ar 16:9" in unused_in(found)
    assert await parameters_in(png(Description="a fox --seed 5")) is None


async def test_what_is_said_of_each_character_is_named() -> None:
    captions = [{"char_caption": "blue hair", "centers": []}, {"char_caption": "a hat"}]
    v4 = {"caption": {"base_caption": "a fox", "char_captions": captions}}
    found = await parameters_in(png(Comment=json.dumps(NOVEL | {"v4_prompt": v4}), Software="NovelAI"))
    assert found
    assert "Character prompts blue hair; a hat" in unused_in(found)


async def test_what_cannot_be_used_is_named() -> None:
    text = A1111.replace("Steps: 28", "Steps: 28000") + ", Refiner: sdxl_refiner, Refiner switch at: 0.8"
    found = await parameters_in(png(parameters=text))
    assert found is not None
    assert unused_in(found) == ("Steps 28000", "Refiner sdxl_refiner", "Refiner switch at 0.8")


@pytest.mark.parametrize(
    "text", ["{", "{}", "[" * 100_000, '{"prompt": ' + "[" * 50_000, '{"sui_image_params": 3}', '{"c": 1, "uc": []}']
)
async def test_a_hostile_text_says_nothing_and_breaks_nothing(text: str) -> None:
    for data in (
        png(parameters=text, prompt=text, Comment=text, invokeai_metadata=text),
        file_with(text.encode(), "WEBP"),
    ):
        await parameters_in(data)
