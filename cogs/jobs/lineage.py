"""The first line says what was done to which picture: `⬆️ 2× of @alice's picture`, `again`, `30 steps`."""

from typing import Final

from cogs.plain import escape
from generation.deeds import Deed
from generation.job import Job, Origin
from generation.request import Mode
from texts.text import _, _n
from utils.text import cut

NAME_CHARS: Final = 40
# of these something is made; all others begin from the picture
_OF: Final = frozenset({Deed.PICK, Deed.UPSCALE})
_PLAIN: Final = {
    Deed.AGAIN: _("🎲 again"),
    Deed.REMIX: _("✏️ remixed"),
    Deed.CHANGE: _("✏️ changed"),
    Deed.FINISH: _("✨ finished"),
    Deed.VARY: _("🪄 varied"),
    Deed.VARY_A_LITTLE: _("🪄 varied a little"),
    Deed.ENGINE: _("⚡ again"),
    Deed.SMALLER: _("smaller"),
    Deed.ZOOM: _("🔭 zoomed out"),
    Deed.LEFT: _("⬅️ continued"),
    Deed.RIGHT: _("➡️ continued"),
    Deed.UP: _("⬆️ continued upwards"),
    Deed.DOWN: _("⬇️ continued"),
    Deed.INPUT: _("🖼️ drawn"),
}


def lineage(job: Job) -> str:
    """Return how a job's picture came from another, with a link; whose that was, if it was somebody else's."""
    origin = job.origin
    if not origin.parent_job_id and not origin.parent_user_id:
        return ""
    deed = origin.deed or (Deed.UPSCALE if job.request.mode is Mode.UPSCALE else "")
    words, link = _words(deed, job), _link(origin)
    if not origin.parent_user_id or origin.parent_user_id == origin.user_id:
        linked = f"[{words}](<{link}>)" if words and link else words
        return f" · {linked}" if linked else ""
    picture = _("picture")
    picture = f"[{picture}](<{link}>)" if link else picture
    if deed in _OF:
        return _(" · {deed} of <@{user_id}>'s {picture}", deed=words, user_id=origin.parent_user_id, picture=picture)
    if not words:
        return _(" · from <@{user_id}>'s {picture}", user_id=origin.parent_user_id, picture=picture)
    return _(" · {deed} from <@{user_id}>'s {picture}", deed=words, user_id=origin.parent_user_id, picture=picture)


def _words(deed: str, job: Job) -> str:
    drawn = job.drawn
    match deed:
        case Deed.PICK:
            return f"U{job.origin.parent_number}" if job.origin.parent_number else _("picked")
        case Deed.UPSCALE:
            return f"⬆️ {drawn.upscale_factor or 2:g}×"
        case Deed.STEPS:
            return _n("{count} step", "{count} steps", count=drawn.steps)
        case Deed.SIZE:
            return f"📐 {job.settled.width}×{job.settled.height}"
        case Deed.MODEL:
            name = (job.result.model if job.result else None) or drawn.model or ""
            return _("model {name}", name=escape(cut(name, NAME_CHARS)))
        case Deed.SAMPLER:
            return _("sampler {name}", name=escape(cut(drawn.sampler or "", NAME_CHARS)))
    return _PLAIN.get(deed, "")  # type: ignore[call-overload,no-any-return]  # one that this version does not know


def _link(origin: Origin) -> str:
    if not origin.parent_channel_id or not origin.parent_message_id:
        return ""
    place = f"{origin.guild_id or '@me'}/{origin.parent_channel_id}/{origin.parent_message_id}"
    return f"https://discord.com/channels/{place}"
