"""A path is compared with the few routes it may be meant for, and is answered as if it were with all."""

import pytest
from fastapi import FastAPI
from starlette.routing import Match

from api.route_index import RouteIndex
from settings.web import WebSettings
from tests.api.conftest import app_with

MOST = 12


@pytest.fixture
def bare_app() -> FastAPI:
    return app_with(WebSettings())


@pytest.fixture
def index(bare_app: FastAPI) -> RouteIndex:
    return bare_app.router.middleware_stack


def paths_of(app: FastAPI) -> list[str]:
    return [path.replace("{", "").replace("}", "") for path in app.openapi()["paths"]]


def test_every_route_is_found_among_a_few(bare_app: FastAPI, index: RouteIndex) -> None:
    paths = paths_of(bare_app)
    assert len(paths) > 50
    for path in paths:
        for method in ("GET", "POST"):
            scope = {"type": "http", "path": path, "method": method, "headers": [], "root_path": ""}
            every = [route.matches(dict(scope))[0] for route in bare_app.router.routes]
            few = [route.matches(dict(scope))[0] for route in index.routes_of(path).routes]
            matching = [match for match in every if match is not Match.NONE]
            assert matching == [match for match in few if match is not Match.NONE], path
            assert matching, path
            assert len(few) <= MOST, path


@pytest.mark.parametrize(
    "path", ["/", "//", "", "/nothing", "/api", "/api/", "/api/nothing/at/all", "/{x}", "/api/{x}"]
)
def test_what_there_is_no_route_for_matches_nothing_more(bare_app: FastAPI, index: RouteIndex, path: str) -> None:
    scope = {"type": "http", "path": path, "method": "GET", "headers": [], "root_path": ""}
    every = [route for route in bare_app.router.routes if route.matches(dict(scope))[0] is not Match.NONE]
    few = [route for route in index.routes_of(path).routes if route.matches(dict(scope))[0] is not Match.NONE]
    assert every == few


def test_a_route_that_is_added_later_is_found() -> None:
    app = FastAPI()
    index = RouteIndex(app.router)
    assert index.routes_of("/later")

    @app.get("/later")
    async def later() -> str:
        return "later"

    assert any(getattr(route, "path", "") == "/later" for route in index.routes_of("/later").routes)
