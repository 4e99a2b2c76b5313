"""Checkpoints that spine-segment loads, of drawn numbers: ``python random_weights.py FOLDER``.

The networks are the package's own, built as its backend builds them, and know nothing.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch
from spine_segment.process_body_relabel import PlainConvUNet3D
from spine_segment.pytorch_models import MdatArchitectureSpec, build_model

from osteoct.segment.weights.catalogue import find_needs
from osteoct.segment.weights.condition import accept
from osteoct.segment.weights.place import SPINE_SEGMENT_VARIABLE

COMMON = {"num_filters_base": 96, "activation": "lrelu"}
SPECS = {
    "spine-locator": {"in_channels": 1, "num_labels": 1, "num_levels": 5},
    "vertebra-locator": {
        "in_channels": 1,
        "num_labels": 26,
        "num_levels": 4,
        "local_activation": "tanh",
        "spatial_activation": "tanh",
        "spatial_downsample": 4,
        "model_kind": "scn",
    },
    "vertebra-segmenter": {"in_channels": 2, "num_labels": 1, "num_levels": 5},
}
"""As ``native_torch_backend`` of version 0.1.6 says; other shapes would not load."""


def main(root: Path) -> None:
    """Write the bundle below ``root`` and accept it by name: its published hashes are known."""
    torch.manual_seed(0)
    os.environ[SPINE_SEGMENT_VARIABLE] = str(root)
    (need,) = find_needs("spine-segment")
    weights = need.place.path / need.downloads[0].folder / "weights"
    weights.mkdir(parents=True)
    for name, spec in SPECS.items():
        model = build_model(MdatArchitectureSpec(name=name, **COMMON, **spec))
        if name == "spine-locator":
            model.prediction.bias.data += 1  # a spine everywhere: the next network is asked as well
        torch.save(model.state_dict(), weights / f"{name}.pt")
    relabel = {"network_weights": PlainConvUNet3D().as_module().state_dict()}
    torch.save(relabel, weights / "process-body-segmenter.pt")
    accept(need, [need.downloads[0].name])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
