"""The files of deployment say what is true: names of settings and figures, users without rights, times to stop."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped,unused-ignore]
from jsonschema_rs import Draft7Validator

from config import describe
from constants import VERSION
from deploy import sbom
from settings.queue import QueueSettings
from tests.api.conftest import site as site

ROOT = Path(__file__).parents[1]
KUBERNETES = ROOT / "deploy" / "kubernetes"
MONITORING = ROOT / "deploy" / "monitoring"
ENGINES = {"A1111_URL", "COMFYUI_URL"}
KNOWN = {setting.name for group in describe().values() for setting in group} | ENGINES
OF_THE_SYSTEM = {"PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "PATH"}
OF_MODELS = {"MODEL_PATH", "HF_HOME"}
STOP_S = 40.0


def documents(name: str) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all((KUBERNETES / name).read_text("utf-8")) if document]


def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))


def test_every_name_of_a_setting_is_one() -> None:
    unit = (ROOT / "deploy" / "easel.service").read_text("utf-8")
    image = (ROOT / "Dockerfile").read_text("utf-8")
    names = {*compose()["services"]["easel"]["environment"]}
    names |= {item["name"] for item in documents("easel.yaml")[0]["spec"]["template"]["spec"]["containers"][0]["env"]}
    given = " ".join(line for line in unit.splitlines() if line.startswith("Environment="))
    names |= {*re.findall(r"([A-Z_]+)=", given)}
    names |= {*re.findall(r"^(?:ENV| {4}) ?([A-Z_0-9]+)=", image, re.MULTILINE)}
    assert names - KNOWN - OF_THE_SYSTEM == set()


def test_what_is_being_drawn_may_finish_before_it_is_killed() -> None:
    grace_s = QueueSettings().grace_s
    assert compose()["services"]["easel"]["stop_grace_period"] == f"{STOP_S:.0f}s"
    assert documents("easel.yaml")[0]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == STOP_S
    assert f"TimeoutStopSec={STOP_S:.0f}" in (ROOT / "deploy" / "easel.service").read_text("utf-8")
    assert grace_s < STOP_S - 5


def test_the_image_has_no_rights_and_takes_no_secrets() -> None:
    image = (ROOT / "Dockerfile").read_text("utf-8")
    assert "USER 10001:10001" in image
    assert "HEALTHCHECK" in image
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert ".*" in ignored  # .env and .git
    assert {"data", "tests", "node_modules"} <= {*ignored}
    assert [line for line in ignored if line.startswith("!.")] == ["!.env.example"]


def test_every_extra_of_the_image_has_its_requirements() -> None:
    pages = (ROOT / "docs" / "deploy.md").read_text("utf-8") + (ROOT / "Dockerfile").read_text("utf-8")
    named = {name for names in re.findall(r'EXTRAS="?([a-z ]+)', pages) for name in names.split()}
    assert named == {"bus", "art"}
    assert all((ROOT / f"requirements-{name}.txt").is_file() for name in named)


def test_the_larger_image_differs_by_the_engine_inside_alone() -> None:
    image = (ROOT / "Dockerfile.gpu").read_text("utf-8")
    assert 'ARG EXTRAS="gpu"' in image
    assert "USER 10001:10001" in image
    light = (ROOT / "Dockerfile").read_text("utf-8")
    for line in ("ENTRYPOINT", "CMD", "EXPOSE", "STOPSIGNAL", "USER"):
        assert re.findall(f"^{line} .*", image, re.MULTILINE) == re.findall(f"^{line} .*", light, re.MULTILINE)
    more = yaml.safe_load((ROOT / "compose.gpu.yaml").read_text("utf-8"))["services"]["easel"]
    assert more["build"]["dockerfile"] == "Dockerfile.gpu"
    assert {*more["environment"]} <= OF_MODELS
    assert more["volumes"] == ["./models:/models"]


def test_compose_opens_nothing_to_other_machines_and_drops_rights() -> None:
    services = compose()["services"]
    assert [name for name, service in services.items() if "profiles" not in service] == ["easel"]
    for name, service in services.items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert not service.get("privileged"), name
    easel = services["easel"]
    assert easel["read_only"] is True
    assert easel["cap_drop"] == ["ALL"]


def test_kubernetes_runs_one_easel_and_engines_with_the_numbers_of_the_source() -> None:
    easel, engine = documents("easel.yaml")[0], documents("engine.yaml")[0]
    assert (easel["kind"], easel["spec"]["replicas"]) == ("StatefulSet", 1)
    container = easel["spec"]["template"]["spec"]["containers"][0]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert easel["spec"]["template"]["spec"]["securityContext"]["runAsUser"] == 10001
    for probe in ("startupProbe", "livenessProbe"):
        assert container[probe]["exec"]["command"] == ["python", "/easel/deploy/health.py"]
    resources = engine["spec"]["template"]["spec"]["containers"][0]["resources"]
    assert (resources["requests"]["memory"], resources["requests"]["cpu"]) == ("8Gi", "4")
    assert resources["limits"]["nvidia.com/gpu"] == 1
    listed = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text("utf-8"))["resources"]
    assert {*listed} == {path.name for path in KUBERNETES.glob("*.yaml")} - {"kustomization.yaml"}


def named_figures(text: str) -> set[str]:
    return set(re.findall(r"easel_[a-z_]+", text))


async def nothing_untold() -> int:
    return 0


async def test_alerts_and_dashboard_ask_for_figures_that_are_there(site: Any) -> None:
    await site.draw()
    site.easel.web.bus.is_up, site.easel.web.bus.untold = bool, nothing_untold
    there = named_figures((await site.client.get("/metrics")).text)
    rules = yaml.safe_load((MONITORING / "alerts.yml").read_text("utf-8"))["groups"][0]["rules"]
    panels = json.loads((MONITORING / "grafana" / "easel.json").read_text("utf-8"))["panels"]
    asked = [rule["expr"] for rule in rules] + [target["expr"] for panel in panels for target in panel["targets"]]
    assert named_figures(" ".join(asked)) - there == set()


class _Fine(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path in ("/healthz", "/readyz") else 404)
        self.end_headers()

    def log_message(self, *_args: object) -> None: ...


@pytest.fixture
def answering() -> Iterator[str]:
    """A port of this machine where both questions are answered with 200."""
    with HTTPServer(("127.0.0.1", 0), _Fine) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield str(server.server_port)
        server.shutdown()
        thread.join()


def health(port: str, *more: str) -> int:
    command = [sys.executable, str(ROOT / "deploy" / "health.py"), *more]
    return subprocess.run(command, env={"PORT": port}, capture_output=True, timeout=30).returncode


def test_health_is_1_where_nothing_answers() -> None:
    assert health("1") == 1


@pytest.mark.parametrize("path", [(), ("ready",)])
def test_health_is_0_where_the_studio_answers(path: tuple[str, ...], answering: str) -> None:
    assert health(answering, *path) == 0


def test_the_list_of_what_is_in_an_image_is_cyclonedx_and_whole() -> None:
    schemas = Path(find_spec("cyclonedx").submodule_search_locations[0]) / "schema" / "_res"
    texts = {path.name.partition(".S")[0]: json.loads(path.read_text()) for path in schemas.glob("*.schema.json")}
    named = {"spdx": texts["spdx"], "jsf-0.82": texts["jsf-0.82"], "cryptography-defs": texts.get("cryptography-defs")}
    check = Draft7Validator(texts["bom-1.6"], retriever=lambda uri: next(v for k, v in named.items() if k in uri))
    command = [sys.executable, str(ROOT / "deploy" / "sbom.py")]
    written = subprocess.run(command, capture_output=True, check=True).stdout
    made = json.loads(written)
    assert [str(error) for error in check.iter_errors(made)] == []
    assert not check.is_valid(made | {"components": [{"type": "nonsense"}]})
    assert {"httpx", "nextcord"} <= {item["name"] for item in made["components"]}
    assert made["metadata"]["component"]["version"] == VERSION
    assert subprocess.run(command, capture_output=True, check=True).stdout == written


def test_the_packages_of_the_system_are_in_the_list_if_they_are_installed() -> None:
    status = "Package: adduser\nStatus: install ok installed\nArchitecture: all\nVersion: 3.134\n\n"
    status += "Package: gone\nStatus: deinstall ok config-files\nArchitecture: all\nVersion: 1:2-3\n"
    (item,) = sbom.system_packages(status, "debian")
    assert item["purl"] == "pkg:deb/debian/adduser@3.134?arch=all"


def test_both_images_hold_the_list_of_what_is_in_them() -> None:
    for name in ("Dockerfile", "Dockerfile.gpu"):
        assert "/easel/deploy/sbom.py > /easel/easel.cdx.json" in (ROOT / name).read_text("utf-8")
    assert "!deploy/sbom.py" in (ROOT / ".dockerignore").read_text("utf-8").splitlines()


def test_every_alert_rule_is_tried() -> None:
    rules = yaml.safe_load((MONITORING / "alerts.yml").read_text("utf-8"))
    tried = yaml.safe_load((MONITORING / "alerts_test.yml").read_text("utf-8"))
    fired = {case["alertname"] for test in tried["tests"] for case in test["alert_rule_test"] if case["exp_alerts"]}
    assert {rule["alert"] for group in rules["groups"] for rule in group["rules"]} == fired


@pytest.mark.skipif(which("promtool") is None, reason="promtool is not installed (apt-get install prometheus)")
def test_alert_rules_fire_when_they_should() -> None:
    subprocess.run(["promtool", "check", "rules", str(MONITORING / "alerts.yml")], check=True)
    subprocess.run(["promtool", "test", "rules", str(MONITORING / "alerts_test.yml")], check=True)
