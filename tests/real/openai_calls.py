"""The calls of somebody with OpenAI's own client, against any address; prints what came of each as JSON.

Runs in the environment of `clients`: `python openai_calls.py http://127.0.0.1:8080/v1 KEY`.
"""

import base64
import json
import struct
import sys
import zlib

import openai


def png(width: int, height: int) -> bytes:
    """Return a picture of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\x33\x66\x99" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def signature(text: str | None) -> str:
    return base64.b64decode(text or "")[:4].hex()


def main(url: str, key: str) -> None:
    client = openai.OpenAI(base_url=url, api_key=key, max_retries=0)
    got: dict[str, object] = {"models": [model.id for model in client.models.list()]}
    two = client.images.generate(prompt="a red fox", n=2, size="128x64", response_format="b64_json", model="gpu1")
    got["generate"] = [signature(image.b64_json) for image in two.data or []]
    link = client.images.generate(prompt="a red fox", size="64x64", model="gpu1")
    got["url"] = (link.data or [])[0].url
    flare = client.images.generate(prompt="a fox", size="1024x1024", model="gpt-image-2.6-flare", quality="low")
    got["their_model"] = signature((flare.data or [])[0].b64_json)
    files = {"image": ("a.png", png(64, 64), "image/png")}
    changed = client.images.edit(image=files["image"], prompt="in winter", model="gpu1", response_format="b64_json")
    got["edit"] = signature((changed.data or [])[0].b64_json)
    varied = client.images.create_variation(image=files["image"], model="gpu1", response_format="b64_json")
    got["variation"] = signature((varied.data or [])[0].b64_json)
    refusals = {
        "model": lambda: client.images.generate(prompt="a fox", model="nobody-has-this"),
        "prompt": lambda: client.images.generate(prompt="", model="gpu1"),
        "price": lambda: client.images.generate(prompt="a fox", model="shop", extra_body={"max_cost_usd": 0.01}),
        "budget": lambda: client.images.generate(prompt="a fox", model="shop", n=2),
        "key": lambda: openai.OpenAI(base_url=url, api_key="esl_wrong", max_retries=0).models.list(),
    }
    for name, call in refusals.items():
        try:
            call()
            got[name] = "no error"
        except openai.APIStatusError as error:
            got[name] = [type(error).__name__, error.status_code, error.code]
    print(json.dumps(got))


main(*sys.argv[1:])
