"""Settings that are not ours: of other systems, or slips of the pen. What Easel cannot do for them is said.

Those that promise safety refuse to start: whoever sets one relies on it. The names are those that the systems Easel
unites document.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from difflib import get_close_matches
from typing import Final

from lazy import pattern
from texts.text import _

# Also with the name of an engine in front, like GPU1_NSFW_FILTER.
SAFETY: Final = pattern(r"(?:ENABLE_|USE_)?(?:NSFW|SAFETY|CONTENT)_(?:FILTER|CHECKER|CHECK|MODERATION)(?:_ENABLED)?")
OFF: Final = frozenset({"", "false", "0", "no", "off", "none"})
OTHER_FILTER: Final = _(
    "false or left out, since Easel does not know it and would draw and post what this is meant to hold back. Easel's "
    "own check of pictures is ENABLE_NSFW_FILTER=true. What an engine offers is set there (HORDE_CENSOR_NSFW, for one)"
)

PASSED_OVER: Final = {
    "TRANSFORMERS_CACHE": _("It is an old name: set HF_HOME, in which the folder of the models is."),
}
INSTANCE_SETTING: Final = pattern(r"([A-Z][A-Z0-9_]*)_(KIND|URL)")
NEAR: Final = 0.75


def unsafe_settings(
    file: Mapping[str, str], environ: Mapping[str, str], prefixes: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Find settings, with their values, that promise a filter which is not there.

    In the environment only whole names count, and those of our engines: other programs have theirs there, too.
    """
    for name, value in {**file, **environ}.items():
        heads = [prefix for prefix in prefixes if name.startswith(prefix)]
        if name in file:
            heads.append(name.partition("_")[0] + "_")
        if value.strip().casefold() not in OFF and any(SAFETY.fullmatch(name[len(head) :]) for head in ("", *heads)):
            yield name, value.strip()


def stray_settings(
    file: Mapping[str, str], known: Set[str], kinds: Mapping[str, str], options: Mapping[str, Set[str]]
) -> Iterator[str]:
    """Name what stands in `.env` and is not ours, with the nearest name that is.

    Args:
        file: what stands there.
        known: the names of settings that belong to no engine.
        kinds: the kind of each engine that is used, by what its settings begin with, `GPU1_`.
        options: what each kind of engine reads, by its name.
    """
    everywhere = {f"{kind}_{name}".upper() for kind, own in options.items() for name in own}
    for name in file:
        prefix = max((prefix for prefix in kinds if name.startswith(prefix)), key=len, default="")
        if name in known:
            continue
        if prefix:
            yield from _slip(name, prefix, kinds[prefix], options)
        elif match := INSTANCE_SETTING.fullmatch(name):
            near = get_close_matches(name, everywhere - {name}, n=1, cutoff=NEAR)
            hint = _(" Or did you mean {near}?", near=near[0]) if near and match[1].lower() not in options else ""
            yield _(
                "{name} in .env belongs to an engine that is not used: add {given} to BACKENDS.{hint}",
                name=name,
                given=match[1].lower(),
                hint=hint,
            )
        else:
            near = get_close_matches(name.upper(), known | everywhere, n=1, cutoff=NEAR)
            hint = PASSED_OVER.get(name) or (_("Did you mean {near}?", near=near[0]) if near else "")
            sentence = _("{name} in .env is not a setting of Easel.", name=name)
            yield _("{sentence} {hint}", sentence=sentence, hint=hint) if hint else sentence


def _slip(name: str, prefix: str, kind: str, options: Mapping[str, Set[str]]) -> Iterator[str]:
    """Name a setting of an engine that its kind does not read; of a kind that is not installed nothing is known."""
    option, own = name.removeprefix(prefix).lower(), options.get(kind)
    if own is None or option in own:
        return
    near = get_close_matches(option, own, n=1, cutoff=NEAR)
    hint = _(" Did you mean {prefix}{near}?", prefix=prefix, near=near[0].upper()) if near else ""
    yield _(
        "{name} in .env is not a setting of {rest} {kind} engine.{hint}",
        name=name,
        rest="an" if kind[0] in "aeiou" else "a",
        kind=kind,
        hint=hint,
    )
