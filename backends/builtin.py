"""The engines that come with Easel. Importing this announces their kinds; third-party ones come by entry point."""

import backends.a1111
import backends.ai_horde
import backends.aipowergrid
import backends.comfyui
import backends.gradio_flux
import backends.sketch.backend  # noqa: F401
