"""MCP over stdio: `python main.py mcp`, for an assistant that starts Easel itself."""

from typing import Any

from mcp.server.stdio import stdio_server

from assistants.server import AssistantServer
from assistants.tools import Tools
from generation.person import Person
from services.assistants import AssistantServices
from services.bundle import Services


async def serve_stdio(services: Services, own: AssistantServices, person: Person) -> None:
    """Answer until the assistant closes the input; whoever sits at this machine asks."""

    def person_of(context: Any) -> Person:
        return person

    server = AssistantServer(Tools(services, own), person_of).server
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())
