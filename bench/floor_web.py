"""The yardstick of the HTTP door: FastAPI with two routes, one of which keeps what it is sent in SQLite."""

import asyncio
import sqlite3
import sys

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
kept = sqlite3.connect(sys.argv[2], isolation_level=None, check_same_thread=False)
kept.executescript(
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE jobs (id INTEGER PRIMARY KEY, prompt)"
)
turn = asyncio.Lock()


class Text2Img(BaseModel):
    prompt: str


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/generate/text2img", status_code=202)
async def text2img(body: Text2Img) -> dict[str, object]:
    async with turn:
        row = await asyncio.to_thread(kept.execute, "INSERT INTO jobs (prompt) VALUES (?)", (body.prompt,))
    return {"id": row.lastrowid, "status": "queued"}


# h11 is what `pip install fastapi uvicorn` gives, and what the goals were set beside; Easel brings httptools
uvicorn.run(app, port=int(sys.argv[1]), log_level="error", access_log=False, http="h11")
