"""A machine is divided among workers as its user would."""

from __future__ import annotations

import pytest

from osteoct.errors import ConfigError
from osteoct.run.machine import count_cores, free_memory_mib, gpu_devices, share_machine


def test_masks_that_exist_take_a_core_each() -> None:
    """Measuring is work for one core; together they may not use more memory than there is."""
    share = share_machine(workers=None, gpus=None, memory_mib=None, makes_masks=False)
    assert share.workers == count_cores()
    assert share.memory_mib * share.workers < free_memory_mib()
    assert (share.devices, share.gpu) == (("auto",), 0.0)


def test_masks_that_are_made_take_a_gpu_each() -> None:
    """A network takes all cores: without a GPU there is one worker."""
    alone = share_machine(workers=None, gpus=None, memory_mib=None, makes_masks=True)
    assert alone.workers == 1
    two = share_machine(workers=None, gpus="0,1", memory_mib=None, makes_masks=True)
    assert (two.workers, two.devices, two.gpu) == (2, ("gpu:0", "gpu:1"), 1.0)


def test_workers_share_gpus() -> None:
    """Four workers on two GPUs have half of one each."""
    share = share_machine(workers=4, gpus="0,3", memory_mib=100, makes_masks=True)
    assert (share.workers, share.devices, share.gpu) == (4, ("gpu:0", "gpu:3"), 0.5)
    assert share.memory_mib == 100


@pytest.mark.parametrize("gpus", ["", "all", "0,", "-1", "0 1"])
def test_what_is_no_number_is_refused(gpus) -> None:
    """The message shows a right one."""
    with pytest.raises(ConfigError, match="0,1"):
        gpu_devices(gpus)
