"""Finds the few routes that a path may be meant for, so that not all of them are compared with it.

The framework compares a path with one router after the other, and there are more than fifty: of a small request that
was four fifths of the time. Here a path is looked up by its first two parts; the framework then compares as ever.
"""

from collections.abc import Iterator
from copy import copy
from typing import Any, Final

from fastapi.routing import APIRouter
from starlette.types import Receive, Scope, Send

Key = tuple[str, str]  # the first two parts of a path; ANY stands for a name in braces, or for none

ANY: Final = ""


class RouteIndex:
    """Stands where a router's own application was."""

    def __init__(self, router: APIRouter) -> None:
        self._router = router
        self._all = router.middleware_stack
        self._routers: dict[Key, APIRouter] = {}
        self._size = -1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope.get("root_path"):
            await self._all(scope, receive, send)
            return
        scope.setdefault("router", self._router)  # addresses are made from all routes
        await self.routes_of(scope["path"]).app(scope, receive, send)

    def routes_of(self, path: str) -> APIRouter:
        """Return a router of those that this path may be meant for, in their order."""
        if self._size != len(self._router.routes):
            self._routers, self._size = _indexed(self._router), len(self._router.routes)
        first, second = _key(path)
        for key in ((first, second), (first, ANY)):
            if key in self._routers:
                return self._routers[key]
        return self._routers[ANY, ANY]


def _indexed(router: APIRouter) -> dict[Key, APIRouter]:
    keys_of = [{_key(path) for path in _paths(route)} for route in router.routes]
    known = {(ANY, ANY)}.union(*keys_of)
    known |= {(first, ANY) for first, _ in known}
    indexed: dict[Key, APIRouter] = {}
    for key in known:
        wanted = {key, (key[0], ANY), (ANY, ANY)}
        few = copy(router)
        few.routes = [route for route, keys in zip(router.routes, keys_of, strict=True) if keys & wanted]
        indexed[key] = few
    return indexed


def _paths(route: Any) -> Iterator[str]:
    """Yield the paths of a route, or of the routes of a router that was included; what has none may be meant by any."""
    if contexts := getattr(route, "effective_route_contexts", None):
        for context in contexts():
            yield getattr(context.starlette_route, "path", None) or context.path or "/{any}"
    else:
        yield getattr(route, "path", None) or "/{any}"


def _key(path: str) -> Key:
    """Return what a path is found by; with a name in its first part nothing is known, nor what follows one."""
    parts = [ANY if "{" in part else part for part in (*path.split("/")[1:3], ANY, ANY)]
    return (parts[0], parts[1]) if parts[0] else (ANY, ANY)
