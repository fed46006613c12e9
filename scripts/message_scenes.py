"""One scene for each kind of message: what people do in the local Discord, and what they then see.

`SCENES` names them; each says which commands it shows. A command without a scene fails `tests/test_screenshots.py`.
"""

import io
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from PIL import Image, ImageOps

from backends.base import BackendConfig, ProgressCallback
from backends.diagnose import Diagnosis, DiagnosisStep
from easel_sketch.backend import SketchBackend
from generation.capabilities import Capabilities, ModelInfo
from generation.errors import BackendUnavailable, OutOfMemory
from generation.request import GenerationRequest, Mode, SourceImage
from generation.result import GenerationResult
from scripts.discord_page import form_html, message_html
from tests.discord_server import Interaction, Message
from tests.e2e.harness import Easel, more
from tests.fakes import FakeBackend

FOX: Final = "a red fox in a snowy forest, morning light"
URL: Final = "https://forge.example.com"
FAILED: Final = (DiagnosisStep(layer="connect", is_ok=False, message="refused"),)


class PaintingEngine(FakeBackend):
    """A web UI whose pictures the sketch paints; `hold` keeps it at half of each."""

    def __init__(self, name: str, **more: Any) -> None:
        names = ("dreamshaper_8", "juggernautXL_v9", "fluxDev")
        can = Capabilities(
            modes=frozenset(Mode), models=tuple(ModelInfo(name=each, title=each) for each in names),
            samplers=("Euler a", "DPM++ 2M"), schedulers=("Karras",), supports_describe=True, supports_preview=True,
        )  # fmt: skip
        super().__init__(name, capabilities=can, **more)

    @classmethod
    def of(cls, config: BackendConfig) -> "PaintingEngine":
        """Make what a new connection turns out to be."""
        return cls(config.name)

    async def generate(self, request: GenerationRequest, report: ProgressCallback) -> GenerationResult:
        await super().generate(request, report)
        painted = await SketchBackend().generate(replace(request, styles=(), loras=()), _quiet)
        return replace(painted, model=request.model or "dreamshaper_8")

    async def describe(self, image: SourceImage) -> str:
        return "a red fox standing in snow between birches, soft morning light"


async def _quiet(_: object) -> None:
    pass


@dataclass
class Stage:
    """The running bot, and who acts."""

    easel: Easel
    broken: PaintingEngine
    examined: Diagnosis | None = None

    @property
    def mia(self) -> Any:
        return self.easel.server.user("mia")

    @property
    def chief(self) -> Any:
        """Return somebody who may manage the server."""
        return self.easel.server.user("chief", permissions=["MANAGE_GUILD"])

    async def examine(self, _: object) -> Diagnosis:
        """Stand in for the test of a connection."""
        return self.examined or Diagnosis(steps=(), is_ok=True, message="", product="Forge", seconds=0.4)

    async def asked(self, name: str, /, *, by: Any = None, **options: Any) -> str:
        """Run a slash command and return its answer as HTML."""
        user = by or self.mia
        return await self.answer(await user.slash(self.easel.server.channel, name, **options))

    async def answer(self, result: Interaction) -> str:
        return message_html(await self.answered(result))

    async def answered(self, result: Interaction) -> Message:
        def shown() -> Message | None:
            messages = [*result.followups, result.message]
            return next((each for each in messages if each and not each.loading and not each.deleted), None)

        return await self.easel.server.wait_for(shown, 20)

    async def finished(self, result: Interaction) -> Message:
        return await self.easel.finished(await self.answered(result))

    async def picture(self, text: str = f"!dream {FOX} --size 768x512 --seed 7 --backend forge") -> Message:
        return await self.easel.dream(text)


Play = Callable[[Stage], Awaitable[str]]


class Scene:
    """A kind of message, and the commands that it shows."""

    def __init__(self, play: Play, *shows: str) -> None:
        self.play = play
        self.shows = shows


def file(size: int = 256) -> tuple[str, bytes]:
    """Return a photo that somebody attaches."""
    out = io.BytesIO()
    shades = [Image.linear_gradient("L").rotate(turn).resize((size, size)) for turn in (0, 90, 180)]
    Image.merge("RGB", shades).save(out, "PNG")
    return "photo.png", out.getvalue()


