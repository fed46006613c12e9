#!/bin/sh
# Makes sd15.tar.xz and z-image.tar.xz here: tiny models of random weights with few values, so that they pack well.
# It needs an environment of its own with torch and 'optimum-intel[openvino]==2.2.0', whose versions of diffusers and
# transformers are older than ours: PYTHON=/path/to/its/python sh tests/data/openvino/make_openvino.sh
set -eu
out=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
for family in sd15 z-image; do
    "$PYTHON" - "$family" "$work/$family" <<'P'
import sys
from pathlib import Path

import torch

from tests.local import tiny

family, folder = sys.argv[1], Path(sys.argv[2])
torch.manual_seed(0)
pipe = tiny.MAKERS[family](folder.parent / f".{family}")
for part in pipe.components.values():
    if isinstance(part, torch.nn.Module):
        part.eval()
        for values in part.parameters():
            if values.std() > 0 and values.ndim > 1:
                step = values.std()
                values.data = (values / step).round().clamp(-2, 2) * step
pipe.save_pretrained(folder)
P
    HF_HUB_OFFLINE=1 "$(dirname "$PYTHON")/optimum-cli" export openvino --model "$work/$family" --library diffusers \
        --task text-to-image --weight-format fp16 "$work/$family-ov"
    rm -f "$work/$family-ov"/tokenizer/openvino_detokenizer*
    (cd "$work/$family-ov" && tar --sort=name --owner=0 --group=0 --mtime=2026-01-01 -cf - *) | xz -9e > "$out/$family.tar.xz"
done
rm -r "$work"
