"""From what a user names to an engine."""

from __future__ import annotations

from typing import Final

from osteoct.run.engines.interface import Engine, EngineOptions
from osteoct.run.engines.local import LocalEngine

OWN: Final = "local"
"""Names a cluster that lives as long as the run."""


def make_engine(cluster: str | None, *, workers: tuple[int, int] = (1, 1)) -> Engine:
    """Return the engine at an address; processes of this machine without one.

    Parameters
    ----------
    cluster
        ``HOST:PORT`` or ``ray://HOST:PORT`` of a cluster that runs, ``auto`` for the one that this
        machine belongs to, ``local`` for one that lives as long as the run.
    workers
        Fewest and most workers.

    Raises
    ------
    DependencyError
        The package of the cluster engine is missing.
    """
    if cluster is None:
        return LocalEngine()
    from osteoct.run.engines.cluster import RayEngine  # noqa: PLC0415 -- its package is optional

    return RayEngine(EngineOptions(workers=workers, address=None if cluster == OWN else cluster))
