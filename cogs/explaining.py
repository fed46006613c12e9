"""`/settings explain`: what a picture would be drawn with here, value by value, and whose each of them is. Pure."""

from typing import Final

from cogs.plain import code, escape, sentence
from generation.errors import GenerationError
from generation.habits import Habits
from services.drawing.choosing import Estimate
from services.people.preferences import Preferred, Scope
from texts.text import _, joined
from utils.text import cut

LIST_CHARS: Final = 1900
WORDS_CHARS: Final = 200
WHOSE: Final = {Scope.ME: _("yours"), Scope.CHANNEL: _("this channel’s"), Scope.SERVER: _("this server’s")}
# what a line of its own says of a picture; every other option that somebody has set is written as it was typed
OF_PICTURE: Final = frozenset(
    {"backend", "model", "width", "aspect", "steps", "cfg_scale", "sampler", "negative_prompt"}
)


def explained_text(found: list[Preferred], estimate: Estimate | GenerationError) -> str:
    """Write the values that hold, the nearest scope's first, then those of the engine and of Easel."""
    used = {each.name: each for each in found if each.is_used}
    lines: list[str] = [_("**A picture of yours here is drawn with**")]
    if isinstance(estimate, GenerationError):
        lines.append(sentence(estimate.user_message))
        shown: frozenset[str] = frozenset()
    else:
        lines += _of_picture(used, estimate)
        shown = OF_PICTURE
    habits = Habits(private=False, spoiler=False, previews=True, pings=True, dm=False).given()
    for name, each in used.items():
        if name not in shown and name not in habits:
            lines.append(f"`{code(each.text)}` · {WHOSE[each.scope]}")
    for name, usual in habits.items():
        own = used.get(name)
        values = {"habit": _HABITS[name], "whose": WHOSE[own.scope] if own else _("Easel’s")}
        is_on = own.text.endswith(" on") if own else usual
        lines.append(_("{habit} on · {whose}", **values) if is_on else _("{habit} off · {whose}", **values))
    lines.append(
        _(
            "-# What a request says goes first, then what is yours, the channel’s, the server’s, the engine’s and "
            "Easel’s own. `/settings set` changes yours."
        )
    )
    return cut(joined("\n", lines), LIST_CHARS)


_HABITS: Final = {
    "private": _("private"),
    "spoiler": _("spoiler"),
    "previews": _("previews"),
    "pings": _("pings"),
    "dm": _("direct messages"),
}


def _of_picture(used: dict[str, Preferred], estimate: Estimate) -> list[str]:
    request = estimate.request
    engine = escape(estimate.label)
    engines_own = _("{engine}’s", engine=engine)

    def whose(*names: str) -> str:
        own = next((used[name] for name in names if name in used), None)
        return WHOSE[own.scope] if own else engines_own

    chosen = WHOSE[used["backend"].scope] if "backend" in used else _("chosen for you now")
    lines = [
        _("engine {engine} · {whose}", engine=engine, whose=chosen),
        _(
            "model {name} · {whose}",
            name=escape(cut(request.model, WORDS_CHARS)) if request.model else _("its own"),
            whose=whose("model"),
        ),
        _(
            "size {wide}×{high} · {whose}",
            wide=request.width,
            high=request.height,
            whose=whose("width", "aspect"),
        ),
        _("steps {steps} · {whose}", steps=request.steps, whose=whose("steps")),
        _("CFG {cfg:g} · {whose}", cfg=request.cfg_scale, whose=whose("cfg_scale")),
    ]
    if request.sampler:
        lines.append(_("sampler {name} · {whose}", name=escape(request.sampler), whose=whose("sampler")))
    if request.negative_prompt:
        rules = WHOSE[used["negative_prompt"].scope] if "negative_prompt" in used else _("this server’s rules")
        words = escape(cut(request.negative_prompt, WORDS_CHARS))
        lines.append(_("without {words} · {whose}", words=words, whose=rules))
    return [*lines, *(f"-# {sentence(note)}" for note in estimate.notes)]
