"""Easel's own routes, one file per resource."""

from typing import Final

from fastapi import APIRouter

from api.routes import batches, engines, events, gallery, health, jobs, media, session, templates, workflows

ROUTERS: Final[tuple[APIRouter, ...]] = (
    session.router,
    jobs.router,
    batches.router,
    media.router,
    gallery.router,
    templates.router,
    engines.router,
    workflows.router,
    events.router,
    health.router,
)
