"""The types that the studio's code is checked with are those of the API as it is."""

from tests.api.studio_types import TARGET, types_of


async def test_the_studios_types_are_those_that_the_api_describes(client):
    described = (await client.get("/openapi.json")).json()
    assert TARGET.read_text("utf-8") == types_of(described), "run: python -m tests.api.studio_types"
