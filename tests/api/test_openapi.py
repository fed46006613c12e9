"""The API against its own description: whatever is sent, the answer is one that was promised."""

OPEN = {"/healthz", "/readyz"}  # for anybody, and they refuse nothing
NATIVE = ("/api/", "/auth/", "/open", "/events", "/metrics")
DIALECTS = ("/api/images/",)


def is_native(path):
    return path.startswith(NATIVE) and not path.startswith(DIALECTS)


async def described(client):
    answer = await client.get("/openapi.json")
    assert answer.status_code == 200
    return answer.json()


async def test_every_route_says_what_it_does_and_how_it_refuses(client):
    told = await described(client)
    routes = [(path, method, about) for path, methods in told["paths"].items() for method, about in methods.items()]
    assert len(routes) > 50
    for path, method, about in routes:
        assert about["summary"] and about.get("description") and about["tags"], (method, path)
        refusals = {status for status in about["responses"] if status.startswith("4")}
        assert refusals >= {"413", "421", "429"}, (method, path)
        if is_native(path) and not path.startswith(("/auth/", "/open", "/api/media")):
            assert refusals >= {"401", "403"} or path in OPEN, (method, path)
            assert "HTTPValidationError" not in str(about), (method, path)
            if about.get("parameters") or about.get("requestBody"):
                assert refusals & {"422", "400"}, (method, path)


async def test_names_of_operations_are_their_own(client):
    told = await described(client)
    names = [about["operationId"] for methods in told["paths"].values() for about in methods.values()]
    assert len(names) == len(set(names))


async def test_the_page_of_the_description_needs_nothing_from_elsewhere(client):
    page = await client.get("/docs")
    assert page.status_code == 200
    assert "://" not in page.text
    assert "default-src 'self'" in page.headers["content-security-policy"]
    for address in ("/static/js/docs.js", "/static/css/docs.css"):
        assert address in page.text
        assert (await client.get(address)).status_code == 200
