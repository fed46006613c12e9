"""Results of a connection's test, as the services see them."""

from typing import Any

from backends.diagnose import Diagnosis, DiagnosisStep


def failed_at(layer: Any, message: str = "It does not answer.") -> Diagnosis:
    """Return the result of a test that failed at `layer`."""
    return Diagnosis(steps=(DiagnosisStep(layer=layer, is_ok=False, message=message),), is_ok=False, message=message)
