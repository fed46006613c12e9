"""Networks that draw the map which a ControlNet wants, of any picture: folders as the transformers library saves them.

Source: the transformers library's `config.json` (`architectures`).
"""

import json
from pathlib import Path
from typing import Any, Final

POSE: Final = "openpose"
PEOPLE: Final = "people"  # no kind of map: it finds the people whose poses are drawn
# The kind of map that an architecture draws.
KINDS: Final = {
    "DepthAnythingForDepthEstimation": "depth", "VitPoseForPoseEstimation": POSE,
    "RTDetrForObjectDetection": PEOPLE, "RTDetrV2ForObjectDetection": PEOPLE,
}  # fmt: skip


def drawn_by(folder: Path) -> str:
    """Return the kind of map that the network in a folder draws, empty where there is none."""
    try:
        config: Any = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError):
        return ""
    names = config.get("architectures") if isinstance(config, dict) else None
    return next((KINDS[name] for name in names if name in KINDS), "") if isinstance(names, list) else ""
