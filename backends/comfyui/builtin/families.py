"""Families of models that the built-in graphs know."""

from enum import StrEnum


class ModelFamily(StrEnum):
    """Models that are driven alike."""

    SD15 = "sd15"
    SDXL = "sdxl"
    SD3 = "sd3"
    FLUX = "flux"
    SCHNELL = "schnell"

    @property
    def is_flux(self) -> bool:
        return self in {ModelFamily.FLUX, ModelFamily.SCHNELL}
