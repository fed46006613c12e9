"""A model hub on this machine: tells files with hashes, takes ranges, and may break off in the middle."""

import asyncio
import json
from contextlib import asynccontextmanager
from hashlib import sha1, sha256
from urllib.parse import urlsplit


class LocalHub:
    """`breaks` is how many bytes of a file come before a connection ends, so often as is named there."""

    def __init__(self, files, *, breaks=(), token="", status=200, redirects=False, lies=False):
        self.files = files
        self.breaks = list(breaks)
        self.token = token
        self.status = status
        self.redirects = redirects
        self.lies = lies
        self.requests = []
        self.port = 0
        self.open = set()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def run(self):
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for writer, _ in self.open:
                writer.close()
            await asyncio.gather(*(task for _, task in self.open), return_exceptions=True)

    async def _serve(self, reader, writer):
        here = (writer, asyncio.current_task())
        self.open.add(here)
        try:
            while line := (await reader.readline()).decode():
                target = urlsplit(line.split()[1]).path
                headers = {}
                while (item := (await reader.readline()).decode().strip()) != "":
                    name, _, value = item.partition(":")
                    headers[name.lower()] = value.strip()
                self.requests.append((target, headers))
                if not self._answer(writer, target, headers):
                    break
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            self.open.discard(here)
            writer.close()

    def _answer(self, writer, target, headers):
        if self.status != 200:
            return _write(writer, self.status, b"{}")
        if target.startswith("/api/models/"):
            return _write(writer, 200, json.dumps(self._described()).encode())
        if self.token and headers.get("authorization") != f"Bearer {self.token}":
            return _write(writer, 403, b"gated")
        name = target.partition("/resolve/")[2].partition("/")[2]
        if self.redirects and not target.startswith("/cdn"):
            return _write(writer, 302, b"", f"Location: /cdn{target}")
        content = self.files[name]
        begin = int(headers.get("range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        part = content[begin:]
        head = f"Content-Length: {len(part)}"
        status = 206 if begin else 200
        if self.breaks and len(part) > self.breaks[0]:
            part = part[: self.breaks.pop(0)]
            _write(writer, status, part, head)
            return False
        return _write(writer, status, part, head)

    def _described(self):
        siblings = []
        for path, content in self.files.items():
            item = {
                "rfilename": path,
                "size": len(content),
                "blobId": sha1(b"blob %d\0" % len(content) + content).hexdigest(),
            }
            if path.endswith(".safetensors"):
                named = b"other" if self.lies else content
                item["lfs"] = {"sha256": sha256(named).hexdigest(), "size": len(content), "pointerSize": 130}
            siblings.append(item)
        return {"id": "a/b", "sha": "c" * 40, "gated": False, "siblings": siblings}


def _write(writer, status, body, *heads):
    if not any(head.startswith("Content-Length") for head in heads):
        heads = (*heads, f"Content-Length: {len(body)}")
    writer.write(f"HTTP/1.1 {status} X\r\n".encode())
    writer.write("".join(f"{head}\r\n" for head in heads).encode() + b"\r\n" + body)
    return True
