"""nextcord's decorator for prefix commands, without its types: for methods of a cog they infer `Never`."""

from typing import Any

from nextcord.ext import commands

prefix_command: Any = commands.command
