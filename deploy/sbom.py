"""List what is in an image as a CycloneDX document (a bill of materials): its Python packages and its system's.

Standard library only: it runs while the image is built, `python deploy/sbom.py > easel.cdx.json`. Two builds of the
same packages give the same bytes. Source: cyclonedx.org/docs/1.6/json; github.com/package-url/purl-spec for addresses.
"""

import json
import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

ROOT: Final = Path(__file__).resolve().parents[1]
STATUS: Final = Path("/var/lib/dpkg/status")
RELEASE: Final = Path("/etc/os-release")


def python_package(found: Distribution) -> dict[str, Any]:
    """Return a Python package that is installed."""
    name = re.sub(r"[-_.]+", "-", found.metadata["Name"]).lower()
    component = part(name, found.version, f"pkg:pypi/{name}@{quote(found.version)}")
    about = dict(found.metadata.items()) if hasattr(found.metadata, "items") else {}
    if expression := about.get("License-Expression"):
        component["licenses"] = [{"expression": expression}]
    elif field := about.get("License", "").strip():
        component["licenses"] = [{"license": {"name": field.splitlines()[0]}}]
    return component


def system_packages(status: str, system: str) -> Iterator[dict[str, Any]]:
    """Yield the packages that dpkg has installed."""
    for block in status.split("\n\n"):
        about = dict(re.findall(r"^(Package|Version|Architecture|Status): (.*)$", block, re.MULTILINE))
        if about.get("Status", "").endswith(" installed"):
            name, version = about["Package"], about["Version"]
            address = f"pkg:deb/{system}/{quote(name)}@{quote(version)}?arch={about['Architecture']}"
            yield part(name, version, address)


def part(name: str, version: str, address: str) -> dict[str, Any]:
    return {"type": "library", "bom-ref": address, "name": name, "version": version, "purl": address}


def document(version: str, components: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the whole list."""
    easel = {"type": "application", "bom-ref": "easel", "name": "easel", "version": version}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": easel | {"licenses": [{"license": {"id": "MIT"}}]}},
        "components": components,
        "dependencies": [{"ref": "easel", "dependsOn": sorted(item["bom-ref"] for item in components)}],
    }


def everything() -> list[dict[str, Any]]:
    """List what is here, each once."""
    found = [python_package(item) for item in distributions()]
    if STATUS.is_file():
        release = (
            dict(re.findall(r'^(\w+)="?([^"\n]*)', RELEASE.read_text(), re.MULTILINE)) if RELEASE.is_file() else {}
        )
        found += system_packages(STATUS.read_text(errors="replace"), release.get("ID", "debian"))
    return [item for __, item in sorted({item["bom-ref"]: item for item in found}.items())]


def main() -> int:
    """Write the list to standard output."""
    sys.path.insert(0, str(ROOT))
    from constants import VERSION  # only here: the path is set before

    json.dump(document(VERSION, everything()), sys.stdout, indent=1, ensure_ascii=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
