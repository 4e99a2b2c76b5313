"""Stand-in weights that the real TotalSegmentator package runs: ``python standin.py FOLDER``.

The networks are not trained: their weights are set by hand, so that each phantom vertebra with its
own HU gets its own label. Per voxel, in units of 100 HU:

    v   the voxel itself, clipped at 0
    D   the largest v of the 5 × 5 × 5 voxels around it: what the bone is, also at its blurred rim
    g   how far v lies below half way between soft tissue and D: outside of a surface
    h   how far D lies below every bone: soft tissue
    z   for bodies: hinges from which a zigzag over D is made, up at bodies, down at arches

The label is that of the prototype nearest to D, unless g or h speak for the background. ReLU layers
compute this exactly: max(a, b) = a + relu(b − a), one neighbour per layer.

TotalSegmentator 2.18 and nnU-Net 2.8 read what is written here as they read their own models.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
from nearest_hu import (
    AORTA_HU,
    ARCH_HU,
    BODY_HU,
    BONE_HU,
    LARGEST_OF_NOISE_HU,
    RIB_HU,
    SOFT_HU,
    STEP_HU,
)
from nnunetv2.utilities.get_network_from_plans import get_network_from_plans
from totalsegmentator.map_to_binary import class_map, class_map_5_parts

from osteoct.segment.totalsegmentator.plan import BODIES, SIX_MM, THREE_MM, VERTEBRAE, Model
from osteoct.segment.totalsegmentator.weights import weights_needed
from osteoct.segment.weights.condition import accept
from osteoct.segment.weights.place import WEIGHTS_VARIABLE

HINGES_HU = tuple(
    hu + LARGEST_OF_NOISE_HU for name in BONE_HU for hu in (BODY_HU[name], ARCH_HU[name])
)
"""D of each body and arch, rising."""

UNIT_HU = 100.0
LARGEST_HU = 1000.0
STEEP = 1000.0
"""Logit per unit outside: 2 HU decide; times nnU-Net's Gaussian it fits into half precision."""
UNUSED = -100.0
ZIGZAG_LOGIT = 3.0
REACH = 2
LAYERS, PATCH = 6 * REACH + 1, 64
PLAIN, ZIGZAG = 3, 3 + len(HINGES_HU)
"""Channels of the models: D, g, h and, for bodies, the hinges."""


@dataclass(frozen=True)
class StandIn:
    """One model: its place, its grid, its classes and its last layer's lines."""

    model: Model
    spacing_mm: float
    names: dict[int, str]
    prototypes: dict[str, float]
    step_hu: float
    floor_hu: float
    channels: int


def list_stand_ins() -> tuple[StandIn, ...]:
    """The models of both qualities."""
    total, part = class_map["total"], class_map_5_parts["class_map_part_vertebrae"]
    bones = {n if n == "sacrum" else f"vertebrae_{n}": hu for n, hu in BONE_HU.items()}
    levels = {"prototypes": bones, "step_hu": STEP_HU, "floor_hu": 150.0, "channels": PLAIN}
    coarse = levels | {"prototypes": {**bones, "aorta": AORTA_HU, "rib_left_12": RIB_HU}}
    bodies = {"vertebrae_body": 220.0, "intervertebral_discs": 140.0}
    return (
        StandIn(SIX_MM, 6.0, total, **coarse),
        StandIn(THREE_MM, 3.0, total, **coarse),
        StandIn(VERTEBRAE, 1.5, part, **levels),
        StandIn(BODIES, 1.5, class_map["vertebrae_body"], bodies, STEP_HU, 80.0, ZIGZAG),
    )


