"""A server of OpenAI's images API, made of the official client's own types: what they do not know is refused.

Runs in the environment of `clients`; prints its address. Answers are dumped from the types of answers.
"""

import base64
import email
import email.policy
import json
import struct
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, get_type_hints

from openai.types import Image, ImageGenCompletedEvent, ImageGenPartialImageEvent, ImagesResponse, Model
from openai.types.image_edit_params import ImageEditParamsStreaming
from openai.types.image_generate_params import ImageGenerateParamsStreaming
from pydantic import TypeAdapter, ValidationError

KEY = "sk-test-0123456789"
USAGE = {
    "input_tokens": 20, "input_tokens_details": {"image_tokens": 0, "text_tokens": 20},
    "output_tokens": 200, "total_tokens": 220,
}  # fmt: skip
GENERATE, EDIT = get_type_hints(ImageGenerateParamsStreaming), get_type_hints(ImageEditParamsStreaming)


def png(width: int, height: int) -> str:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\x33\x66\x99" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return base64.b64encode(data).decode()


def strange(body: dict[str, Any], hints: dict[str, Any]) -> str:
    """Return what the types do not allow."""
    for name, value in body.items():
        if name not in hints:
            return name
        if name not in ("image", "mask", "stream"):
            try:
                TypeAdapter(hints[name]).validate_python(value)
            except ValidationError:
                return name
    return ""


class Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Write no log."""

    def send(self, status: int, body: Any, kind: str = "application/json") -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def refused(self, status: int, code: str, words: str, param: str | None = None) -> None:
        error = {"message": words, "type": "invalid_request_error", "param": param, "code": code}
        self.send(status, {"error": error})

    def is_known(self) -> bool:
        if self.headers.get("Authorization") == f"Bearer {KEY}":
            return True
        self.refused(401, "invalid_api_key", "Incorrect API key provided")
        return False

    def do_GET(self) -> None:
        if self.is_known():
            names = ("gpt-5.5", "gpt-image-2.6-flare", "gpt-image-2.6-sunburst")
            data = [Model(id=name, created=1, object="model", owned_by="system").model_dump() for name in names]
            self.send(200, {"object": "list", "data": data})

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self.is_known():
            return
        is_edit = self.path.endswith("/edits")
        body = self.form(sent) if is_edit else json.loads(sent)
        if wrong := strange(body, EDIT if is_edit else GENERATE):
            self.refused(400, "unknown_parameter", f"Unknown parameter: '{wrong}'.", wrong)
            return
        width, height = (int(side) for side in str(body.get("size") or "1024x1024").split("x"))
        if body.get("stream") in (True, "true") and not is_edit:
            self.stream(png(width, height), body)
            return
        images = [
            Image(b64_json=png(width, height), revised_prompt="a fox, redder") for _ in range(int(body.get("n") or 1))
        ]
        answer = ImagesResponse.model_validate(
            {"created": int(time.time()), "data": images, "output_format": "png", "usage": USAGE}
        )
        self.send(200, answer.model_dump_json(exclude_none=True).encode())

    def stream(self, picture: str, body: dict[str, Any]) -> None:
        about = {"background": "opaque", "created_at": int(time.time()), "output_format": "png", "quality": "low",
                 "size": str(body.get("size")), "b64_json": picture}  # fmt: skip
        partial = ImageGenPartialImageEvent(type="image_generation.partial_image", partial_image_index=0, **about)
        done = ImageGenCompletedEvent(type="image_generation.completed", usage=USAGE, **about)  # type: ignore[arg-type]
        events = b"".join(
            f"event: {event.type}\ndata: {event.model_dump_json(exclude_none=True)}\n\n".encode()
            for event in (partial, done)
        )
        self.send(200, events, "text/event-stream")

    def form(self, sent: bytes) -> dict[str, Any]:
        """Read a form: files by name, numbers and lists as the client's types have them."""
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        body: dict[str, Any] = {}
        for part in email.message_from_bytes(head + sent, policy=email.policy.HTTP).iter_parts():
            name = str(part.get_param("name", header="content-disposition")).removesuffix("[]")
            data = part.get_payload(decode=True)
            assert isinstance(data, bytes)
            if part.get_filename():
                body[name] = data
            else:
                body[name] = int(data) if data.isdigit() else data.decode()
        return body


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


main()
