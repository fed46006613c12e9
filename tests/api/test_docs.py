"""docs/api.md names every route there is."""

from pathlib import Path


async def test_every_route_is_in_the_documentation(site):
    text = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    heads = {path.partition("/{")[0] for path in site.app.openapi()["paths"]}
    assert heads
    assert not sorted(path for path in heads if path not in text and f"/{path.rpartition('/')[2]}" not in text)
