"""Models that can be fetched by a short name, with their licences; `known.toml` lists them."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Final

from backends.embedded.work.orders import DIFFUSERS
from lazy import dataclass

FILE: Final = "known.toml"


@dataclass(frozen=True, kw_only=True)
class KnownModel:
    """A model of a public hub.

    `revision` is the commit that is fetched, empty for the newest; `only` are the files of it that are needed, as
    patterns; sizes are in GB and rounded: the hub tells the true ones before anything is fetched.
    """

    name: str
    title: str
    repo: str
    family: str
    licence: str
    licence_url: str
    size_gb: float
    memory_gb: float  # of a GPU that holds all of it
    good_for: str
    only: tuple[str, ...]
    steps: int
    cfg_scale: float
    revision: str = ""
    is_gated: bool = False  # the hub gives it only to who has agreed there, with a token
    is_commercial: bool = True  # its licence lets pictures and model be used to earn money
    base: str = ""  # another known model that it is loaded into: this one is a LoRA or a ControlNet
    maker: str = DIFFUSERS  # the library that it was saved for
    control: str = ""  # of a ControlNet: what it takes from a picture
    map: str = ""  # of a network that draws maps for ControlNets: their kind; it has no family

    @property
    def is_whole(self) -> bool:
        """Return whether it draws pictures, by itself or as a LoRA in another one."""
        return not self.control and not self.map


@cache
def known_models() -> dict[str, KnownModel]:
    """Return the models by their names. Read once."""
    text = (files(__package__) / FILE).read_text(encoding="utf-8")
    tables = tomllib.loads(text)
    return {name: KnownModel(name=name, **{**table, "only": tuple(table["only"])}) for name, table in tables.items()}


def known_by_repo(repo: str) -> KnownModel | None:
    return next((model for model in known_models().values() if model.repo.lower() == repo.lower()), None)
