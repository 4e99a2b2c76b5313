"""Ready files for other schedulers: a batch script for SLURM, a RayJob for Kubernetes."""

from __future__ import annotations

import json
import re
import shlex
from typing import Annotated, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import Field, model_validator

from osteoct.record import Record

_Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.,/:@+-]*$")]
"""What may stand in a directive or a name: no space, quote or line break."""

_Name = Annotated[str, Field(pattern=r"^[a-z]([a-z0-9-]{0,40}[a-z0-9])?$")]
"""A name that SLURM and Kubernetes both take; KubeRay adds to it, and 63 signs are the limit."""

_Time = Annotated[str, Field(pattern=r"^(\d+-)?\d{1,2}:\d{2}:\d{2}$")]

_ONE_LINE: Final = re.compile(r"[\r\n\0]")


class _Job(Record):
    """What both kinds of file need.

    Parameters
    ----------
    source, store
        As for ``osteoct run``, as seen on the nodes.
    cpus, gpus, memory_gib
        Of each node.
    workers
        Most workers; ``None`` for one per GPU, or one per two cores where there are none.
    """

    source: str = Field(min_length=1)
    store: str = Field(min_length=1)
    name: _Name = "osteoct"
    cpus: int = Field(default=8, ge=1)
    gpus: int = Field(default=0, ge=0)
    memory_gib: int = Field(default=32, ge=2)

    @model_validator(mode="after")
    def _check_lines(self) -> _Job:
        for value in (self.source, self.store):
            if _ONE_LINE.search(value):
                msg = "a path has one line"
                raise ValueError(msg)
        return self

    def _workers_of(self, nodes: int) -> int:
        """Workers on so many nodes: one per GPU, else one per two cores: it reads and computes."""
        return nodes * (self.gpus or max(1, self.cpus // 2))


class SlurmJob(_Job):
    """A job of SLURM.

    Parameters
    ----------
    nodes
        Nodes to allocate.
    time
        Limit, as ``[days-]hours:minutes:seconds``.
    environment
        Folder of the virtual environment on the nodes; ``None`` where it is active already.
    """

    nodes: int = Field(default=2, ge=1)
    time: _Time = "24:00:00"
    partition: _Word | None = None
    account: _Word | None = None
    environment: str | None = None

    @property
    def workers(self) -> int:
        """Most workers at once."""
        return self._workers_of(self.nodes)


class KubernetesJob(_Job):
    """A job of KubeRay.

    Parameters
    ----------
    nodes
        Fewest and most worker pods.
    image
        Container image with osteoct, its segmenter and Ray.
    ray_version
        Of Ray in the image.
    claim, mount
        PersistentVolumeClaim that holds source and store, and where the pods see it.
    idle_s
        A pod without work goes after so long.
    restarts
        How often the whole job is begun again.
    """

    image: _Word
    ray_version: _Word
    nodes: tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=1)]] = (0, 4)
    namespace: _Name = "default"
    claim: _Name = "osteoct-data"
    mount: Annotated[str, Field(pattern=r"^/[A-Za-z0-9_./-]*$")] = "/data"
    idle_s: int = Field(default=120, ge=1)
    restarts: int = Field(default=3, ge=0)

    @model_validator(mode="after")
    def _check_nodes(self) -> KubernetesJob:
        if self.nodes[0] > self.nodes[1]:
            msg = f"at least {self.nodes[0]} nodes and at most {self.nodes[1]}"
            raise ValueError(msg)
        return self

    @property
    def workers(self) -> int:
        """Most workers at once."""
        return self._workers_of(self.nodes[1])


def render_slurm(job: SlurmJob) -> str:
    """Return a batch script for ``sbatch``.

    >>> print(render_slurm(SlurmJob(source="/data/ct", store="/data/out")).splitlines()[0])
    #!/bin/bash
    """
    return _templates().get_template("slurm.sh.j2").render(o=job)


def render_kubernetes(job: KubernetesJob) -> str:
    """Return the YAML of a RayJob for ``kubectl apply``."""
    where = ("--cluster", "auto", "--workers", str(job.workers))
    command = shlex.join(("osteoct", "run", job.source, "-o", job.store, *where))
    return _templates().get_template("kubernetes.yaml.j2").render(o=job, command=command)


def _templates() -> Environment:
    """The templates of this package; a value that is missing is an error."""
    environment = Environment(
        loader=PackageLoader("osteoct.run.engines"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 -- scripts and YAML; each value is quoted by its filter
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["sh"] = shlex.quote
    environment.filters["json"] = json.dumps
    return environment
