"""The table: what goes wrong, which error it is, and where an engine knows better."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from tests.engines.a1111_engine import bomb
from tests.engines.fault_proxy import Fault
from tests.engines_faults.rig import Rig

HTML: Final = b"<!doctype html><html><title>a proxy's page</title></html>"
NOT_A_PICTURE: Final = b"<svg/>" * 50
CUT_BASE64: Final = "iVBORw0KGgoAAAANSUhEUgAAA"
ALWAYS: Final = 99

DONE: Final = "done"
AWAY, AUTH, UNREADABLE = "backend_unavailable", "backend_auth", "unexpected_answer"
REJECTED, LIMITED, FAILED = "request_rejected", "rate_limited", "backend_error"
BLOCKED: Final = "content_blocked"


@dataclass(frozen=True, kw_only=True)
class Case:
    """`code`: of the error the job ends with when it is tried once; `unlike`: the engines where it is another.

    `is_drawn`: the engine had taken the job by then. `is_silent`: only a timeout ends it.
    """

    arm: Callable[[Rig], None]
    code: str
    unlike: dict[str, str] = field(default_factory=dict)
    is_drawn: bool = False
    is_silent: bool = False

    def code_of(self, kind: str) -> str:
        return self.unlike.get(kind, self.code)


def at_job(kind: str, **how: Any) -> Callable[[Rig], None]:
    """Break the call that generates."""
    return lambda rig: rig.proxy.arm(Fault(kind=kind, where=rig.engine.job, **how))


def at_end(kind: str, **how: Any) -> Callable[[Rig], None]:
    """Break the call whose answer says that the job is done."""
    return lambda rig: rig.proxy.arm(Fault(kind=kind, where=rig.engine.end, unless="/events", **how))


def at_picture(kind: str, **how: Any) -> Callable[[Rig], None]:
    """Break the call that brings the picture, however often it is asked for."""
    return lambda rig: rig.proxy.arm(Fault(kind=kind, where=rig.engine.picture or rig.engine.end, times=ALWAYS, **how))


def answers(status: int, body: bytes = b"{}", content_type: str = "application/json", **headers: str) -> dict[str, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"status": status, "body": body, "content_type": content_type, "headers": named}


def page(status: int) -> dict[str, Any]:
    return answers(status, HTML, "text/html")


# Polled engines ask again, ComfyUI knows its job by our own id, or takes a key once, and Replicate lists what it has of
# ours: what is only lost on the way costs them nothing.
POLLED: Final = {"comfyui": DONE, "comfyui_v2": DONE, "ai_horde": DONE, "replicate": DONE, "bfl": DONE, "fal": DONE}
LOST: Final = {"comfyui": DONE, "comfyui_v2": DONE, "gradio_flux": DONE, "replicate": DONE}
FIELD: Final = b'{"detail": [{"loc": ["body", "steps"], "msg": "not an integer", "type": "type_error"}]}'
OWN_500: Final = {
    "a1111": (b'{"error": "RuntimeError", "detail": "", "body": "", "errors": "expected scalar type Half"}',),
    "comfyui_v2": (b'{"error": {"code": "upstream_error", "message": "Internal Server Error", "details": null}}',),
    "comfyui": (b"500 Internal Server Error\n\nServer got itself in trouble", "text/plain"),
    "gradio_flux": (b"Internal Server Error", "text/plain"),
    "ai_horde": (b'{"message": "Internal Server Error"}',),
    "aipowergrid": (b'{"detail": "Internal Server Error"}',),
    "stability": (b'{"id": "1", "name": "internal_error", "errors": ["An unexpected internal error occurred"]}',),
    "bfl": (b'{"detail": "Internal Server Error"}',),
    "fal": (b'{"detail": [{"loc": ["body"], "msg": "Internal error", "type": "internal_server_error"}]}',),
    "gemini": (b'{"error": {"code": 500, "message": "An internal error has occurred", "status": "INTERNAL"}}',),
    "replicate": (b'{"title": "Internal Server Error", "detail": "Something went wrong", "status": 500}',),
    "openai_images": (b'{"error": {"message": "The server had an error", "type": "server_error", "code": null}}',),
}
TOO_OFTEN: Final = answers(429, b'{"message": "slow down"}')

CASES: Final = {
    "no word": Case(arm=at_job("hang"), code=AWAY, unlike={"comfyui_v2": DONE}, is_silent=True),
    "silence after the headers": Case(arm=at_job("stall"), code=AWAY, unlike=LOST, is_drawn=True, is_silent=True),
    "reset in the body": Case(arm=at_job("reset"), code=AWAY, unlike=LOST, is_drawn=True),
    "401": Case(arm=at_job("answer", **answers(401)), code=AUTH),
    "403": Case(arm=at_job("answer", **answers(403)), code=AUTH),
    "404 of another product": Case(
        arm=at_job("answer", **answers(404, b'{"detail": "Not Found"}')), code=UNREADABLE, unlike={"a1111": FAILED}
    ),
    "422": Case(arm=at_job("answer", **answers(422, FIELD)), code=REJECTED),
    "500 as text": Case(arm=at_job("answer", **answers(500, b"Internal Server Error", "text/plain")), code=AWAY),
    "500 in its own words": Case(
        arm=lambda rig: at_job("answer", **answers(500, *OWN_500[rig.engine.kind]))(rig),
        code=AWAY,
        unlike={"a1111": FAILED},  # it names the exception: the request's or the card's fault, not an outage
    ),
    "502 page": Case(arm=at_job("answer", **page(502)), code=AWAY),
    "503 page": Case(arm=at_job("answer", **page(503)), code=AWAY),
    "504 page": Case(arm=at_job("answer", **page(504)), code=AWAY),
    "524 page": Case(arm=at_job("answer", **page(524)), code=AWAY),
    "a page with 200": Case(arm=at_job("answer", **page(200)), code=UNREADABLE),
    "cut JSON": Case(arm=at_job("cut"), code=UNREADABLE, unlike={"replicate": DONE}, is_drawn=True),
    "other JSON": Case(arm=at_job("answer", body=b'{"surprise": [1, 2]}'), code=UNREADABLE),
    "a list in its place": Case(arm=at_job("answer", body=b"[]"), code=UNREADABLE),
    "end: no word": Case(arm=at_end("hang"), code=AWAY, unlike=POLLED, is_silent=True),
    "end: reset": Case(arm=at_end("reset"), code=AWAY, unlike=POLLED, is_drawn=True),
    "end: 502 page": Case(arm=at_end("answer", **page(502)), code=AWAY, unlike=POLLED),
    "end: cut JSON": Case(
        arm=at_end("cut"),
        code=UNREADABLE,
        unlike={"gradio_flux": AWAY, "ai_horde": DONE, "replicate": DONE, "bfl": DONE, "fal": DONE},
        is_drawn=True,
    ),
    "no picture in it": Case(
        arm=lambda rig: rig.engine.arm_empty(rig.proxy),
        code=UNREADABLE,
        unlike={"ai_horde": FAILED, "replicate": BLOCKED},
        is_drawn=True,
    ),
    "no picture file": Case(
        arm=lambda rig: rig.engine.arm_picture(rig.proxy, NOT_A_PICTURE, ALWAYS), code=UNREADABLE, is_drawn=True
    ),
    "a bomb of 20,000 x 20,000 pixels": Case(
        arm=lambda rig: rig.engine.arm_picture(rig.proxy, bomb(), ALWAYS), code=UNREADABLE, is_drawn=True
    ),
    "picture: half a file": Case(arm=at_picture("cut"), code=UNREADABLE, is_drawn=True),
    "picture: reset": Case(arm=at_picture("reset"), code=AWAY, is_drawn=True),
    "picture: no word": Case(arm=at_picture("hang"), code=AWAY, is_silent=True),
    "picture: 404": Case(
        arm=at_picture("answer", **answers(404, b'{"detail": "Not Found"}')),
        code=AWAY,
        unlike={
            "a1111": FAILED,
            "gradio_flux": FAILED,
            "openai_images": UNREADABLE,
            "stability": UNREADABLE,
            "gemini": UNREADABLE,
        },
    ),
    "picture: 502 page": Case(arm=at_picture("answer", **page(502)), code=AWAY),
    "cut base64": Case(
        arm=lambda rig: rig.engine.arm_inside(rig.proxy, CUT_BASE64) if rig.engine.inside else None,
        code=UNREADABLE,
        unlike=dict.fromkeys(("comfyui", "comfyui_v2", "gradio_flux", "stability"), DONE),  # they never send any
        is_drawn=True,
    ),
    "500 MB": Case(arm=at_picture("flood"), code=UNREADABLE, is_drawn=True),
}
