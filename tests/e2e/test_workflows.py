"""`/workflow`: an export is uploaded, shown, corrected and drawn with, on the stand-in for ComfyUI."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from PIL import Image

from tests.backends.comfyui.rig import connect
from tests.backends.comfyui.test_lacking import lacking
from tests.backends.comfyui.test_several_pictures import PLACES, three_pictures
from tests.discord_server import DiscordServer, Message
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, is_finished, job_id, own
from tests.e2e.pictures import png
from tests.engines.comfyui_engine import DATA, Failed
from tests.engines.comfyui_server import ComfyUIServer
from tests.fakes import FakeBackend
from tests.waiting import until

API = (DATA / "workflows" / "txt2img_sd15.api.json").read_bytes()
EDITOR = (DATA / "editor" / "plain.json").read_bytes().replace(b"tiny.safetensors", b"sd15_tiny.safetensors")
SMALL = "--size 64x64 --steps 2"


@pytest.fixture
async def comfyui() -> AsyncIterator[ComfyUIServer]:
    async with ComfyUIServer() as server:
        yield server


async def ask(easel: Easel, what: str, user: str = "mia", **options: Any) -> str:
    server = easel.server
    result = await server.user(user).slash(server.channel, f"workflow {what}", **options)
    reported = await server.wait_for(
        lambda: [item for item in (*result.followups, result.message) if item and item.content]
    )
    assert all(item.ephemeral for item in reported)
    return str(reported[0].content)


async def add(easel: Easel, content: bytes = API, user: str = "mia", **options: Any) -> str:
    return await ask(easel, "add", user, file=("portrait_api.json", content), **options)


def sent(comfyui: ComfyUIServer) -> dict[str, Any]:
    """Return the graph of the last job."""
    return dict(comfyui.engine.submitted[-1].graph)


async def test_upload_is_shown_corrected_drawn_with_and_rerolled(
    discord: DiscordServer, start: StartEasel, comfyui: ComfyUIServer
) -> None:
    easel = await start(connect(comfyui))
    shown = await add(easel, name="portrait")
    assert "prompt: Positive (CLIPTextEncode), node 6, text" in shown
    assert "`/generate prompt:a red fox workflow:portrait`" in shown
    assert "steps: KSampler, node 3, steps" in shown

    first = await easel.dream(f"!dream a red fox --workflow portrait {SMALL} --seed 7")
    assert first.attachments
    assert sent(comfyui)["6"]["inputs"]["text"] == "a red fox"
    assert sent(comfyui)["3"]["inputs"]["seed"] == 7

    shown = await ask(easel, "set", name="portrait", field="prompt", value="7.text")
    assert "prompt: Negative (CLIPTextEncode), node 7, text" in shown
    assert "on an older one draws with what it had" in shown
    result = await easel.slash(f"a lighthouse {SMALL}", workflow="portrait")
    await easel.finished(result.original)
    assert sent(comfyui)["7"]["inputs"]["text"] == "a lighthouse"

    assert "is forgotten" in await ask(easel, "delete", name="portrait")
    again = await reroll(discord, first)
    assert again.attachments
    assert sent(comfyui)["6"]["inputs"]["text"] == "a red fox"
    assert sent(comfyui)["3"]["inputs"]["seed"] != 7


async def reroll(discord: DiscordServer, message: Message) -> Message:
    before = own(discord.channel)
    button = next(label for label in message.buttons if "roll" in label.casefold())
    await discord.user("mia").click(message, button)
    return await discord.wait_for(
        lambda: next((item for item in own(discord.channel) if item not in before and is_finished(item)), None)
    )


async def test_another_comfyui_takes_over_with_the_same_workflow(start: StartEasel, comfyui: ComfyUIServer) -> None:
    async with ComfyUIServer() as second:
        easel = await start(connect(comfyui), connect(second, name="gpu2"))
        await add(easel, name="portrait")
        comfyui.engine.fail_with = Failed("OutOfMemoryError", "out of memory")
        answer = await easel.dream(f"!dream a red fox --workflow portrait {SMALL}")
        assert answer.attachments
        assert "moved to gpu2" in answer.content
        assert sent(second)["6"]["inputs"]["text"] == "a red fox"


async def test_killed_easel_goes_on_with_a_workflow(start: StartEasel, comfyui: ComfyUIServer) -> None:
    easel = await start(connect(comfyui))
    await add(easel, name="portrait")
    await ask(easel, "set", name="portrait", field="width", value="none")
    comfyui.engine.hold()
    answer = await easel.answer_to(await easel.say("!dream a red fox --workflow portrait --steps 2"))
    async with asyncio.timeout(5):
        while not (await easel.job(job_id(answer))).remote_id:
            await asyncio.sleep(0.01)
    await easel.kill()
    comfyui.engine.release()
    easel.backends = [connect(comfyui)]
    await easel.start()
    await easel.finished(answer)
    assert answer.attachments
    assert "workflow portrait" in answer.content
    assert "size set by the workflow" in answer.content
    assert len(comfyui.engine.submitted) == 1


async def test_steps_without_a_place_are_told_as_ignored(start: StartEasel, comfyui: ComfyUIServer) -> None:
    easel = await start(connect(comfyui))
    await add(easel, name="portrait")
    await ask(easel, "set", name="portrait", field="steps", value="none")
    answer = await easel.dream("!dream a red fox --workflow portrait --size 64x64 --steps 9")
    assert "steps ignored: this workflow has no place for them" in answer.content


async def test_file_of_the_editor_is_drawn_with(start: StartEasel, comfyui: ComfyUIServer) -> None:
    easel = await start(connect(comfyui))
    assert "prompt: Positive (CLIPTextEncode), node 6, text" in await add(easel, EDITOR, name="portrait")
    answer = await easel.dream(f"!dream a red fox --workflow portrait {SMALL} --seed 7")
    assert answer.attachments
    assert sent(comfyui)["6"]["inputs"]["text"] == "a red fox"
    assert sent(comfyui)["3"]["inputs"]["scheduler"] == "karras"


async def test_node_of_the_editor_that_cannot_be_converted_is_named(start: StartEasel, comfyui: ComfyUIServer) -> None:
    easel = await start(connect(comfyui))
    reported = await add(easel, EDITOR.replace(b"[512,768,2]", b'["wide",768,2]'))
    assert "EmptyLatentImage, node 5: it was saved with 3 values" in reported
    assert "Export (API)" in reported
    assert "No workflow yet" in await ask(easel, "list")


async def test_missing_node_is_named_before_anything_is_queued(start: StartEasel, comfyui: ComfyUIServer) -> None:
    easel = await start(connect(comfyui))
    graph = json.loads(API)
    graph["8"]["class_type"] = "FancyDecode"
    assert "lacks a node the workflow needs: FancyDecode" in await add(easel, json.dumps(graph).encode())
    await add(easel, name="portrait")
    comfyui.engine.info.pop("VAEDecode")
    await easel.now.registry.refresh("gpu1")
    answer = await easel.answer_to(await easel.say("!dream a fox --workflow portrait"))
    assert "lacks a node the workflow needs: VAEDecode" in answer.content
    assert comfyui.engine.submitted == []


async def test_picture_goes_to_the_engine_that_runs_workflows(start: StartEasel, comfyui: ComfyUIServer) -> None:
    other = FakeBackend("a1111")
    easel = await start(other, connect(comfyui))
    await add(easel)
    assert "portrait api" in await ask(easel, "list")
    answer = await easel.dream(f'!dream a red fox --workflow "portrait api" {SMALL}')
    assert "on gpu1" in answer.content
    answer = await easel.answer_to(await easel.say("!dream a fox --workflow portrait --backend a1111"))
    assert "it runs no workflows" in answer.content
    assert other.requests == []


async def test_workflow_is_its_owners_and_a_servers_is_everybodys(
    discord: DiscordServer, start: StartEasel, comfyui: ComfyUIServer
) -> None:
    easel = await start(connect(comfyui))
    await add(easel, name="mine")
    assert "no workflow “mine”" in await ask(easel, "show", "ann", name="mine")
    assert "may manage this server" in await add(easel, name="ours", for_server=True)
    discord.user("boss", permissions=("MANAGE_GUILD",))
    await add(easel, user="boss", name="ours", for_server=True)
    shown = await ask(easel, "show", "ann", name="ours")
    assert "this server’s" in shown
    choices = await discord.user("mia").autocomplete(discord.channel, "workflow show", "name", "")
    assert [choice["value"] for choice in choices] == ["mine", "ours"]
    choices = await discord.user("ann").autocomplete(discord.channel, "dream", "workflow", "", prompt="a fox")
    assert [choice["value"] for choice in choices] == ["ours"]
    choices = await discord.user("ann").autocomplete(discord.channel, "workflow delete", "name", "our")
    assert [choice["value"] for choice in choices] == ["ours"]
    assert "no workflow “ours”" in await ask(easel, "delete", "ann", name="ours")


async def test_prefix_command_does_the_same(start: StartEasel, comfyui: ComfyUIServer) -> None:
    easel = await start(connect(comfyui))

    async def say(text: str, **options: Any) -> str:
        return str((await easel.answer_to(await easel.say(text, **options))).content)

    assert "node 6, text" in await say("!workflow add portrait", attachments=[("a.json", API)])
    assert "node 7, text" in await say("!workflow set portrait prompt 7.text")
    assert "It has: text" in await say("!workflow set portrait prompt 7.words")
    assert "portrait · yours" in await say("!workflow")
    assert "node 7, text" in await say("!workflow show portrait")
    assert "is forgotten" in await say("!workflow delete portrait")
    assert "`workflow add NAME`" in await say("!workflow dance")


async def test_an_option_of_its_own_is_set_suggested_drawn_with_and_rerolled(
    discord: DiscordServer, start: StartEasel, comfyui: ComfyUIServer
) -> None:
    easel = await start(connect(comfyui))
    await add(easel, name="portrait")
    shown = await ask(easel, "set", name="portrait", field="option detail", value="3.denoise --range 0..2")
    assert "option --detail: KSampler, node 3, denoise, 0 to 2" in shown
    offered = await discord.user("mia").autocomplete(
        discord.channel, "generate", "options", "de", prompt="a", workflow="portrait"
    )
    assert [choice["value"] for choice in offered] == ["--detail "]
    await easel.slash(f"a red fox {SMALL}", workflow="portrait", options="--detail 0.5")
    await until(lambda: comfyui.engine.submitted)
    assert sent(comfyui)["3"]["inputs"]["denoise"] == 0.5
    first = await easel.dream(f"!dream a red fox --workflow portrait --detail 0.25 {SMALL} --seed 8")
    assert sent(comfyui)["3"]["inputs"]["denoise"] == 0.25
    await discord.user("mia").click(first, "Re-roll")
    await until(lambda: len(comfyui.engine.submitted) == 3)
    assert sent(comfyui)["3"]["inputs"]["denoise"] == 0.25
    refused = await easel.answer_to(await easel.say(f"!dream a red fox --workflow portrait --detail 3 {SMALL}"))
    assert "--detail cannot be “3”" in refused.content


async def test_an_option_named_like_one_of_easel_s_takes_its_place_in_this_workflow(
    discord: DiscordServer, start: StartEasel, comfyui: ComfyUIServer
) -> None:
    easel = await start(connect(comfyui))
    await add(easel, name="portrait")
    await add(easel, name="plain")
    shown = await ask(easel, "set", name="portrait", field="option strength", value="3.cfg --range 0..2")
    assert "option --strength: KSampler, node 3, cfg, 0 to 2; --strength sets this" in shown
    assert "denoising strength:" not in shown
    for strength in ("1.5", "0.5"):
        first = await easel.dream(f"!dream a red fox --workflow portrait --strength {strength} {SMALL} --seed 8")
        assert sent(comfyui)["3"]["inputs"]["cfg"] == float(strength)
        assert sent(comfyui)["3"]["inputs"]["denoise"] == 1
    await reroll(discord, first)
    assert sent(comfyui)["3"]["inputs"]["cfg"] == 0.5
    result = await easel.slash(f"a fox {SMALL}", workflow="portrait", options="--strength 1.25")
    await easel.finished(result.original)
    assert sent(comfyui)["3"]["inputs"]["cfg"] == 1.25
    result = await easel.slash(f"a fox {SMALL}", workflow="portrait", strength=0.75)
    await easel.finished(result.original)
    assert sent(comfyui)["3"]["inputs"]["cfg"] == 0.75
    count = len(comfyui.engine.submitted)
    for text, why in (
        (f"!dream a fox --workflow portrait --strength 2.5 {SMALL}", "--strength cannot be “2.5”"),
        (f"!dream a fox --workflow plain --strength 1.5 {SMALL}", "Denoising strength cannot be “1.5”"),
        (f"!dream a fox --strength 1.5 {SMALL}", "Denoising strength cannot be “1.5”"),
    ):
        assert why in (await easel.answer_to(await easel.say(text))).content
    assert len(comfyui.engine.submitted) == count


PICTURES = [("a.png", png(64, "navy")), ("b.png", png(32, "red")), ("c.png", png(16, "green"))]


async def with_three(easel: Easel, comfyui: ComfyUIServer) -> None:
    lists = comfyui.engine.info["ControlNetLoader"]["input"]["required"]["control_net_name"]
    (lists[0] if isinstance(lists[0], list) else lists[1]["options"]).append("tiny_controlnet.safetensors")
    await easel.now.registry.refresh("gpu1")
    await add(easel, three_pictures(), name="three")


def sizes(comfyui: ComfyUIServer) -> list[tuple[int, int]]:
    """Return the sizes of the pictures in the places of the last job, in order."""
    graph = sent(comfyui)
    files = [comfyui.engine.files[comfyui.engine.locate(graph[node]["inputs"]["image"])] for node in PLACES]
    return [Image.open(io.BytesIO(file)).size for file in files]


async def test_several_attachments_fill_several_places_and_a_reroll_keeps_them(
    discord: DiscordServer, start: StartEasel, comfyui: ComfyUIServer
) -> None:
    easel = await start(connect(comfyui))
    await with_three(easel, comfyui)
    answer = await easel.dream("!dream a red fox --workflow three --steps 2 --seed 7", attachments=PICTURES)
    assert "not used" not in answer.content
    assert sizes(comfyui) == [(64, 64), (32, 32), (16, 16)]
    assert (await reroll(discord, answer)).attachments
    assert sizes(comfyui) == [(64, 64), (32, 32), (16, 16)]
    assert len(comfyui.engine.submitted) == 2


async def test_a_reply_brings_the_picture_it_answers_behind_its_own(start: StartEasel, comfyui: ComfyUIServer) -> None:
    easel = await start(connect(comfyui))
    await with_three(easel, comfyui)
    shown = await easel.say("look at these", attachments=PICTURES[1:])
    text = "!dream a red fox --workflow three --steps 2"
    await easel.finished(await easel.answer_to(await easel.say(text, attachments=PICTURES[:1], reply_to=shown)))
    assert sizes(comfyui) == [(64, 64), (32, 32), (16, 16)]


async def test_slash_options_bring_several_pictures_in_order(start: StartEasel, comfyui: ComfyUIServer) -> None:
    easel = await start(connect(comfyui))
    await with_three(easel, comfyui)
    first, second, third = PICTURES
    result = await easel.slash("a fox --steps 2", workflow="three", image=first, image2=second, image3=third)
    await easel.finished(result.original)
    assert sizes(comfyui) == [(64, 64), (32, 32), (16, 16)]


async def test_pictures_beyond_the_places_are_said_by_name(start: StartEasel, comfyui: ComfyUIServer) -> None:
    easel = await start(connect(comfyui))
    await add(easel, (DATA / "workflows" / "img2img_sd15.api.json").read_bytes(), name="one")
    files = [*PICTURES[:2], ("notes.txt", b"hello")]
    answer = await easel.dream("!dream a red fox --workflow one --steps 2", attachments=files)
    line = "not used: notes.txt (only pictures are), b.png (one picture is drawn from)"
    assert line in answer.content.replace("\\", "")


async def test_a_model_the_server_lacks_is_named_and_overridden(start: StartEasel, comfyui: ComfyUIServer) -> None:
    easel = await start(connect(comfyui))
    shown = await add(easel, lacking("model")[0], name="portrait")
    assert "no model “gone.safetensors”" in shown
    assert "no model “gone.safetensors”" in await ask(easel, "show", name="portrait")
    answer = await easel.answer_to(await easel.say(f"!dream a red fox --workflow portrait {SMALL}"))
    assert "no model “gone.safetensors”" in answer.content
    assert "say another with --model" in answer.content
    assert comfyui.engine.submitted == []
    answer = await easel.dream(f"!dream a red fox --workflow portrait --model sdxl_tiny {SMALL}")
    assert answer.attachments
    assert sent(comfyui)["4"]["inputs"]["ckpt_name"] == "sdxl_tiny.safetensors"
    assert "gone" not in await ask(easel, "set", name="portrait", field="model", value="sdxl_tiny")
    assert (await easel.dream(f"!dream a blue fox --workflow portrait {SMALL}")).attachments
    assert sent(comfyui)["4"]["inputs"]["ckpt_name"] == "sdxl_tiny.safetensors"
