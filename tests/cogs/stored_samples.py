"""Rows of the store with somebody's text in every part that holds one."""

from services.drawing.compare import Comparison, Contender
from store.gallery import Collection, Picture
from store.workflows import StoredWorkflow
from tests.cogs.samples import NOW


def comparison(text: str) -> Comparison:
    contenders = tuple(
        Contender(lane=f"gpu{n}", label=text, job_id=f"{n}" if n else "", error="" if n else text) for n in range(3)
    )
    return Comparison(id="c", door="discord", prompt=text, seed=1, contenders=contenders, created_at=NOW)


def stored(text: str, kind: str = "user") -> StoredWorkflow:
    return StoredWorkflow(
        owner_kind=kind, owner_id="42", name=text, version="v", kind="comfyui", lines=(text, text), created_at=NOW,
        updated_at=NOW,
    )  # fmt: skip


def collection(text: str) -> Collection:
    return Collection(
        id="c", user_key="discord:1", name=text, description=text, pictures=2, cover_media_id=None, created_at=NOW,
        updated_at=NOW,
    )  # fmt: skip


def hung(text: str) -> Picture:
    return Picture(
        seq=1, id="p", media_id="m", job_id="j", user_key="discord:1", user_name=text, door="discord", prompt=text,
        negative_prompt=text, mode="txt2img", model=text, engine=text, lane="gpu", width=8, height=8, steps=1,
        cfg_scale=1, seed=1, sampler=text, scheduler=text, media_type="image/png", size_bytes=1, seconds=1, cost_usd=0,
        is_private=False, from_cache=False, created_at=NOW, expires_at=NOW, is_kept=False, is_favorite=False,
        favorites=0,
    )  # fmt: skip
