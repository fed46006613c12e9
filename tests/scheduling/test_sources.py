"""Every input picture of a request has its bytes when it reaches the engine."""

from generation.request import ControlUnit, SourceImage
from scheduling.executor import _loaded, load_no_workflow
from tests.jobs import make_request


async def test_source_mask_and_control_pictures_are_loaded() -> None:
    async def load(source: SourceImage) -> SourceImage:
        return SourceImage(media_id=source.media_id, data=source.media_id.encode())

    request = make_request(
        init_image=SourceImage(media_id="init"),
        mask_image=SourceImage(media_id="mask"),
        control=(ControlUnit(kind="canny", image=SourceImage(media_id="edges"), weight=0.5),),
    )
    loaded = await _loaded(request, load, load_no_workflow)
    assert loaded == request
    pictures = (loaded.init_image, loaded.mask_image, loaded.control[0].image)
    assert [picture.data for picture in pictures if picture] == [b"init", b"mask", b"edges"]
