"""A time stamp authority (RFC 3161) on this machine, by the openssl command; without that its tests are skipped."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.utils.certificates import issue

STAMPS = "1.3.6.1.5.5.7.3.8"
CONFIG = """[ tsa ]
default_tsa = own
[ own ]
serial = ./serial
signer_cert = ./own.pem
certs = ./chain.pem
signer_key = ./key.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""


@contextmanager
def authority(folder: Path) -> Iterator[tuple[str, list[bytes]]]:
    """Serve time stamps from a folder; give the address, and a list of the questions that came."""
    if shutil.which("openssl") is None:
        pytest.skip("the openssl command is not installed")
    issued = issue(folder, key=ec.generate_private_key(ec.SECP256R1()), use=STAMPS, is_use_critical=True)
    own = x509.load_pem_x509_certificate(issued.certificate.read_bytes())
    (folder / "own.pem").write_bytes(own.public_bytes(serialization.Encoding.PEM))
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(CONFIG)
    asked: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.rfile.read(int(self.headers["content-length"])))
            (folder / "question").write_bytes(asked[-1])
            words = ["openssl", "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "question", "-out", "answer"]
            subprocess.run(words, cwd=folder, check=True, capture_output=True)
            answer = (folder / "answer").read_bytes()
            self.send_response(200)
            self.send_header("content-type", "application/timestamp-reply")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/stamp", asked
        server.shutdown()
        thread.join()