def mask(size: int = 256) -> tuple[str, bytes]:
    """Return a mask, white in its middle."""
    out = io.BytesIO()
    ImageOps.expand(Image.new("L", (size // 2, size // 2), 255), size // 4, 0).save(out, "PNG")
    return "mask.png", out.getvalue()


# -- pictures ----------------------------------------------------------------------------------------------------------


async def done(stage: Stage) -> str:
    return message_html(await stage.picture())


async def batch(stage: Stage) -> str:
    return message_html(await stage.picture(f"!dream {FOX} --batch 4 --size 512x512 --backend forge"))


async def long_prompt(stage: Stage) -> str:
    words = f"{FOX}, highly detailed fur, volumetric light, falling snow, birch trees, shallow depth of field"
    text = f"!dream {words} --no blurry, text --steps 30 --cfg 6.5 --sampler dpm++_2m --size 512x768 --backend forge"
    return message_html(await stage.picture(text))


async def hidden(stage: Stage) -> str:
    return message_html(await stage.picture(f"!dream {FOX} --spoiler --size 512x512 --backend forge"))


async def private(stage: Stage) -> str:
    result = await stage.easel.slash(f"{FOX} --size 512x512", private=True, backend="forge")
    return message_html(await stage.finished(result))


async def running(stage: Stage) -> str:
    message = await stage.easel.answer_to(await stage.easel.say(f"!dream {FOX} --backend slow"))
    return message_html(await stage.easel.server.wait_for(lambda: message.files and message, 20))


async def queued(stage: Stage) -> str:
    message = await stage.easel.answer_to(await stage.easel.say(f"!dream {FOX}, again --backend slow"))
    return message_html(await stage.easel.server.wait_for(lambda: "in line" in message.text and message, 20))


async def cancelled(stage: Stage) -> str:
    message = await stage.easel.answer_to(await stage.easel.say(f"!dream {FOX}, a third --backend slow"))
    await stage.mia.click(message, "Cancel")
    return message_html(await stage.easel.server.wait_for(lambda: "cancelled" in message.text and message, 20))


async def out_of_memory(stage: Stage) -> str:
    stage.broken.fail = [OutOfMemory("broken ran out of memory.", hint="Try a smaller size: `--size 768x512`.")]
    message = await stage.easel.answer_to(await stage.easel.say(f"!dream {FOX} --size 2048x2048 --backend broken"))
    return message_html(await stage.easel.server.wait_for(lambda: "memory" in message.text and message, 20))


async def engine_gone(stage: Stage) -> str:
    stage.broken.fail = [BackendUnavailable("broken does not answer.")] * 3
    message = await stage.easel.answer_to(await stage.easel.say(f"!dream {FOX} --backend broken"))
    return message_html(await stage.easel.server.wait_for(lambda: "answer" in message.text and message, 20))


async def refused(stage: Stage) -> str:
    return message_html(await stage.easel.answer_to(await stage.easel.say("!dream a fox --steps 9999")))


async def compared(stage: Stage) -> str:
    result = await stage.mia.slash(stage.easel.server.channel, "compare", prompt=FOX, engines="forge,flux")
    message = await stage.answered(result)
    return message_html(await stage.easel.server.wait_for(lambda: message.files and message, 20))


async def voted(stage: Stage) -> str:
    """Two prompts, on which two people have voted."""
    sides = {"a": FOX, "b": "a red fox in a snowy forest, oil painting"}
    result = await stage.mia.slash(stage.easel.server.channel, "versus", **sides, backend="forge")
    message = await stage.answered(result)
    await stage.easel.server.wait_for(lambda: message.files and "until" in message.text, 20)
    for name in ("tom", "ann"):
        await stage.easel.server.user(name).click(message, "B")
    return message_html(await stage.easel.server.wait_for(lambda: "B 2" in message.text and message, 20))


async def picked(stage: Stage) -> str:
    grid = await stage.picture(f"!dream {FOX} --batch 2 --size 512x512 --backend forge")
    return await stage.answer(await stage.mia.click(grid, "U1"))


async def from_a_picture(stage: Stage, command: str, **options: Any) -> str:
    result = await stage.mia.slash(stage.easel.server.channel, command, image=file(), backend="forge", **options)
    return message_html(await stage.finished(result))


async def from_a_menu(stage: Stage, command: str) -> str:
    shown = await stage.picture(f"!dream {FOX} --size 256x256 --seed 7 --backend forge")
    result = await stage.mia.context_menu(command, shown)
    message = await stage.answered(result)
    if command.startswith(("Upscale", "Zoom")):
        message = await stage.easel.finished(message)
    return message_html(message)


# -- under a picture ---------------------------------------------------------------------------------------------------


async def form(stage: Stage, name: str) -> str:
    shown = await stage.picture(f"!dream {FOX} --size 256x256 --seed 7 --backend forge")
    opened = await (stage.mia.click(shown, name) if name == "Remix" else more(stage.mia, shown, name))
    return form_html(opened.modal)


async def reported(stage: Stage) -> str:
    shown = await stage.picture(f"!dream {FOX} --size 256x256 --seed 7 --backend forge")
    result = await stage.easel.server.user("tom").context_menu("Report picture", shown)
    return form_html(result.modal) if result.modal else await stage.answer(result)


async def chosen(stage: Stage, name: str) -> str:
    shown = await stage.picture(f"!dream {FOX} --size 256x256 --seed 7 --backend forge")
    return await stage.answer(await more(stage.mia, shown, name))


# -- all else ----------------------------------------------------------------------------------------------------------


async def simple(stage: Stage, name: str, **options: Any) -> str:
    return await stage.asked(name, **options)


async def by_chief(stage: Stage, name: str, **options: Any) -> str:
    return await stage.asked(name, by=stage.chief, **options)


async def connected(stage: Stage) -> str:
    return await stage.asked("sdconnect", type="a1111", url=URL)


async def rented(stage: Stage) -> str:
    """Show it to somebody with an engine of their own: without one there is no such command."""
    await connected(stage)
    await stage.easel.server.wait_commands({"gpu"})
    return await stage.asked("gpu show")


async def connection_fails(stage: Stage) -> str:
    stage.examined = Diagnosis(
        steps=FAILED, is_ok=False, message="Nothing answers at that address.",
        hint="Start it with `--api --listen`.", 
    )  # fmt: skip
    try:
        return await stage.asked("sdconnect", type="a1111", url=URL)
    finally:
        stage.examined = None


async def moderated(stage: Stage, name: str, **options: Any) -> str:
    tom = stage.easel.server.user("tom")
    return await by_chief(stage, name, user=tom, **options)


async def limited(stage: Stage, name: str, **options: Any) -> str:
    return await by_chief(stage, name, channel=stage.easel.server.channel, **options)


async def limits(stage: Stage) -> str:
    """Open the limits in the panel of the rules, with some set."""
    channel = stage.easel.server.channel
    await stage.chief.slash(channel, "caps set", steps=30, daily=20, size="1024x1024")
    panel = (await stage.chief.slash(channel, "setup start")).message
    await stage.chief.click(panel, "Limits")
    return message_html(panel)


async def asked_for_consent(stage: Stage) -> str:
    """Two people have talked; one of them has agreed that a third draws it."""
    channel, ann = stage.easel.server.channel, stage.easel.server.user("ann")
    await stage.easel.server.user("tom").say(channel, "the storm last night was wild")
    last = await ann.say(channel, "waves over the rocks, right up to the lighthouse")
    question = await stage.answered(await stage.mia.context_menu("Draw this chat", last))
    await ann.click(question, "I agree")
    return message_html(await stage.easel.server.wait_for(lambda: "✅" in question.text and question, 20))


async def from_a_template(stage: Stage) -> str:
    """Open the form of a template; a form is drawn as what it asks for."""
    result = await stage.mia.slash(stage.easel.server.channel, "templates", template="portrait", subject="a heron")
    assert result.modal is not None
    return form_html(result.modal)


async def remixed(stage: Stage) -> str:
    """Open the form of the latest picture."""
    await stage.picture()
    result = await stage.mia.slash(stage.easel.server.channel, "remix")
    assert result.modal is not None
    return form_html(result.modal)


async def blended(stage: Stage) -> str:
    """Ask for what no engine here can: the refusal says what would be needed."""
    return await stage.asked("blend", image1=file(), image2=file(128))


DREAM: Final = ("imagine", "generate", "dream", "draw", "gen", "img")
SCENES: Final[dict[str, Scene]] = {
    "picture": Scene(done, *DREAM),
    "pictures-4": Scene(batch),
    "picture-long": Scene(long_prompt),
    "picture-hidden": Scene(hidden),
    "picture-private": Scene(private),
    "running": Scene(running),
    "queued": Scene(queued),
    "cancelled": Scene(cancelled),
    "failed-memory": Scene(out_of_memory),
    "failed-engine": Scene(engine_gone),
    "refused": Scene(refused),
    "compare": Scene(compared, "compare"),
    "templates": Scene(from_a_template, "templates"),
    "remix": Scene(remixed, "remix"),
    "blend-refused": Scene(blended, "blend"),
    "versus": Scene(voted, "versus"),
    "picked": Scene(picked),
    "upscale": Scene(lambda stage: from_a_picture(stage, "upscale", factor=2.0), "upscale"),
    "inpaint": Scene(lambda stage: from_a_picture(stage, "inpaint", prompt="a hat", mask=mask()), "inpaint"),
    "outpaint": Scene(lambda stage: from_a_picture(stage, "outpaint", prompt="a lake", zoom=1.5), "outpaint"),
    "menu-upscale": Scene(lambda stage: from_a_menu(stage, "Upscale 2×"), "Upscale 2×"),
    "menu-zoom": Scene(lambda stage: from_a_menu(stage, "Zoom out 1.5×"), "Zoom out 1.5×"),
    "menu-describe": Scene(lambda stage: from_a_menu(stage, "Describe"), "Describe"),
    "menu-info": Scene(lambda stage: from_a_menu(stage, "Picture info"), "Picture info"),
    "form-remix": Scene(lambda stage: form(stage, "Remix")),
    "form-collection": Scene(lambda stage: form(stage, "Add to a collection")),
    "form-size": Scene(lambda stage: form(stage, "Size")),
    "choose-model": Scene(lambda stage: chosen(stage, "Model")),
    "choose-sampler": Scene(lambda stage: chosen(stage, "Sampler")),
    "info": Scene(lambda stage: chosen(stage, "Info")),
    "describe": Scene(lambda stage: simple(stage, "describe", image=file()), "describe"),
    "enhance": Scene(lambda stage: simple(stage, "enhance", prompt="a red fox"), "enhance"),
    "cost": Scene(lambda stage: simple(stage, "cost mine"), "cost mine"),
    "pnginfo": Scene(lambda stage: simple(stage, "pnginfo", image=file()), "pnginfo"),
    "help": Scene(lambda stage: simple(stage, "help"), "help"),
    "help-tips": Scene(lambda stage: simple(stage, "help", about="prompts")),
    "draw-chat": Scene(asked_for_consent, "Draw this chat"),
    "queue": Scene(lambda stage: simple(stage, "queue"), "queue"),
    "why": Scene(lambda stage: simple(stage, "why"), "why"),
    "status": Scene(lambda stage: simple(stage, "status"), "status"),
    "models": Scene(lambda stage: simple(stage, "models"), "models", "sdmodels"),
    "gallery": Scene(lambda stage: simple(stage, "gallery"), "gallery"),
    "history": Scene(lambda stage: simple(stage, "history"), "history"),
    "engine-pause": Scene(lambda stage: by_chief(stage, "engine pause", engine="flux"), "engine pause"),
    "styles": Scene(lambda stage: simple(stage, "style list"), "style list"),
    "settings-set": Scene(lambda stage: simple(stage, "settings set", options="--steps 30 --ar 3:2"), "settings set"),
    "settings": Scene(lambda stage: simple(stage, "settings show"), "settings show"),
    "settings-explain": Scene(lambda stage: simple(stage, "settings explain"), "settings explain"),
    "settings-reset": Scene(lambda stage: simple(stage, "settings reset"), "settings reset"),
    "quota": Scene(lambda stage: simple(stage, "quota"), "quota"),
    "connect": Scene(connected, "sdconnect", "sdlink"),
    "connect-fails": Scene(connection_fails),
    "connection-test": Scene(lambda stage: simple(stage, "sdtest"), "sdtest"),
    "disconnect": Scene(lambda stage: simple(stage, "sddisconnect"), "sddisconnect"),
    "gpu": Scene(rented, "gpu show"),
    "workflows": Scene(lambda stage: simple(stage, "workflow list"), "workflow list"),
    "cancel": Scene(lambda stage: simple(stage, "cancel"), "cancel"),
    "forget": Scene(lambda stage: simple(stage, "forget"), "forget"),
    "ban": Scene(lambda stage: moderated(stage, "ban", reason="violence again and again", duration="3d"), "ban"),
    "bans": Scene(lambda stage: by_chief(stage, "bans"), "bans"),
    "unban": Scene(lambda stage: moderated(stage, "unban"), "unban"),
    "caps-set": Scene(lambda stage: limited(stage, "caps set", steps=30, daily=20), "caps set"),
    "caps": Scene(lambda stage: by_chief(stage, "caps show"), "caps show"),
    "caps-clear": Scene(lambda stage: limited(stage, "caps clear"), "caps clear"),
    "report": Scene(reported, "Report picture"),
    "setup": Scene(lambda stage: by_chief(stage, "setup start"), "setup start"),
    "setup-limits": Scene(limits),
    "setup-show": Scene(lambda stage: by_chief(stage, "setup show"), "setup show"),
    "setup-test": Scene(lambda stage: by_chief(stage, "setup test", prompt=FOX), "setup test"),
    "audit": Scene(lambda stage: by_chief(stage, "audit"), "audit"),
}
