"""For those who watch over Easel."""

import pytest


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz"])
async def test_monitors_may_ask_by_head(client, path):
    answer = await client.head(path)
    assert (answer.status_code, answer.content) == (200, b"")


async def test_admin_leads_to_where_keys_are_made(client):
    answer = await client.get("/admin")
    assert (answer.status_code, answer.headers["location"]) == (303, "/#/settings")
