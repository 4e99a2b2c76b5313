"""``osteoct cluster``: files with which a scheduler of many hosts runs a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from osteoct.errors import ConfigError

if TYPE_CHECKING:
    from pydantic import ValidationError

_Function = TypeVar("_Function", bound=Callable[..., None])


def _job_options(function: _Function) -> _Function:
    """The options of both kinds of file, in the order of the help."""
    for option in (
        click.option("--memory", "memory_gib", type=int, default=32, help="GiB of each node."),
        click.option("--gpus", type=int, default=0, help="GPUs of each node."),
        click.option("--cpus", type=int, default=8, help="Cores of each node."),
        click.option("--name", default="osteoct", help="Name of the job."),
        click.option("-o", "--out", "store", required=True, metavar="STORE", help="As for run."),
    ):
        function = option(function)
    return click.argument("source")(function)


@click.group(
    "cluster",
    short_help="Print files that run a batch on SLURM or Kubernetes.",
    context_settings={"show_default": True},
)
def cluster_command() -> None:
    """Run batches on many hosts: see also osteoct run --cluster."""


@cluster_command.group("template", short_help="Print a file for a scheduler.")
def template_command() -> None:
    """Print a file that begins a Ray cluster, runs a batch on it and ends it."""


@template_command.command("slurm", short_help="Print a batch script for sbatch.")
@_job_options
@click.option("--nodes", type=int, default=2, help="Nodes of the job.")
@click.option("--time", default="24:00:00", help="Time limit, [days-]hours:minutes:seconds.")
@click.option("--partition", help="Partition to submit to.")
@click.option("--account", help="Account to charge.")
@click.option("--environment", metavar="FOLDER", help="Virtual environment on the nodes.")
def slurm_command(**options: Any) -> None:  # noqa: ANN401 - click's options
    """Print a batch script that measures SOURCE into STORE on the nodes of one SLURM job.

    Both are paths that every node sees.
    """
    from pydantic import ValidationError

    from osteoct.run.engines.cluster_files import SlurmJob, render_slurm

    try:
        job = SlurmJob(**options)
    except ValidationError as error:
        raise _refused(error) from error
    click.echo(render_slurm(job), nl=False)


@template_command.command("kubernetes", short_help="Print a RayJob for kubectl apply.")
@_job_options
@click.option("--image", required=True, help="Image with osteoct[cluster] and the segmenter.")
@click.option("--ray-version", required=True, help="Version of Ray in the image.")
@click.option("--min-nodes", type=int, default=0, help="Fewest worker pods.")
@click.option("--max-nodes", type=int, default=4, help="Most worker pods.")
@click.option("--namespace", default="default", help="Namespace of the job.")
@click.option("--claim", default="osteoct-data", help="PersistentVolumeClaim with the data.")
@click.option("--mount", default="/data", help="Where the pods see it.")
def kubernetes_command(min_nodes: int, max_nodes: int, **options: Any) -> None:  # noqa: ANN401 - click's options
    """Print a RayJob that measures SOURCE into STORE on pods that come and go with the work.

    Both are paths below the mount, or addresses of an object store.
    """
    from pydantic import ValidationError

    from osteoct.run.engines.cluster_files import KubernetesJob, render_kubernetes

    try:
        job = KubernetesJob(nodes=(min_nodes, max_nodes), **options)
    except ValidationError as error:
        raise _refused(error) from error
    click.echo(render_kubernetes(job), nl=False)


def _refused(error: ValidationError) -> ConfigError:
    """The options that cannot stand in the file, all at once."""
    problems = (
        f"{'.'.join(map(str, p['loc'])) or 'options'}: {p['msg']}, found {p['input']!r}"
        if p["loc"]
        else str(p["msg"])
        for p in error.errors()
    )
    return ConfigError("the file cannot be made", found=" | ".join(problems))
