"""The finished files of a job, fetched and looked at before they are handed on."""

from backends.comfyui.answers import Output
from backends.comfyui.jobs.api import JobApi
from generation.errors import UnexpectedAnswer
from generation.result import GeneratedImage
from texts.text import _
from utils.images import BadImage, inspect
from utils.threads import run_in_thread
from utils.video import inspect_video


async def fetch_file(api: JobApi, label: str, output: Output, seed: int) -> GeneratedImage:
    """Return a picture or a video; `seed` is the request's, where the graph tells none of the file's own.

    Raises:
        UnexpectedAnswer: it is cut off or damaged.
    """
    data = await api.view(output.file)
    try:
        await run_in_thread(inspect_video if output.file.is_video else inspect, data)
    except BadImage as error:
        what = "video" if output.file.is_video else "picture"
        raise UnexpectedAnswer(
            _("{label} sent a {what} that cannot be used.", label=label, what=what),
            detail=str(error),
            may_have_run=True,
        ) from error
    return GeneratedImage(data=data, seed=seed if output.seed is None else output.seed)
