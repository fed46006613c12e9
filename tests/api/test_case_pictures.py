"""Pictures as people have them, brought by HTTP: how they were made, how they come back, what a mask of them means."""

import base64
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

CASES = Path(__file__).parents[1] / "data/cases"
WORDS = "a château 城 on a hill, (masterpiece:1.2)"


def case(name: str) -> bytes:
    (path,) = CASES.glob(f"{name}*")
    return path.read_bytes()


async def recalled(client: Any, name: str) -> dict[str, Any]:
    answer = await client.post("/api/recall", content=case(name))
    assert answer.status_code == 200, answer.text
    return answer.json()["draft"]


@pytest.mark.parametrize(
    ("name", "reply"),
    [
        ("21-meta-comfy_prompt", {"prompt": "a castle", "negative_prompt": "ugly", "seed": 42, "steps": 20,
                                  "cfg_scale": 8, "width": 512, "height": 768}),
        ("21-meta-novelai", {"prompt": "1girl, {{castle}}", "seed": 3000000000, "steps": 28, "cfg_scale": 5,
                             "width": 832, "height": 1216}),
        ("21-meta-invokeai", {"prompt": "dark painting", "negative_prompt": "frame", "seed": 1554095076, "steps": 50,
                              "cfg_scale": 15}),
        ("21-meta-swarmui", {"prompt": "a castle", "negative_prompt": "ugly", "seed": 777, "steps": 20, "cfg_scale": 7,
                             "width": 1024, "height": 1024}),
        ("21-meta-fooocus", {"prompt": "a castle", "negative_prompt": "ugly", "seed": 123456789, "steps": 30,
                             "cfg_scale": 4, "width": 1152, "height": 896}),
        ("22-usercomment-utf16le", {"prompt": WORDS, "seed": 1234567}),
        ("22b-usercomment-utf8", {"prompt": WORDS, "seed": 1234567}),
        ("23-meta-seed-over-32-bits", {"seed": 156680208700286}),
    ],
)  # fmt: skip
async def test_what_made_a_picture_is_read_from_every_programs_file(client, name, reply):
    draft = await recalled(client, name)
    assert {field: draft.get(field) if field != "seed" else int(draft["seed"]) for field in reply} == reply


async def test_a_hires_fix_is_read_with_its_own_strength(client):
    draft = await recalled(client, "23b")
    assert (draft["hires"]["factor"], draft["hires"]["denoising_strength"]) == (2, 0.4)
    assert draft.get("denoising_strength") is None


async def brought(client: Any, name: str) -> Image.Image:
    """Upload a case and open what comes back for it."""
    answer = await client.post("/api/uploads", content=case(name))
    assert answer.status_code == 201, answer.text
    data = (await client.get(f"/api/media/{answer.json()['media_id']}")).content
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


async def test_a_wide_gamut_picture_comes_back_in_srgb(client):
    image = await brought(client, "24-icc")
    assert "icc_profile" not in image.info
    red, green = image.getpixel((1, image.height // 2)), image.getpixel((image.width - 2, image.height // 2))
    assert max(abs(a - b) for a, b in zip(red[:3], (252, 0, 6), strict=True)) <= 3
    assert max(abs(a - b) for a, b in zip(green[:3], (0, 225, 0), strict=True)) <= 3


@pytest.mark.parametrize(
    ("name", "size"), [("25-card", (120, 80)), ("26-jpeg-without-end-marker", (600, 400)), ("29-png", (64, 64))]
)
async def test_what_every_viewer_shows_is_taken(client, name, size):
    assert (await brought(client, name)).size == size


@pytest.mark.parametrize("name", ["28-mask-red-brush", "28b-mask-erased-picture"])
async def test_a_painted_mask_changes_its_left_half_and_leaves_the_right_to_the_byte(client, name):
    source = Image.new("RGB", (256, 256), (30, 120, 200))
    out = io.BytesIO()
    source.save(out, "PNG")
    body = {
        "prompt": "a fox",
        "imageUrl": "data:image/png;base64," + base64.b64encode(out.getvalue()).decode(),
        "mask": "data:image/png;base64," + base64.b64encode(case(name)).decode(),
        "editType": "inpaint",
        "seed": 5,
    }
    answer = await client.post("/api/images/edit", json=body)
    assert answer.status_code == 200, answer.text
    url = str(answer.json()).partition("/api/media/")[2].partition("'")[0].partition('"')[0]
    image = Image.open(io.BytesIO((await client.get(f"/api/media/{url}")).content)).convert("RGB")
    assert image.size == (256, 256)
    assert {image.getpixel((x, y)) for x in range(160, 256, 8) for y in range(0, 256, 8)} == {(30, 120, 200)}
    assert {image.getpixel((x, y)) for x in range(16, 96, 8) for y in range(96, 160, 8)} != {(30, 120, 200)}
