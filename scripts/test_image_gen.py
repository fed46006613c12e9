"""Draw one picture on a running Easel by its local model's API, and write it to a file.

    python scripts/test_image_gen.py "a red fox in the snow" [--url http://127.0.0.1:8484] [--output fox.png]

An Easel that is busy, or away for a moment, is asked again after 1, 2 and 3 seconds; the picture is drawn once.

The name is that of the Flux service whose API this is. Without --url, EASEL_URL or the usual ports are tried.
"""

import argparse
import base64
import json
import os
import secrets
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

USUAL = ("http://127.0.0.1:8484", "http://127.0.0.1:8005")
TIMEOUT_S = 900.0
WAITS_S = (1.0, 2.0, 3.0)
PASSING = (429, 503, 504)  # busy, away, still drawing; whatever else is refused stays so


def main(argv: list[str] | None = None) -> int:
    """Read the command line, draw, say where the picture is."""
    given = _arguments().parse_args(argv)
    url = given.url or os.environ.get("EASEL_URL", "") or _first_that_answers()
    if not url:
        print(f"No Easel answers at {' or '.join(USUAL)}. Start it with `python main.py`.", file=sys.stderr)
        return 1
    body = {"prompt": given.prompt, "width": given.width, "height": given.height, "num_inference_steps": given.steps}
    body |= {"model": given.model} if given.model else {}
    try:
        answer = post_patiently(f"{url.rstrip('/')}/v1/generate-image", body, given.key)
    except urllib.error.HTTPError as error:
        print(json.loads(error.read() or b"{}").get("error", f"The server answered {error.code}."), file=sys.stderr)
        return 1
    except urllib.error.URLError as error:
        print(f"{url} does not answer: {error.reason}.", file=sys.stderr)
        return 1
    data = base64.b64decode(answer["image_bytes_b64"])
    path = Path(given.output)
    path.write_bytes(data)
    print(f"{path}: {len(data)} bytes, {answer['width']}x{answer['height']}, {answer['model']}, seed {answer['seed']}")
    for note in answer.get("notes", []):
        print(f"  {note}")
    return 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Draw one picture on a running Easel.")
    parser.add_argument("prompt")
    parser.add_argument("--url", default="")
    parser.add_argument("--output", default="test_output.png")
    parser.add_argument("--width", type=int, default=1024)
    parser.add_argument("--height", type=int, default=1024)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--model", default="")
    parser.add_argument("--key", default=os.environ.get("EASEL_KEY", ""), help="esl_..., from another machine")
    return parser


def _first_that_answers() -> str:
    for url in USUAL:
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=2):  # one of two constants
                return url
        except (urllib.error.URLError, OSError):
            continue
    return ""


def post_patiently(
    url: str, body: dict[str, Any], key: str, sleep: Callable[[float], None] = time.sleep
) -> dict[str, Any]:
    """Post, and once more after each of `WAITS_S` where that may help; the same request twice is one picture."""
    request_key = secrets.token_hex(16)
    for wait_s in WAITS_S:
        try:
            return _post(url, body, key, request_key)
        except urllib.error.HTTPError as error:
            if error.code not in PASSING:
                raise
            error.close()
        except urllib.error.URLError:
            pass
        sleep(wait_s)
    return _post(url, body, key, request_key)


def _post(url: str, body: dict[str, Any], key: str, request_key: str) -> dict[str, Any]:
    headers = {"Content-Type": "application/json", "Idempotency-Key": request_key} | (
        {"Authorization": f"Bearer {key}"} if key else {}
    )
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)  # the caller's own address
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
        answer: dict[str, Any] = json.load(response)
        return answer


if __name__ == "__main__":
    sys.exit(main())
