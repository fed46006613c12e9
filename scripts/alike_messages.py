"""Commands whose messages are of a kind that another scene draws: see `message_scenes`."""

from typing import Final

# Commands whose answers are of a kind that is drawn already, or that need what is not here.
ALIKE: Final[dict[str, str]] = {
    "control": "picture",
    "restyle": "picture",
    "cost server": "cost",
    "cost limits": "cost",
    "style show": "styles",
    "style add": "styles",
    "style share": "styles",
    "style mix": "styles",
    "style delete": "styles",
    "export": "history",
    "admin reload": "engine-pause",
    **{f"engine {what}": "engine-pause" for what in ("drain", "resume", "cancel")},
    **dict.fromkeys(("gpu start", "gpu stop", "gpu price", "gpu stop-reminder"), "gpu"),
    **dict.fromkeys(("engine models", "engine fetch", "engine delete"), "models"),
    **{f"workflow {what}": "workflows" for what in ("add", "show", "set", "delete")},
    "studio": "info",
}
