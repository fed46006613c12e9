"""Ready-made negative prompts: what most pictures of a kind had better be without. Prompts, so not translated."""

from typing import Final

READY: Final = {  # no text: prompts
    "General": "blurry, low quality, jpeg artifacts, watermark, signature, text",
    "Photo": "cartoon, painting, illustration, 3d render, oversaturated, overexposed, blurry, grainy",
    "People": "bad anatomy, deformed hands, extra fingers, missing fingers, extra limbs, disfigured face",
}
