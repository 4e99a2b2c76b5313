"""From what a user names to an engine."""

from __future__ import annotations

from osteoct.run.engines.interface import Engine
from osteoct.run.engines.local import LocalEngine


def make_engine(cluster: str | None) -> Engine:
    """Return the engine at an address; processes of this machine without one.

    Parameters
    ----------
    cluster
        ``HOST:PORT`` or ``ray://HOST:PORT`` of a cluster that runs, ``auto`` for the one that this
        machine belongs to, ``local`` for one that lives as long as the run.

    Raises
    ------
    DependencyError
        The package of the cluster engine is missing.
    EngineLostError
        There is no cluster at the address.
    """
    if cluster is None:
        return LocalEngine()
    from osteoct.run.engines.cluster import RayEngine  # noqa: PLC0415 -- its package is optional

    return RayEngine(cluster)
