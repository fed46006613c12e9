"""The published dialects of the systems Easel unites, and OpenAI's: one file each, all on the same queue."""

from typing import Final

from fastapi import APIRouter

from api.dialects import job_queue

ROUTERS: Final[tuple[APIRouter, ...]] = (job_queue.router,)
