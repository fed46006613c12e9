"""Engines that come with Easel as packages of their own: the folders of `packages/`, found without being installed.

Each names its entry points in its `pyproject.toml`, from where an installer would take them as well. What is installed
under the same name goes before what lies here.
"""

import logging
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

PACKAGES: Final = Path(__file__).resolve().parents[1] / "packages"


def entry_points_in(folder: Path, group: str) -> Iterator[EntryPoint]:
    """Return what the packages in a folder name for a group, and let them be imported."""
    for project in sorted(folder.glob("*/pyproject.toml")):
        named = _named_in(project, group)
        if named and str(project.parent) not in sys.path:
            sys.path.append(str(project.parent))
        yield from (EntryPoint(name=name, value=value, group=group) for name, value in named.items())


def _named_in(project: Path, group: str) -> dict[str, str]:
    try:
        described = tomllib.loads(project.read_text(encoding="utf-8"))
        return dict(described.get("project", {}).get("entry-points", {}).get(group, {}))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        fields = {"action": "plugin_failed", "plugin": project.parent.name}
        log.error("the package %s cannot be read: %s", project.parent.name, error, extra=fields)
        return {}