def make_plans(stand_in: StandIn) -> dict:
    """The network and its preprocessing, as nnU-Net writes them."""
    name, patch = stand_in.model.folder, [PATCH] * 3
    spacing = [stand_in.spacing_mm] * 3
    architecture = {
        "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
        "arch_kwargs": {
            "n_stages": 2,
            "features_per_stage": [stand_in.channels] * 2,
            "conv_op": "torch.nn.modules.conv.Conv3d",
            "kernel_sizes": [[3, 3, 3]] * 2,
            "strides": [[1, 1, 1], [2, 2, 2]],
            "n_conv_per_stage": [LAYERS, 1],
            "n_conv_per_stage_decoder": [1],
            "conv_bias": True,
            "norm_op": None,
            "norm_op_kwargs": None,
            "dropout_op": None,
            "dropout_op_kwargs": None,
            "nonlin": "torch.nn.ReLU",
            "nonlin_kwargs": {"inplace": True},
        },
        "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
    }
    resample = "resample_data_or_seg_to_shape"
    configuration = {
        "data_identifier": "nnUNetPlans_3d_fullres",
        "preprocessor_name": "DefaultPreprocessor",
        "batch_size": 2,
        "patch_size": patch,
        "median_image_size_in_voxels": patch,
        "spacing": spacing,
        "normalization_schemes": ["CTNormalization"],
        "use_mask_for_norm": [False],
        "resampling_fn_data": resample,
        "resampling_fn_seg": resample,
        "resampling_fn_probabilities": resample,
        "resampling_fn_data_kwargs": _resampling(3, is_seg=False),
        "resampling_fn_seg_kwargs": _resampling(1, is_seg=True),
        "resampling_fn_probabilities_kwargs": _resampling(1, is_seg=False),
        "batch_dice": True,
        "architecture": architecture,
    }
    intensities = {"mean": 0.0, "std": UNIT_HU, "median": 0.0, "min": 0.0, "max": LARGEST_HU}
    intensities |= {"percentile_00_5": 0.0, "percentile_99_5": LARGEST_HU}
    return {
        "dataset_name": name,
        "plans_name": "nnUNetPlans",
        "original_median_spacing_after_transp": spacing,
        "original_median_shape_after_transp": patch,
        "image_reader_writer": "SimpleITKIO",
        "transpose_forward": [0, 1, 2],
        "transpose_backward": [0, 1, 2],
        "configurations": {"3d_fullres": configuration},
        "experiment_planner_used": "ExperimentPlanner",
        "label_manager": "LabelManager",
        "foreground_intensity_properties_per_channel": {"0": intensities},
    }


def _resampling(order: int, *, is_seg: bool) -> dict:
    return {"is_seg": is_seg, "order": order, "order_z": 0, "force_separate_z": None}


def make_network(plans: dict, stand_in: StandIn) -> torch.nn.Module:
    """A network of the planned shape with its weights set."""
    planned = plans["configurations"]["3d_fullres"]["architecture"]
    network = get_network_from_plans(
        planned["network_class_name"],
        planned["arch_kwargs"],
        planned["_kw_requires_import"],
        1,
        max(stand_in.names) + 1,
        allow_init=True,
        deep_supervision=False,
    )
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        layers = _convolutions(network.encoder.stages[0])
        _set_largest_of_neighbours(layers[:-1])
        _set_features(layers[-1], stand_in)
        _set_copy(_convolutions(network.decoder.stages[-1])[0])
        _set_lines(network.decoder.seg_layers[-1], stand_in)
    return network


def _convolutions(block: torch.nn.Module) -> list:
    """The convolutions of a block, each once, in order."""
    return list(dict.fromkeys(m for m in block.modules() if isinstance(m, torch.nn.Conv3d)))


def _set_largest_of_neighbours(layers: list) -> None:
    """Channels (v, q, p), with q + p the largest so far: one neighbour per layer."""
    for n, layer in enumerate(layers):
        axis, shift = n // 2 % 3, n % 2
        there = [1, 1, 1]
        there[axis] = 2 if shift == 0 else 0
        sources = (0,) if n == 0 else (1, 2)
        layer.weight[0, 0, 1, 1, 1] = 1
        for source in sources:
            layer.weight[1, source, 1, 1, 1] = 1
            layer.weight[2, source, 1, 1, 1] = -1
            layer.weight[(2, source, *there)] = 1


