"""OpenVINO without what tells Google of each import.

It does so in a process that it forks from a thread, which may hang and then holds the pipes to the parent for ever.
Where that package is not there, OpenVINO has a stub for it.
"""

import sys

sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # `import` takes it for not there

import openvino as openvino  # noqa: E402
import openvino_genai as genai  # noqa: E402

__all__ = ["genai", "openvino"]
