"""Families of models: what a folder is recognised by, and what its models are drawn with where nobody says more.

Source: the `_class_name` of `model_index.json`, as the diffusers library writes it, and its pages on each pipeline.
"""

from collections.abc import Mapping
from typing import Final

from lazy import dataclass

SD15: Final = "sd15"
SDXL: Final = "sdxl"
SD3: Final = "sd3"
FLUX: Final = "flux"
KLEIN: Final = "flux2-klein"
Z_IMAGE: Final = "z-image"
EACH_MODE: Final = frozenset({"txt2img", "img2img", "inpaint"})
WORDS_ALONE: Final = frozenset({"txt2img"})
OPENVINO_UNMASKED: Final = frozenset({KLEIN, Z_IMAGE})  # OpenVINO redraws no part of a picture with these
# Modes in which a family is steered by a ControlNet.
CONTROLLED: Final[Mapping[str, frozenset[str]]] = {
    SD15: EACH_MODE, SDXL: EACH_MODE, FLUX: EACH_MODE, SD3: WORDS_ALONE, Z_IMAGE: WORDS_ALONE,
}  # fmt: skip
ONE_CONTROL: Final = frozenset({Z_IMAGE})  # takes one ControlNet and no more


@dataclass(frozen=True, kw_only=True)
class Family:
    """A family. `steps` and `cfg_scale` suit models that are not made for fewer."""

    name: str
    title: str
    classes: frozenset[str]
    side: int
    steps: int
    cfg_scale: float
    is_flow: bool = False  # flow matching: most samplers are not for it


FAMILIES: Final = {
    family.name: family
    for family in (
        Family(
            name=SD15,
            title="Stable Diffusion 1.5",
            classes=frozenset({"StableDiffusionPipeline", "LatentConsistencyModelPipeline"}),
            side=512,
            steps=25,
            cfg_scale=7.0,
        ),
        Family(
            name=SDXL,
            title="Stable Diffusion XL",
            classes=frozenset({"StableDiffusionXLPipeline"}),
            side=1024,
            steps=25,
            cfg_scale=6.0,
        ),
        Family(
            name=SD3,
            title="Stable Diffusion 3",
            classes=frozenset({"StableDiffusion3Pipeline"}),
            side=1024,
            steps=28,
            cfg_scale=4.5,
            is_flow=True,
        ),
        Family(
            name=FLUX,
            title="FLUX.1",
            classes=frozenset({"FluxPipeline"}),
            side=1024,
            steps=28,
            cfg_scale=3.5,
            is_flow=True,
        ),
        Family(
            name=KLEIN,
            title="FLUX.2 klein",
            classes=frozenset({"Flux2KleinPipeline"}),
            side=1024,
            steps=4,
            cfg_scale=1.0,
            is_flow=True,
        ),
        Family(
            name=Z_IMAGE,
            title="Z-Image",
            classes=frozenset({"ZImagePipeline"}),
            side=1024,
            steps=9,
            cfg_scale=1.0,
            is_flow=True,
        ),
    )
}


def family_of(class_name: str) -> Family | None:
    """Return the family whose pipeline a folder names."""
    name = class_name.removeprefix("OV")  # as exports for OpenVINO call some
    return next((family for family in FAMILIES.values() if name in family.classes), None)
