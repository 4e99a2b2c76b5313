"""The command group: commands are imported when they are called, failures become exit codes."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

import click

import osteoct
from osteoct.cli.termination import taking_back_on_sigterm
from osteoct.cli.words import say, speak_utf8
from osteoct.errors import (
    ConfigError,
    DependencyError,
    NetworkError,
    OsteoctError,
    OutputExistsError,
    RunError,
    SegmenterUnavailableError,
)

EXIT_NOTHING_MEASURABLE = 1
EXIT_USAGE = 2
EXIT_INPUT_REFUSED = 3
EXIT_ENVIRONMENT = 4
EXIT_INTERNAL = 70
"""A mistake of ours (sysexits' EX_SOFTWARE)."""
EXIT_INTERRUPTED = 130

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)

COMMANDS = (
    "demo",
    "analyze",
    "run",
    "status",
    "collect",
    "compare",
    "review",
    "export",
    "send",
    "fetch",
    "listen",
    "segment",
    "inspect",
    "phantom",
    "segmenters",
    "weights",
    "cohort",
    "cluster",
    "protocols",
    "rules",
    "labels",
)
"""In the order of the help: the first thing to try comes first."""

_MODULES = (
    {name: name for name in COMMANDS}
    | dict.fromkeys(("protocols", "rules", "labels"), "listings")
    | dict.fromkeys(("run", "status", "collect"), "run")
)


class OsteoctGroup(click.Group):
    """A group that imports a command on use and ends with the documented exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Name the commands in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import and return a command, or ``None`` if there is none of the name."""
        if cmd_name not in _MODULES:
            return None
        module = import_module(f"osteoct.cli.commands.{_MODULES[cmd_name]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: FBT001, FBT002, ARG002 - click's signature
        **extra: Any,  # noqa: ANN401 - click's signature
    ) -> Any:  # noqa: ANN401 - click's signature
        """Run a command and exit."""
        speak_utf8()
        try:
            with taking_back_on_sigterm():
                code = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except click.ClickException as error:
            error.show()
            sys.exit(error.exit_code)
        except (click.Abort, KeyboardInterrupt):
            say("interrupted")
            sys.exit(EXIT_INTERRUPTED)
        except OsteoctError as error:
            say(f"osteoct: {error.line}")
            sys.exit(exit_code_of(error))
        except BrokenPipeError:
            # The reader of stdout has gone (`osteoct … | head`): nothing is wrong.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        except OSError as error:
            if error.errno not in _NO_SPACE:
                end_internal_error(error)
            say(f"osteoct: {error.strerror}, on standard output or in the temporary folder")
            sys.exit(EXIT_ENVIRONMENT)
        except Exception as error:  # noqa: BLE001 - the last boundary: a user gets no traceback
            end_internal_error(error)
        sys.exit(code if isinstance(code, int) else 0)


def end_internal_error(error: Exception) -> NoReturn:
    """End for a mistake of ours; its text may hold file names and is not shown unasked."""
    if os.environ.get("OSTEOCT_DEBUG"):
        raise error
    say(
        f"osteoct: internal error ({type(error).__name__}); this is a mistake in osteoct. "
        "OSTEOCT_DEBUG=1 shows where (the text may hold file names)."
    )
    sys.exit(EXIT_INTERNAL)


def exit_code_of(error: OsteoctError) -> int:
    """The documented exit code of a failure."""
    if isinstance(error, (ConfigError, OutputExistsError)):
        return EXIT_USAGE
    if isinstance(error, (DependencyError, SegmenterUnavailableError, RunError, NetworkError)):
        return EXIT_ENVIRONMENT
    return EXIT_INPUT_REFUSED


@click.group(
    cls=OsteoctGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(osteoct.__version__, prog_name="osteoct")
def main() -> None:
    """Find weak bone in CT scans made for another reason.

    Research software, not a medical device: a result cannot rule out low bone density and is not
    a diagnosis.
    """
