"""Networks that cost what the trained ones cost, and label what the stand-ins label.

    python benchmarks/full_size.py FOLDER

writes all seven models of TotalSegmentator that the comparison needs. Each holds a U-Net of the
official size with random weights, whose result counts for nothing, beside the small network of
``tests/segment/standin.py``, whose weights are set by hand: so the boxes are real ones, and every
patch costs a full evaluation.

The official plans are not at hand. Six stages of 32 … 320 features have 31.2 million parameters,
250 MB with the optimiser's state, which is the size of the 1.5 mm checkpoints; 128³ patches are
nnU-Net's usual choice for them. The checkpoints of the 3 mm and 6 mm models are a third smaller
(165 MB), so their cost here is an upper bound.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "segment"))

import standin
import torch
from nnunetv2.utilities.get_network_from_plans import get_network_from_plans
from torch import nn
from totalsegmentator.map_to_binary import class_map_5_parts

from osteoct.segment.totalsegmentator.plan import UNUSED_FOLDERS, VERTEBRAE, Model

PATCH = 128
FEATURES = [32, 64, 128, 256, 320, 320]
OTHER_PARTS = ("organs", "cardiac", "muscles", "ribs")
"""Class maps of the package's parts that lie in :data:`UNUSED_FOLDERS`, in their order."""


class FullSizeStandIn(nn.Module):
    """What nnU-Net builds from the plans: both networks, of which the small one's result counts."""

    def __init__(
        self,
        input_channels: int,
        num_classes: int,
        *,
        small: dict[str, Any],
        deep_supervision: bool = False,
    ) -> None:
        super().__init__()
        del deep_supervision  # nnU-Net asks for none when it predicts
        kinds = small["requires_import"]
        name = "dynamic_network_architectures.architectures.unet.PlainConvUNet"
        self.small = get_network_from_plans(
            name,
            small["arch_kwargs"],
            kinds,
            input_channels,
            num_classes,
            allow_init=False,
            deep_supervision=False,
        )
        self.full = get_network_from_plans(
            name,
            full_size(),
            kinds,
            input_channels,
            num_classes,
            allow_init=True,
            deep_supervision=False,
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Evaluate both; the full one adds nothing, yet has to be computed to add it.

        Its result is let go before the small one's is there: memory is that of one network.
        """
        nothing = 0.0 * self.full(x).mean()
        labels: torch.Tensor = self.small(x)
        return labels.add_(nothing)


def full_size() -> dict[str, Any]:
    """nnU-Net's network of six stages."""
    stages = len(FEATURES)
    return {
        "n_stages": stages,
        "features_per_stage": FEATURES,
        "conv_op": "torch.nn.modules.conv.Conv3d",
        "kernel_sizes": [[3, 3, 3]] * stages,
        "strides": [[1, 1, 1]] + [[2, 2, 2]] * (stages - 1),
        "n_conv_per_stage": [2] * stages,
        "n_conv_per_stage_decoder": [2] * (stages - 1),
        "conv_bias": True,
        "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d",
        "norm_op_kwargs": {"eps": 1e-5, "affine": True},
        "dropout_op": None,
        "dropout_op_kwargs": None,
        "nonlin": "torch.nn.LeakyReLU",
        "nonlin_kwargs": {"inplace": True},
    }


def list_models() -> tuple[standin.StandIn, ...]:
    """The stand-ins, and the parts that only plain ``total`` evaluates; those see nothing."""
    vertebrae = next(s for s in standin.list_stand_ins() if s.model is VERTEBRAE)
    others = [
        replace(
            vertebrae,
            model=Model(id=0, folder=folder, trainer=VERTEBRAE.trainer, task="total"),
            names=class_map_5_parts[f"class_map_part_{part}"],
            prototypes={},
        )
        for folder, part in zip(UNUSED_FOLDERS, OTHER_PARTS, strict=True)
    ]
    return (*standin.list_stand_ins(), *others)


def write_model(root: Path, model: standin.StandIn) -> None:
    """Write a stand-in and put the full-size network around it."""
    seen = model if model.prototypes else replace(model, prototypes={model.names[1]: 10_000.0})
    standin.write_model(root, seen)
    folder = root / model.model.trained
    plans = json.loads((folder / "plans.json").read_text(encoding="utf-8"))
    configuration = plans["configurations"]["3d_fullres"]
    inner = configuration["architecture"]
    small = {"arch_kwargs": inner["arch_kwargs"], "requires_import": inner["_kw_requires_import"]}
    configuration["patch_size"] = [PATCH] * 3
    configuration["architecture"] = {
        "network_class_name": "full_size.FullSizeStandIn",
        "arch_kwargs": {"small": small},
        "_kw_requires_import": [],
    }
    (folder / "plans.json").write_text(json.dumps(plans), encoding="utf-8")
    file = folder / "fold_0" / "checkpoint_final.pth"
    checkpoint = torch.load(file, weights_only=False)
    network = FullSizeStandIn(1, max(model.names) + 1, small=small)
    network.small.load_state_dict(checkpoint["network_weights"])
    torch.save(checkpoint | {"network_weights": network.state_dict()}, file)


def main(root: Path) -> None:
    """Write every model below ``root``."""
    torch.manual_seed(0)
    for model in list_models():
        write_model(root, model)
    standin.accept_all(root)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
