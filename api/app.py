"""The FastAPI application: every route of every dialect, the studio's page, and the API's own description."""

from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse

from api.context import Web
from api.dialects import ROUTERS as DIALECTS
from api.errors import SCHEMAS, add_error_handlers, errors
from api.files import StudioFiles
from api.form import fields_of_the_page
from api.mcp import mcp_route
from api.middleware import Guard
from api.proxies import Proxies
from api.quick import QuickAnswers
from api.route_index import RouteIndex
from api.routes import ROUTERS
from api.routing import EaselRoute
from api.schemas.jobs import ErrorOut
from constants import APP_NAME, VERSION

DESCRIPTION: Final = (
    "Make pictures on whatever engine its owner has. Three published dialects, OpenAI's image API and Easel's own "
    "routes, all on one queue."
)


class _App(FastAPI):
    def openapi(self) -> dict[str, Any]:
        description = super().openapi()
        schema = ErrorOut.model_json_schema(ref_template=f"{SCHEMAS}{{model}}")
        description["components"]["schemas"].setdefault(ErrorOut.__name__, schema)
        return description


def create_app(web: Web) -> FastAPI:
    """Build the application; it opens nothing and runs nothing by itself."""
    app = _App(
        title=APP_NAME,
        version=VERSION,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,  # ours makes it in a thread
        responses=errors(408, 413, 421, 429, 500, 503),
        telemetry={"tracing": False, "metrics": False, "logs": False},  # ours are `/metrics` and the log
    )
    app.state.web = web
    app.router.route_class = EaselRoute
    app.add_middleware(QuickAnswers)
    app.add_middleware(Guard, settings=web.settings)
    app.add_middleware(Proxies, trusted=web.settings.proxies)  # before the guard, which looks at the host
    add_error_handlers(app)
    files = StudioFiles(data={"fields": fields_of_the_page()})
    app.add_route("/static/{name:path}", files.answer)  # before the others, which would be compared one by one
    app.router.routes.append(mcp_route())
    for router in (*ROUTERS, *DIALECTS):
        app.include_router(router)

    @app.head("/", include_in_schema=False)
    @app.get("/", include_in_schema=False)
    async def page(request: Request) -> Response:
        return await files.send("index.html", request)

    @app.head("/docs", include_in_schema=False)
    @app.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> Response:
        return await files.send("docs.html", request)

    @app.get("/admin", include_in_schema=False)
    async def admin() -> RedirectResponse:
        return RedirectResponse("/#/settings", status_code=303)  # keys are made there

    app.router.middleware_stack = RouteIndex(app.router)
    return app
