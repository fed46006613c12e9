"""The API against its own description: whatever is sent, the answer is one that was promised."""

import asyncio
from contextlib import suppress

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.conftest import HERE, held, site_at

EXAMPLES = 2
CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
OPEN = {"/healthz", "/readyz"}  # for anybody, and they refuse nothing
NATIVE = ("/api/", "/auth/", "/open", "/events", "/metrics")
DIALECTS = ("/api/images/",)


def can_be_wrong(operation):
    """Text in an address is always text; the generator takes half a second to find nothing else to put there."""
    about = operation.definition.raw
    schemas = [{**item["schema"], "title": item["in"]} for item in about.get("parameters", ())]
    return "requestBody" in about or any(schema != {"type": "string", "title": "path"} for schema in schemas)


def is_native(path):
    return path.startswith(NATIVE) and not path.startswith(DIALECTS)


async def described(client):
    answer = await client.get("/openapi.json")
    assert answer.status_code == 200
    return answer.json()


async def test_every_route_says_what_it_does_and_how_it_refuses(client):
    reported = await described(client)
    routes = [(path, method, about) for path, methods in reported["paths"].items() for method, about in methods.items()]
    assert len(routes) > 50
    for path, method, about in routes:
        assert all((about["summary"], about.get("description"), about["tags"])), (method, path)
        refusals = {status for status in about["responses"] if status.startswith("4")}
        assert refusals >= {"413", "421", "429"}, (method, path)
        if is_native(path) and not path.startswith(("/auth/", "/open", "/api/media")):
            assert refusals >= {"401", "403"} or path in OPEN, (method, path)
            assert "HTTPValidationError" not in str(about), (method, path)
            if about.get("parameters") or about.get("requestBody"):
                assert refusals & {"422", "400"}, (method, path)


async def test_names_of_operations_are_their_own(client):
    reported = await described(client)
    names = [about["operationId"] for methods in reported["paths"].values() for about in methods.values()]
    assert len(names) == len(set(names))


async def test_the_page_of_the_description_needs_nothing_from_elsewhere(client):
    page = await client.get("/docs")
    assert page.status_code == 200
    assert "://" not in page.text
    assert "default-src 'self'" in page.headers["content-security-policy"]
    for address in ("/static/js/docs.js", "/static/css/docs.css"):
        assert address in page.text
        assert (await client.get(address)).status_code == 200


async def test_whatever_is_sent_the_answer_is_as_described(tmp_path):
    async with site_at(tmp_path) as site:
        known = await made(site)
        with held(site):
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                await every_operation(site, mode, known)


async def made(site):
    """Something behind each kind of id, so that not every address is answered with 404."""
    job, client = await site.draw(), site.client
    collection = await client.post("/api/collections", json={"name": "Foxes"})
    template = await client.post("/api/templates", json={"name": "Fox", "text": "a fox"})
    return {
        "job_id": job["id"],
        "media_id": job["images"][0]["id"],
        "picture_id": job["images"][0]["id"],
        "collection_id": collection.json()["id"],
        "template_id": template.json()["id"],
        "style_id": "anime",
        "name": "sketch",
    }


async def every_operation(site, mode, known):
    """Send generated requests to each of our own operations, from a thread since the generator knows no async."""
    loop, schema = asyncio.get_running_loop(), schemathesis.openapi.from_dict(await described(site.client))
    operations = [found.ok() for found in schema.get_all_operations()]
    own = [item for item in operations if is_native(item.path) and item.path != "/events"]
    assert len(own) > 45

    def send(case):
        kwargs = case.as_transport_kwargs(base_url=HERE)
        kwargs.pop("cookies", None)
        kwargs = {
            name: kwargs[name] for name in ("method", "url", "params", "headers", "json", "data") if name in kwargs
        }
        if "data" in kwargs:
            kwargs["content"] = kwargs.pop("data")
        sent = site.client.request(**kwargs)
        return asyncio.run_coroutine_threadsafe(sent, loop).result(20)

    def run(operation):
        @seed(20261121)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode), is_known=st.booleans())
        def check(case, is_known):
            if is_known:
                case.path_parameters = {**case.path_parameters, **known} if case.path_parameters else {}
            response = schemathesis.Response.from_any(send(case))
            case.validate_response(response, checks=CHECKS)

        with suppress(*([Unsatisfiable] if mode is GenerationMode.NEGATIVE else [])):  # nothing in it can be wrong
            check()

    for operation in sorted(own, key=lambda item: item.method == "delete"):
        if mode is GenerationMode.POSITIVE or can_be_wrong(operation):
            await asyncio.to_thread(run, operation)
