"""The benches of models on this machine and of the child process, and their table in the docs."""

from backends.child import ROOT
from backends.embedded.models.disk import look_for_models
from bench import gpu_bench, local_bench
from tests.backends.embedded.shelves import put_model
from tests.backends.embedded.test_embedded_backend import make


async def test_the_bench_measures_each_model_beside_what_others_measured(tmp_path):
    put_model(tmp_path / "flux-schnell", "flux", guidance=False)
    put_model(tmp_path / "unloadable", "sd15")
    engine, shelf = make(tmp_path), look_for_models((tmp_path,), tmp_path / "none")
    figures = await gpu_bench.measure(engine, shelf.models)
    await engine.aclose()
    assert [(figure.name, figure.beside) for figure in figures] == [
        ("flux-schnell: loaded", "a fake cpu, float32, whole, 8.0 GB left"),
        ("flux-schnell: 1024x1024, 4 steps", "RTX 4090: 2 to 3 s; RTX 3090: 3 to 5 s; RTX 3060: 8 to 12 s"),
        ("flux-schnell: 512x512, 4 steps", "RTX 3060: 3 to 5 s"),
    ]
    rows = [f"| {model} | {side}×{side} | {steps} |" for model, side, steps in gpu_bench.ELSEWHERE]
    page = (ROOT / "docs/backends/embedded.md").read_text(encoding="utf-8")
    assert all(row in page for row in rows)


async def test_the_bench_measures_what_lies_between_a_pipeline_and_who_asked(monkeypatch):
    for name, value in {"PICTURES": 3, "WARM": 1, "STEPS": 1}.items():
        monkeypatch.setattr(local_bench, name, value)
    child, worked, memory = await local_bench._pictures()
    assert ("pipeline" in child.name, "memory" in memory.name) == (True, True)
    assert 0 < child.value < 1000
    assert 0 <= worked.value < 1000
