"""Of the libraries that speak HTTP only what they show everybody is used."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SPEAKING = ("net", "backends", "services", "packages")  # the rooms that speak HTTP, or might
LIBRARIES = ("httpx", "httpcore", "aiohttp", "yarl")
INTERFACES = {
    "httpx.AsyncBaseTransport", "httpx.AsyncByteStream", "httpx.Auth", "httpcore.AsyncNetworkBackend",
    "AbstractResolver",
}  # fmt: skip


def _offences(source: str) -> Iterator[str]:
    """Yield what a file takes of httpx and httpcore that they do not show: private names, and insides of a base."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            names = [alias.name for alias in node.names] if isinstance(node, ast.ImportFrom) else []
            yield from (
                f"imports {'.'.join((module, *names))}"
                for module in modules
                if module.startswith(LIBRARIES) and any(part.startswith("_") for part in [*module.split("."), *names])
            )
        elif isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.endswith("__"):
            if not (isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}):
                yield f"takes {ast.unparse(node)}"
        elif isinstance(node, ast.ClassDef):
            bases = {ast.unparse(base) for base in node.bases if ast.unparse(base).startswith(LIBRARIES)}
            yield from (f"{node.name} derives from {base}" for base in sorted(bases - INTERFACES))


def test_no_private_attribute_of_httpx_or_httpcore_is_used() -> None:
    """Allow only bases that are made to be derived from: in any other, `self._x` may be theirs."""
    files = [path for room in SPEAKING for path in sorted((ROOT / room).rglob("*.py"))]
    found = {
        str(path.relative_to(ROOT)): offences
        for path in files
        if any(library in (source := path.read_text(encoding="utf-8")) for library in LIBRARIES)
        and (offences := list(_offences(source)))
    }
    assert found == {}
    assert any(path.name == "guard.py" for path in files)


@pytest.mark.parametrize(
    "source",
    [
        "from httpx._config import create_ssl_context",
        "from httpcore import _async",
        "import httpx._transports.default",
        "client._transport = None",
        "class A(httpx.AsyncHTTPTransport):\n    def f(self):\n        self._pool = None",
    ],
)
def test_a_private_attribute_of_theirs_is_found(source: str) -> None:
    assert list(_offences(source)) != []
