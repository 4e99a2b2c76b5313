"""What Ray says when something went wrong, in one line without addresses and stack traces."""

from __future__ import annotations

import re
from typing import Final

from ray import exceptions

from osteoct.run.engines.cluster_words import Refused

_OUT_OF_MEMORY: Final = re.compile(r"running low on memory|exit type: NODE_OUT_OF_MEMORY")
"""Of a worker that somebody else killed Ray says that lack of memory may have been the reason."""

_NO_PACKAGE: Final = re.compile(r"No module named '([\w.]+)'")
_VERSIONS: Final = re.compile(r"Ray: (\S+)\s+Python: (\S+)")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether Ray ended a worker because its node had no memory left."""
    return isinstance(error, exceptions.OutOfMemoryError) or (
        isinstance(error, exceptions.RayActorError)
        and _OUT_OF_MEMORY.search(str(error)) is not None
    )


def why_lost(error: BaseException) -> str:
    """Say why an actor is gone, as far as Ray tells."""
    text = str(error)
    missing = _NO_PACKAGE.search(text)
    reasons = (
        (is_out_of_memory(error), "its node ran out of memory and Ray ended the worker"),
        (
            missing is not None,
            f"its node lacks the Python package {missing[1].partition('.')[0] if missing else ''}",
        ),
        (getattr(error, "preempted", False), "its node was taken back by who lends it"),
        (
            isinstance(error, exceptions.NodeDiedError) or "node has died" in text,
            "its node is gone",
        ),
        (isinstance(error, exceptions.ActorUnavailableError), "its node does not answer"),
        (getattr(error, "actor_init_failed", False), "the worker could not start on its node"),
        (isinstance(error, exceptions.ActorDiedError), "the worker ended without a word"),
    )
    return next((why for holds, why in reasons if holds), f"Ray says {type(error).__name__}")


def why_refused(error: BaseException) -> Refused:
    """Say why a cluster cannot be used."""
    text = str(error)
    versions = _VERSIONS.findall(text)
    if "ersion mismatch" in text and len(versions) > 1:
        (ray_there, python_there), (ray_here, python_here) = versions[:2]
        return Refused(
            what="the cluster runs other versions",
            found=f"Ray {ray_there} and Python {python_there} there, "
            f"Ray {ray_here} and Python {python_here} here",
            hint="install the same on every host",
        )
    if re.search(
        r"node_ip_address\.json|no raylet|local raylet|not find any running|not connect", text
    ):
        return Refused(
            what="the cluster cannot be joined from here",
            found=type(error).__name__,
            hint="start this on a node of the cluster (ray start --address …), or use ray://HOST:10001",
        )
    return Refused(
        what="the cluster cannot be used",
        found=f"{type(error).__name__}: {text.strip().partition(chr(10))[0][:200]}",
    )
