"""Limits beyond which the owner is warned."""

from typing import ClassVar

from settings.fields import Group, Span, number, span
from texts.text import _


class AlertSettings(Group):
    title: ClassVar[str] = "Warnings"
    live: ClassVar[frozenset[str]] = frozenset({"slow_s", "error_percent", "refusals", "cooldown_s"})

    slow_s: Span = span(60.0, _("Warn when a picture takes longer; 0: never"), variable="ALERT_SLOW", low=0, high=86400)
    error_percent: int = number(
        5, _("Warn when more percent of pictures fail; 0: never"), variable="ALERT_ERROR_PERCENT", low=0, high=100
    )
    refusals: int = number(
        10,
        _("Warn when the house rules refuse so many requests of one person in 15 minutes; 0: never"),
        variable="ALERT_REFUSALS",
        low=0,
        high=1000,
    )
    cooldown_s: Span = span(
        3600.0,
        _("Minimum time between two warnings about the same thing"),
        variable="ALERT_COOLDOWN",
        low=0,
        high=7 * 86400,
    )

    @property
    def error_rate(self) -> float:
        """The share of failures, 0..1."""
        return self.error_percent / 100
