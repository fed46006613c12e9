"""Alerts as the API and the event stream show them."""

from typing import Final

from api.schemas.dashboard import AlertOut
from services.reports.alerts import Alert

ERRORS: Final = frozenset({"budget", "key_refused"})  # nothing gets better before a person acts


def alert_out(alert: Alert) -> AlertOut:
    return AlertOut(
        kind=alert.kind,
        level="error" if alert.kind in ERRORS else "warning",
        message=alert.message,
        engine=alert.engine,
        since=alert.at,
    )
