"""Easel's own routes, one file per resource."""

from typing import Final

from api.routes import (
    auth,
    backups,
    batches,
    comparisons,
    dashboard,
    docs,
    engines,
    events,
    finishing,
    gallery,
    health,
    jobs,
    keys,
    me,
    media,
    metrics,
    models,
    money,
    reload,
    session,
    templates,
    workflows,
)
from api.routing import Router

ROUTERS: Final[tuple[Router, ...]] = (
    session.router,
    jobs.router,
    finishing.router,
    batches.router,
    comparisons.router,
    media.router,
    gallery.router,
    templates.router,
    engines.router,
    models.router,
    workflows.router,
    dashboard.router,
    money.router,
    keys.router,
    backups.router,
    reload.router,
    me.router,
    auth.router,
    docs.router,
    metrics.router,
    events.router,
    health.router,
)
