"""A video in Discord: attached, so that it plays there, or a still of it and the way to it where it is too large."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cogs import delivery
from generation.result import GeneratedImage, GenerationResult
from tests.backends.comfyui.families import FAMILIES, family_info
from tests.backends.comfyui.rig import connect
from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import labels, own
from tests.e2e.pictures import png, rich_backend
from tests.e2e.test_workflows import ask
from tests.engines.comfyui_server import ComfyUIServer
from tests.utils.pictures import picture
from tests.utils.videos import MP4, WEBM

FILM = FAMILIES["Wan, from a picture"]
LOADERS = (
    ("UNETLoader", "unet_name", "wan2.1_i2v_480p_14B_fp16.safetensors"),
    ("CLIPLoader", "clip_name", "umt5_xxl_fp8_e4m3fn_scaled.safetensors"),
    ("VAELoader", "vae_name", "wan_2.1_vae.safetensors"),
)


def filming(*files: bytes):
    engine = rich_backend()
    generate = engine.generate

    async def other(request, report) -> GenerationResult:
        result = await generate(request, report)
        return replace(result, images=tuple(GeneratedImage(data=data, seed=request.seed) for data in files))

    engine.generate = other
    return engine


async def test_a_video_is_attached_as_it_is(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(filming(MP4))
    answer = await easel.dream("!dream a running cat --seed 5")
    [file] = answer.attachments
    assert (file.data, file.filename.rpartition(".")[2]) == (MP4, "mp4")
    assert file.description.startswith("AI video: a running cat")
    assert "96×64" in answer.content
    assert labels(answer) == [["🎲 Re-roll", "✏️ Remix"], ["⭐", "🗑️"], ["More…"]]
    assert own(discord.channel) == [answer]


async def test_several_files_are_attached_each_by_itself(start: StartEasel) -> None:
    easel = await start(filming(MP4, picture(), WEBM))
    answer = await easel.dream()
    assert [file.filename.rpartition(".")[2] for file in answer.attachments] == ["mp4", "png", "webm"]


async def test_one_that_discord_does_not_take_is_a_still_and_a_line(
    start: StartEasel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "DISCORD_FILE_BYTES", len(MP4) - 1)
    easel = await start(filming(MP4))
    answer = await easel.dream()
    [file] = answer.attachments
    assert file.filename.rpartition(".")[2] in ("jpg", "webp")
    assert "more than Discord takes here" in answer.content
    assert "It is in the studio." in answer.content


async def test_where_the_studio_is_open_the_line_is_a_link(
    discord: DiscordServer, start: StartEasel, monkeypatch
) -> None:
    monkeypatch.setattr(delivery, "DISCORD_FILE_BYTES", len(MP4) - 1)
    easel = await start(filming(MP4))
    easel.bot.messages._link_to = lambda image, job: f"https://easel.example.org/api/media/{image.media_id}"
    answer = await easel.dream()
    assert "[Watch it](<https://easel.example.org/api/media/" in answer.content


async def test_a_picture_becomes_a_video_by_a_workflow_of_comfyui(start: StartEasel) -> None:
    async with ComfyUIServer() as comfyui:
        comfyui.engine.info = family_info()._classes | {
            loader: {**reported, "input": {"required": {key: [[file], {}]}}}
            for loader, key, file in LOADERS
            for reported in (family_info()._classes[loader],)
        }
        easel = await start(connect(comfyui))
        shown = await ask(easel, "add", file=("film.json", FILM.read_bytes()), name="film")
        assert "needs a picture to start from" in shown
        answer = await easel.dream("!dream it runs --workflow film --frames 17 --fps 8", attachments=[("a.png", png())])
        [file] = answer.attachments
        assert (file.data, file.filename.rpartition(".")[2]) == (MP4, "mp4")
        graph = comfyui.engine.submitted[-1].graph
        assert graph["6"]["inputs"]["text"] == "it runs"
        assert graph["52"]["inputs"]["image"].startswith("easel/")
        assert comfyui.engine.locate(graph["52"]["inputs"]["image"]) in comfyui.engine.files
        assert (graph["50"]["inputs"]["length"], graph["60"]["inputs"]["fps"]) == (17, 8.0)
        refused = await easel.answer_to(await easel.say("!dream it runs --workflow film"))
        assert "needs a picture to start from" in refused.content
        assert len(comfyui.engine.submitted) == 1
