"""Networks loaded by onnxruntime, on the CPU, each once."""

from functools import cache
from importlib import import_module
from typing import Any

from backends.art.work.networks import ListedFile


@cache
def session_of(file: ListedFile, threads: int) -> Any:
    """Load a network.

    Raises:
        NetworkDamaged: its file is not what it should be.
    """
    runtime = import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return runtime.InferenceSession(str(file.checked()), options, providers=["CPUExecutionProvider"])
