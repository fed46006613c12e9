"""The servers that are known, and the models that are no more.

Sources: OpenAI's openapi of 2026-08 and the SDK 3.57.0; the SDKs of OpenRouter 1.3.84 and xAI 1.21.0; the documents and
sources of LocalAI, stable-diffusion.cpp, Lemonade and vLLM-Omni of 2026; Together's reference. None was called.
"""

import re
from typing import Final

from backends.openai_images.dialects.dialect import Dialect
from lazy import pattern
from texts.text import _

OPENAI: Final = Dialect(
    name="openai", title="OpenAI", hosts=("api.openai.com",), owners=("system", "openai", "openai-internal"),
    is_paid=True, pause_s=1.0,
    draws=pattern(r"^(?:gpt-image|chatgpt-image|dall-e)"),
    preferred=("gpt-image-2.6-flare", "gpt-image-2.5-flare", "gpt-image-2"),
    preferred_edit=("gpt-image-2.6-sunburst", "gpt-image-2.5-sunburst"),
    size_grid=16, min_side=256, max_side=3840, min_pixels=655_360, max_pixels=8_294_400,
    max_images=16, mask="alpha", base64_word="", output_formats=("png", "webp", "jpeg"),
    qualities=("low", "medium", "high", "xhigh", "max"), has_moderation=True, has_background=True, streams=True,
)  # fmt: skip
XAI: Final = Dialect(
    name="xai", title="xAI", hosts=("api.x.ai",), owners=("xai",), is_paid=True, pause_s=1.0,
    draws=pattern(r"imag"), preferred=("grok-imagine-image-2.0", "grok-imagine-image"),
    sizing="ratio",
    ratios=("1:1", "3:4", "4:3", "9:16", "16:9", "2:3", "3:2", "9:19.5", "19.5:9", "9:20", "20:9", "1:2", "2:1"),
    resolutions=(("1k", 1024), ("2k", 2048)), edits="", qualities=("low", "medium"),
)  # fmt: skip
OPENROUTER: Final = Dialect(
    name="openrouter", title="OpenRouter", hosts=("openrouter.ai",), is_paid=True, pause_s=1.0,
    path="/v1/images", edit_path="/v1/images", models_path="/v1/images/models",
    preferred=("openai/gpt-image-2.6-flare", "openai/gpt-image-2"),
    sizing="ratio", ratios=("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9"),
    resolutions=(("1K", 1024), ("2K", 2048), ("4K", 4096)), max_side=4096,
    fields={"seed": "seed"}, edits="references", max_images=16, base64_word="", output_formats=("png", "webp", "jpeg"),
    qualities=("low", "medium", "high", "xhigh", "max"), streams=True,
)  # fmt: skip
TOGETHER: Final = Dialect(
    name="together", title="Together", hosts=("api.together.xyz", "api.together.ai"), is_paid=True, pause_s=1.0,
    draws=pattern(r"flux|diffusion|image|imagen|seedream", re.IGNORECASE),
    preferred=("black-forest-labs/FLUX.1-schnell",),
    sizing="sides", fields={"seed": "seed", "steps": "steps"}, edits="", base64_word="base64", max_n=4,
)  # fmt: skip
LOCALAI: Final = Dialect(
    name="localai", title="LocalAI", draws=pattern(r"diffusion|flux|sdxl?\b|image|dreamshaper|animagine|krea", re.I),
    fields={"seed": "seed", "steps": "step"}, negative="bar", edits="file", edit_path="/v1/images/generations",
    default_side=512,
)  # fmt: skip
SDCPP: Final = Dialect(
    name="sdcpp", title="stable-diffusion.cpp",
    fields={"seed": "seed", "steps": "sample_params.sample_steps", "cfg_scale": "sample_params.guidance.txt_cfg",
            "guidance": "sample_params.guidance.distilled_guidance", "negative_prompt": "negative_prompt",
            "denoising_strength": "strength"},
    is_in_prompt=True, negative="field", max_images=4, mask="white", base64_word="", output_formats=("png", "jpeg"),
    default_side=512,
)  # fmt: skip
LEMONADE: Final = Dialect(
    name="lemonade", title="Lemonade", owners=("lemonade",),
    draws=pattern(r"\bsd|flux|diffusion|image|krea|turbo", re.IGNORECASE),
    fields={"seed": "seed", "steps": "steps", "cfg_scale": "cfg_scale"}, image_field="image", mask="white", max_n=1,
    default_side=512,
)  # fmt: skip
VLLM: Final = Dialect(
    name="vllm", title="vLLM-Omni", owners=("vllm", "vllm-omni"),
    fields={"seed": "seed", "steps": "num_inference_steps", "cfg_scale": "guidance_scale",
            "negative_prompt": "negative_prompt"},
    negative="field", image_field="image", max_images=4,
)  # fmt: skip
LLAMA_SWAP: Final = Dialect(
    name="llama_swap", title="llama-swap", owners=("llama-swap",),
    draws=pattern(r"\bsd|flux|diffusion|image|krea", re.IGNORECASE), default_side=512,
)  # fmt: skip
CLASSIC: Final = Dialect(name="classic", title=_("an OpenAI-compatible server"), mask="alpha", max_images=4)

DIALECTS: Final = {
    dialect.name: dialect
    for dialect in (OPENAI, XAI, OPENROUTER, TOGETHER, LOCALAI, SDCPP, LEMONADE, VLLM, LLAMA_SWAP, CLASSIC)
}
AUTO: Final = "auto"

# Models that are no more, or soon will not be, at the service they were known from.
RETIRED: Final = {
    "dall-e-2": "2026-05-12",
    "dall-e-3": "2026-05-12",
    "gpt-image-1": "2026-10-23",
    "gpt-image-1-mini": "2026-12-01",
    "gpt-image-1.5": "2026-12-01",
    "chatgpt-image-latest": "2026-12-01",
    "grok-imagine-image-quality": "2026-11-02",
}
FIXED_SIZES: Final = ((1024, 1024), (1536, 1024), (1024, 1536))  # all that the models before gpt-image-2 draw
HAS_FIXED_SIZES: Final = pattern(r"^(?:gpt-image-1|chatgpt-image)")
