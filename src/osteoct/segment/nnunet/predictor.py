"""nnU-Net's predictor, loaded and fed: the worker's side, which alone imports torch, by name."""

from __future__ import annotations

import importlib
import multiprocessing
import sys
import tempfile
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import nibabel
import numpy as np
from numpy.typing import NDArray

from osteoct.segment.nnunet.patches import PREDICTOR_MODULE

UNNEEDED_TRAINERS: Final = "nnunetv2.training.nnUNetTrainer.primus.primus_trainers"
"""nnU-Net imports every trainer to find one by name. This one needs timm and torchvision, whose
build for CUDA cannot be imported beside a torch for CPUs."""


def hide_unneeded_trainers() -> None:
    """Put an empty module where one lies that cannot be imported everywhere."""
    sys.modules.setdefault(UNNEEDED_TRAINERS, types.ModuleType(UNNEEDED_TRAINERS))


def load_predictor(
    trained: Path,
    *,
    device: str,
    step: float,
    folds: Sequence[int | str],
    is_mirrored: bool = False,
) -> Any:  # noqa: ANN401 - nnU-Net's predictor
    """Return nnU-Net's predictor for a trained model.

    Parameters
    ----------
    trained
        Folder ``TRAINER__PLANS__CONFIGURATION``.
    device
        ``cpu`` or ``gpu:N``.
    step
        Distance of neighbouring patches, in parts of their size.
    is_mirrored
        Whether to evaluate each patch mirrored as well, where the model allows it.
    """
    torch = importlib.import_module("torch")
    predictor = importlib.import_module(PREDICTOR_MODULE).nnUNetPredictor(
        tile_step_size=step,
        use_gaussian=True,
        use_mirroring=is_mirrored,
        perform_everything_on_device=True,
        device=_torch_device(torch, device),
        verbose=False,
        verbose_preprocessing=False,
        allow_tqdm=False,
    )
    predictor.initialize_from_trained_model_folder(str(trained), use_folds=tuple(folds))
    if len(folds) == 1:  # one copy of the weights instead of two
        predictor.list_of_parameters = [predictor.network.state_dict()]
    return predictor


def predict_image(predictor: Any, image: nibabel.Nifti1Image) -> NDArray[np.uint16]:  # noqa: ANN401 - nnU-Net's predictor
    """Return what the network says, on the grid of the image.

    The image goes through an uncompressed file, read and written by the reader that the model was
    trained with: it alone knows the order of axes that the network expects.
    """
    reader = predictor.plans_manager.image_reader_writer_class()
    with tempfile.TemporaryDirectory() as name:
        given, made = Path(name) / "image.nii", Path(name) / "labels.nii"
        nibabel.save(image, given)
        array, properties = reader.read_images([str(given)])
        seen = predictor.predict_single_npy_array(array, properties, None, None, False)
        reader.write_seg(seen, str(made), properties)
        return np.asarray(nibabel.Nifti1Image.from_filename(made).dataobj).astype(np.uint16)


def _torch_device(torch: Any, device: str) -> Any:  # noqa: ANN401 - torch is not known here
    """Torch's device; on the CPU as many threads as there are cores, beside a GPU one."""
    if device == "cpu":
        torch.set_num_threads(multiprocessing.cpu_count())
        return torch.device("cpu")
    torch.set_num_threads(1)
    return torch.device("cuda", int(device.partition(":")[2] or 0))
