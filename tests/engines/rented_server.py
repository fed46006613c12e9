"""Stand-ins for the APIs of RunPod and Vast.ai; the answers follow the samples of their documentation."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from tests.engines.listener import Listener

KEY = "rpa_SECRET0123456789"
POD_ID = "abc123"
INSTANCE_ID = 312


def pod(pod_id: str = POD_ID, **changes: Any) -> dict[str, Any]:
    return {
        "id": pod_id,
        "name": "forge",
        "adjustedCostPerHr": 0.33,
        "costPerHr": "0.34",
        "desiredStatus": "RUNNING",
        "env": {"JUPYTER_PASSWORD": "pod-env-secret"},
        "gpu": {"id": "NVIDIA GeForce RTX 3090", "count": 1, "displayName": "RTX 3090"},
        "image": "runpod/stable-diffusion:web-ui-10.2.1",
        "lastStatusChange": "Rented by User: Fri Jul 12 2024 15:14:40 GMT-0400 (Eastern Daylight Time)",
        "machine": {"gpuTypeId": "NVIDIA GeForce RTX 3090"},
        "ports": ["7860/http", "22/tcp"],
        "portMappings": {"22": 10341, "7861": 10342},
        "publicIp": "203.0.113.7",
        **changes,
    }


def instance(instance_id: int = INSTANCE_ID, **changes: Any) -> dict[str, Any]:
    return {
        "id": instance_id,
        "actual_status": "running",
        "cur_state": "running",
        "intended_status": "running",
        "label": None,
        "jupyter_token": "df77e27085bd4b3b",
        "public_ipaddr": "192.0.2.45",
        "gpu_name": "RTX 4090",
        "num_gpus": 2,
        "dph_total": 0.8112,
        "ports": {"22/tcp": [{"HostIp": "0.0.0.0", "HostPort": "40122"}],
                  "7860/tcp": [{"HostIp": "0.0.0.0", "HostPort": "40123"}, {"HostIp": "::", "HostPort": "40123"}],
                  "6006/tcp": None},
        **changes,
    }  # fmt: skip


class _ApiServer(Listener):
    """Lets in only who brings the key."""

    def __init__(self, *machines: dict[str, Any]) -> None:
        super().__init__()
        self.machines = {str(machine["id"]): machine for machine in machines}

    def refuse(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") == f"Bearer {KEY}":
            return None
        return web.json_response({"success": False, "error": "auth_error", "msg": "Invalid user key"}, status=401)

    @property
    def changes(self) -> list[str]:
        return [f"{method} {path}" for method, path, _ in self.requests if method != "GET"]


class RunPodServer(_ApiServer):
    def routes(self) -> list[web.RouteDef]:
        return [web.get("/v1/pods", self._list), web.post("/v1/pods/{id}/{what}", self._change)]

    @property
    def api(self) -> str:
        return f"{self.url}/v1"

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response(list(self.machines.values()))

    async def _change(self, request: web.Request) -> web.Response:
        pod = self.machines.get(request.match_info["id"])
        if pod is None:
            return web.json_response({"error": "pod not found"}, status=404)
        pod["desiredStatus"] = {"start": "RUNNING", "stop": "EXITED"}[request.match_info["what"]]
        return web.Response()


class VastServer(_ApiServer):
    def routes(self) -> list[web.RouteDef]:
        return [web.get("/api/v0/instances/", self._list), web.put("/api/v0/instances/{id}/", self._change)]

    @property
    def api(self) -> str:
        return f"{self.url}/api/v0"

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response({"instances_found": len(self.machines), "instances": list(self.machines.values())})

    async def _change(self, request: web.Request) -> web.Response:
        item = self.machines.get(request.match_info["id"])
        if item is None:
            return web.json_response({"success": False, "error": "no_such_instance", "msg": "none"}, status=404)
        state = (await request.json())["state"]
        item |= {"intended_status": state, "actual_status": {"running": "loading", "stopped": "stopped"}[state]}
        item["ports"] = {}
        return web.json_response({"success": True})
