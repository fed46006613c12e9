"""The networks, and a check that their files are what they should be; `networks.toml` lists them."""

import tomllib
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from lazy import dataclass
from texts.text import _

FILE: Final = "networks.toml"
RUNTIMES: Final = ("ncnn", "numpy", "onnxruntime")
STYLE_NAME: Final = "painting {number}"  # no text: a name as it is typed; its makers gave it none


class NetworkDamaged(Exception):
    """A file of a network is missing, or not the one that was listed."""


@dataclass(frozen=True, kw_only=True)
class ListedFile:
    """A file of a package, and the SHA-256 it must have."""

    package: str
    path: str
    sha256: str

    def checked(self) -> Path:
        """Return where it is. Reads all of it: blocks.

        Raises:
            NetworkDamaged: it is missing, or has other bytes.
        """
        folder = _folder_of(self.package)
        path = folder / self.path if folder else None
        try:
            content = path.read_bytes() if path else b""
        except OSError:
            content = b""
        if path is None or sha256(content).hexdigest() != self.sha256:
            name = Path(self.path).name
            raise NetworkDamaged(
                _("{name} of the package {package} is missing or damaged.", name=name, package=self.package)
            )
        return path


@dataclass(frozen=True, kw_only=True)
class UpscalingNetwork:
    """A network that enlarges, by some factors, all with the same weights.

    `tile` and `overlap` are in pixels; `bytes_per_pixel` is the memory that a tile with its overlap takes.
    """

    name: str
    made_by: str
    licence: str
    tile: int
    overlap: int
    bytes_per_pixel: int
    weights: ListedFile
    graphs: Mapping[int, ListedFile]

    def factor_for(self, factor: float) -> int:
        """Return the smallest of its own factors that is enough, else its largest."""
        return min((own for own in self.graphs if own >= factor), default=max(self.graphs))


@dataclass(frozen=True, kw_only=True)
class RestylingNetwork:
    """Networks that paint a picture in another style. `max_side` is the longest that is painted at once, in pixels."""

    made_by: str
    licence: str
    styles: tuple[str, ...]
    max_side: int
    trained: ListedFile  # knows its styles by number
    predict: ListedFile  # from a picture to its style, as numbers
    transform: ListedFile  # a picture in such a style

    @property
    def package(self) -> str:
        return self.trained.package


@dataclass(frozen=True, kw_only=True)
class CheckingNetwork:
    """A network that tells how likely a picture is not safe for work."""

    made_by: str
    licence: str
    network: ListedFile


@cache
def checker() -> CheckingNetwork:
    """Return the network that checks pictures. The first call reads the list: blocks."""
    entry = _listed()["checker"]
    return CheckingNetwork(
        made_by=entry["made_by"],
        licence=entry["licence"],
        network=ListedFile(package=entry["package"], **entry["network"]),
    )


@cache
def restyler() -> RestylingNetwork:
    """Return the networks that restyle. The first call reads the list: blocks."""
    entry = _listed()["restyler"]
    package = entry["package"]
    return RestylingNetwork(
        made_by=entry["made_by"],
        licence=entry["licence"],
        styles=tuple(STYLE_NAME.format(number=number) for number in range(1, entry["styles"] + 1)),
        max_side=entry["max_side"],
        **{name: ListedFile(package=package, **entry[name]) for name in ("trained", "predict", "transform")},
    )


@cache
def upscalers() -> Mapping[str, UpscalingNetwork]:
    """Return the upscalers by name, the usual one first. The first call reads the list: blocks."""
    return {entry["name"]: _upscaler(entry) for entry in _listed()["upscalers"]}


def is_installed() -> bool:
    """Return whether the packages are there. Nothing of them is imported."""
    wanted = {*RUNTIMES, restyler().package, *(upscaler.weights.package for upscaler in upscalers().values())}
    return all(find_spec(name) is not None for name in wanted)


def can_check() -> bool:
    """Return whether what checks pictures is there too; who installed an older list of packages lacks it."""
    return all(find_spec(name) is not None for name in (*RUNTIMES, checker().network.package))


@cache
def _listed() -> Mapping[str, Any]:
    return tomllib.loads((files(__package__) / FILE).read_text(encoding="utf-8"))


def _upscaler(entry: Mapping[str, Any]) -> UpscalingNetwork:
    package = entry["package"]
    return UpscalingNetwork(
        name=entry["name"],
        made_by=entry["made_by"],
        licence=entry["licence"],
        tile=entry["tile"],
        overlap=entry["overlap"],
        bytes_per_pixel=entry["bytes_per_pixel"],
        weights=ListedFile(package=package, path=entry["weights"], sha256=entry["weights_sha256"]),
        graphs={
            graph["factor"]: ListedFile(package=package, path=graph["path"], sha256=graph["sha256"])
            for graph in entry["graphs"]
        },
    )


def _folder_of(package: str) -> Path | None:
    spec = find_spec(package)
    places = spec.submodule_search_locations if spec else None
    return Path(places[0]) if places else None