def _set_features(layer: torch.nn.Conv3d, stand_in: StandIn) -> None:
    """Channels (D, g, h, hinges …) from (v, q, p)."""
    middle = layer.weight[:, :, 1, 1, 1]
    of_d = [1.0, 0.5, -1.0] + [1.0] * (stand_in.channels - PLAIN)
    offsets = [0.0, SOFT_HU / 2, stand_in.floor_hu]
    if stand_in.channels == ZIGZAG:
        offsets += [-hu for hu in HINGES_HU]
    middle[:, 1] = middle[:, 2] = torch.tensor(of_d)
    middle[1, 0] = -1
    layer.bias.copy_(torch.tensor(offsets) / UNIT_HU)


def _set_copy(layer: torch.nn.Conv3d) -> None:
    """Pass the skip connection, which follows the upsampled channels, on as it is."""
    channels = layer.out_channels
    for channel in range(channels):
        layer.weight[channel, channels + channel, 1, 1, 1] = 1


def _set_lines(layer: torch.nn.Conv3d, stand_in: StandIn) -> None:
    """Logits: c·z − c²/2, largest for the c nearest to z, and the background's gates."""
    hus = list(stand_in.prototypes.values())
    middle = (max(hus) + min(hus)) / 2
    number_of = {name: number for number, name in stand_in.names.items()}
    weight = layer.weight[:, :, 0, 0, 0]
    layer.bias.fill_(UNUSED)
    for name, hu in stand_in.prototypes.items():
        c, n = (hu - middle) / stand_in.step_hu, number_of[name]
        slope = c * UNIT_HU / stand_in.step_hu
        weight[n, 0] = slope
        layer.bias[n] = -c * c / 2 - c * middle / stand_in.step_hu
    weight[0, 1] = weight[0, 2] = STEEP
    layer.bias[0] = -1
    if stand_in.channels == ZIGZAG:
        _set_zigzag(layer, number_of["vertebrae_body"])


def _set_zigzag(layer: torch.nn.Conv3d, body: int) -> None:
    """Let the background win where D is an arch: it rises to arches and falls to bodies."""
    weight = layer.weight[:, :, 0, 0, 0]
    slopes = [0.0]
    for n, (low, high) in enumerate(pairwise(HINGES_HU)):
        slopes.append((1 if n % 2 == 0 else -1) * 2 * ZIGZAG_LOGIT * UNIT_HU / (high - low))
    slopes.append(0.0)
    weight[0, 0] = weight[body, 0]
    layer.bias[0] = layer.bias[body] - ZIGZAG_LOGIT
    for n, (before, after) in enumerate(pairwise(slopes)):
        weight[0, PLAIN + n] = after - before


def write_model(root: Path, stand_in: StandIn) -> None:
    """Write one model where the package looks for it."""
    folder = root / stand_in.model.trained
    (folder / "fold_0").mkdir(parents=True)
    plans = make_plans(stand_in)
    labels = {"background": 0, **{stand_in.names[n]: n for n in sorted(stand_in.names)}}
    dataset = {"channel_names": {"0": "CT"}, "labels": labels, "numTraining": 1}
    (folder / "plans.json").write_text(json.dumps(plans), encoding="utf-8")
    (folder / "dataset.json").write_text(
        json.dumps({**dataset, "file_ending": ".nii.gz"}), encoding="utf-8"
    )
    checkpoint = {
        "network_weights": make_network(plans, stand_in).state_dict(),
        "trainer_name": stand_in.model.trainer,
        "init_args": {"configuration": "3d_fullres"},
        "inference_allowed_mirroring_axes": None,
    }
    torch.save(checkpoint, folder / "fold_0" / "checkpoint_final.pth")


def main(root: Path) -> None:
    """Write every model below ``root``."""
    torch.manual_seed(0)
    for stand_in in list_stand_ins():
        write_model(root, stand_in)
    accept_all(root)


def accept_all(root: Path) -> None:
    """Say that these weights are meant: some of the published ones are known by their hashes."""
    os.environ[WEIGHTS_VARIABLE] = str(root)
    need = weights_needed([stand_in.model for stand_in in list_stand_ins()])
    accept(need, [download.folder for download in need.downloads])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
