"""Settings of other systems that people carry over: what Easel cannot do for them is said, never passed over.

Those that promise safety refuse to start: whoever sets one relies on it. The names are those that the systems Easel
unites document.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

# Also with the name of an engine in front, like GPU1_NSFW_FILTER.
SAFETY: Final = re.compile(r"(?:ENABLE_|USE_)?(?:NSFW|SAFETY|CONTENT)_(?:FILTER|CHECKER|CHECK|MODERATION)(?:_ENABLED)?")
OFF: Final = frozenset({"", "false", "0", "no", "off", "none"})
NO_FILTER: Final = (
    "false or left out, since Easel has no filter of its own yet and would draw and post what this is meant to hold "
    "back. What an engine offers is set there (HORDE_CENSOR_NSFW, for one)"
)

_NO_ENGINE: Final = (
    "Easel has no engine yet that uses it, so it is passed over; do not leave a key where nothing needs it."
)
_AT_THE_ENGINE: Final = (
    "Easel loads no models itself: set it where the engine is started, and name the engine, like A1111_URL."
)
PASSED_OVER: Final = {
    "OPENAI_API_KEY": _NO_ENGINE,
    "OPENAI_ORG_ID": _NO_ENGINE,
    "STABILITY_API_KEY": _NO_ENGINE,
    "REPLICATE_API_TOKEN": _NO_ENGINE,
    "ANTHROPIC_API_KEY": _NO_ENGINE,
    "DEFAULT_PROVIDER": "The engine that answers best is taken; a request may name another.",
    "MODEL_PATH": _AT_THE_ENGINE,
    "HF_HOME": _AT_THE_ENGINE,
    "CUDA_VISIBLE_DEVICES": _AT_THE_ENGINE,
}


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
