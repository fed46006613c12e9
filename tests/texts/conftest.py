"""Easel behind its HTTP door, and in front of a local Discord, as the tests of those doors start it."""

from tests.api.conftest import site as site
from tests.e2e.conftest import discord as discord
from tests.e2e.conftest import start as start
