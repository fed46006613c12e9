"""Two tiny models in OpenVINO's form, packed in tests/data/openvino; `make_openvino.sh` there makes them."""

import tarfile
from pathlib import Path

PACKED = Path(__file__).parents[1] / "data" / "openvino"


def unpack(family, folder):
    folder.mkdir(parents=True)
    with tarfile.open(PACKED / f"{family}.tar.xz") as packed:
        packed.extractall(folder, filter="data")
    return folder
