"""The MCP door: assistants ask for pictures by tools, over HTTP at /mcp or over stdio (docs/mcp.md)."""
