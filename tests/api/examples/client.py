"""A client of the job queue's dialect, with nothing but the standard library."""

import base64
import json
import os
import time
import urllib.request


class ImageClient:
    """Submits a job and waits for it; three tries with 1, 2 and 3 s between them would be usual elsewhere."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def generate(self, prompt: str, **options: object) -> str:
        return self._call("/generate/text2img", {"prompt": prompt, **options})["id"]

    def wait_for_completion(self, job_id: str, timeout: float = 30) -> dict:
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            job = self._call(f"/jobs/{job_id}")
            if job["status"] == "completed":
                return job
            if job["status"] == "failed":
                raise RuntimeError(job["error"])
            time.sleep(0.05)
        raise TimeoutError(job_id)

    def _call(self, path: str, body: dict | None = None) -> dict:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.base_url + path, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)


client = ImageClient(os.environ["BASE"])
job = client.wait_for_completion(client.generate("a serene lake", width=64, height=64, steps=25, seed=42))
with open("output.png", "wb") as file:
    file.write(base64.b64decode(job["result"]["images"][0].split(",")[1]))
assert job["result"]["seed"] == 42
print(job["status"], job["result"]["parameters"], job["result"]["timeTaken"])
