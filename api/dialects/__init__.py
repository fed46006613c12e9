"""The published dialects of the systems Easel unites, and OpenAI's: one file each, all on the same queue."""

from typing import Final

from api.dialects import image_studio, job_queue, local_model, openai, replicate_webhook
from api.routing import Router

ROUTERS: Final[tuple[Router, ...]] = (
    job_queue.router,
    image_studio.router,
    local_model.router,
    openai.router,
    replicate_webhook.router,
)
