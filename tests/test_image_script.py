"""The script that draws one picture on a running Easel: when it asks again."""

import json
import threading
import urllib.error
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from scripts.test_image_gen import post_patiently


def served(*statuses: int):
    """Serve these answers one after the other; returns the address and what was asked."""
    left, keys = list(statuses), []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            keys.append(self.headers["Idempotency-Key"])
            self.send_response(left.pop(0))
            self.end_headers()
            self.wfile.write(b'{"seed": 7}')

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, keys


@pytest.mark.parametrize(
    ("statuses", "waits"),
    [((200,), []), ((503, 200), [1]), ((429, 504, 200), [1, 2]), ((503, 503, 503, 200), [1, 2, 3])],
)
def test_what_passes_is_asked_for_again_as_the_same_request(statuses, waits):
    server, keys = served(*statuses)
    slept = []
    answer = post_patiently(f"http://127.0.0.1:{server.server_port}/", {"prompt": "a"}, "", slept.append)
    server.shutdown()
    server.server_close()
    assert (answer, slept, len(set(keys)), len(keys)) == (json.loads('{"seed": 7}'), waits, 1, len(statuses))


@pytest.mark.parametrize(("statuses", "tries"), [((400,), 1), ((404,), 1), ((502,), 1), ((503,) * 4, 4)])
def test_what_stays_wrong_is_given_up(statuses, tries):
    server, keys = served(*statuses)
    with pytest.raises(urllib.error.HTTPError) as caught:
        post_patiently(f"http://127.0.0.1:{server.server_port}/", {"prompt": "a"}, "", lambda _: None)
    caught.value.close()
    server.shutdown()
    server.server_close()
    assert len(keys) == tries
