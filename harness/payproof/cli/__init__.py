"""The command ``payproof``: thin; every command asks the session or a pure function, and prints.

Each command is in a module that is imported when it is asked for, so that the help comes at once.
"""

import os
import re
import signal
import sys
from collections.abc import Sequence

import click
from click.core import ParameterSource

from payproof import __version__
from payproof.cli.color import color_option
from payproof.cli.every_command import show_examples
from payproof.cli.lazy_group import LazyGroup
from payproof.domain.verdict import ExitCode
from payproof.errors import ConfigurationError, PayproofError, Reason, record_fault

__all__ = ["cli", "main"]

#: Each command with the module that has it, and the first sentence of its help.
_COMMANDS = {
    "access": (
        "payproof.cli.access_command",
        "Show as a table who may do which operation, by a run record: what is promised, and what came of it.",
    ),
    "calibrate": (
        "payproof.cli.calibrate_command",
        "Deliver one genuine event of each type, and tell what the target does with it.",
    ),
    "check-scenarios": (
        "payproof.cli.scenario_commands",
        "Judge scenarios of your own without a target: list those that are right, and every mistake in the others.",
    ),
    "deliver": (
        "payproof.cli.deliver_commands",
        "Deliver EVENT (such as invoice.paid), or your own body, to your URL, signed with your secret.",
    ),
    "demo": ("payproof.cli.run_commands", "Run every scenario on the reference service that comes with Payproof."),
    "diff": (
        "payproof.cli.problem_commands",
        "Tell what has changed between two run records: problems that are new, mended, or became unknown.",
    ),
    "doctor": (
        "payproof.cli.doctor_command",
        "Say what of a target can be reached and is shown, and which lines would let more of it be judged.",
    ),
    "events": ("payproof.cli.list_commands", "List the event types that can be made up."),
    "explain": (
        "payproof.cli.list_commands",
        "Tell what a scenario does, who asks for it, and which planted defects prove that it can fail.",
    ),
    "flow": (
        "payproof.cli.flow_command",
        "Play the payment flow NAME at Stripe's test clocks, deliver its events, and compare the target with Stripe.",
    ),
    "init": (
        "payproof.cli.init_command",
        "Look at URL and write a commented target file with what was found; try it, where the secret is at hand.",
    ),
    "judge": (
        "payproof.cli.run_commands",
        "Judge a run record (--report FILE.jsonl) again with the checks of this version.",
    ),
    "list": ("payproof.cli.list_commands", "List the scenarios."),
    "reconcile": (
        "payproof.cli.reconcile_command",
        "Compare what Stripe knows with the target's rows, and name what never arrived or differs.",
    ),
    "replay": (
        "payproof.cli.replay_command",
        "Deliver the events of a file, as `stripe events list` writes it, to your URL, signed with your secret.",
    ),
    "report": (
        "payproof.cli.report_command",
        "Tell a run record (--report FILE.jsonl) again: as a page, as SARIF, JUnit, Markdown, JSON lines or metrics.",
    ),
    "run": ("payproof.cli.run_commands", "Run scenarios on a target and judge them."),
    "scan": (
        "payproof.cli.scan_command",
        "Search files, streams and databases for payment data and secrets.",
    ),
    "schema": (
        "payproof.cli.list_commands",
        "Print the JSON Schema of target or scenario files, for editors, or of a line of problems, for programs.",
    ),
    "show": (
        "payproof.cli.problem_commands",
        "Show everything that a run record holds of a problem or a case: what was sent, answered and seen.",
    ),
    "signatures": ("payproof.cli.list_commands", "List the ways to sign and to forge."),
    "verify": ("payproof.cli.deliver_commands", "Say whether a signature verifies, and if not, why not."),
}


@click.group(
    cls=LazyGroup,
    table=_COMMANDS,
    params=[color_option("PAYPROOF_COLOR")],
    epilog=show_examples("payproof demo", "payproof init http://127.0.0.1:8000", "payproof run --report junit.xml"),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, prog_name="payproof")
def cli() -> None:
    """Prove that a Stripe billing integration keeps payment data safe.

    Exit codes: 0 all held, 1 a rule is broken, 2 interrupted, 3 something is unknown, 4 wrong usage or configuration,
    5 nothing ran.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and end the process with its exit code; each thing that is wrong is a line on standard error."""
    # A CI server that cancels sends SIGTERM, a terminal that is closed SIGHUP: they end the run as Ctrl-C does, with
    # footers, and leave nothing behind.
    # What a script starts in the background is born with SIGINT ignored: it would not hear of SIGTERM either.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as `nohup` has it
        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGINT))
    sys.exit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    try:
        code = cli.main(arguments, prog_name="payproof", standalone_mode=False)
    except click.UsageError as error:
        return _refuse_usage(error)
    except ConfigurationError as error:
        problems, code = [*map(str, error.mistakes)], ExitCode.USAGE
    except PayproofError as error:
        problems, code = [str(error)], ExitCode.UNKNOWN
    except (KeyboardInterrupt, click.Abort) as interrupt:
        told = (interrupt.__cause__ or interrupt).args  # click raises its own instead
        problems, code = [" ".join(["interrupted", *map(str, told)])], ExitCode.INTERRUPTED
    except (BrokenPipeError, SystemExit) as end:
        if isinstance(end, SystemExit) and not end.code:
            return ExitCode.HELD  # click has told a shell what it may complete
        # Whoever read our output has seen enough: click and rich end the process then, with a status that would mean
        # a broken rule. Without a new place for the rest of the output the interpreter complains at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001 (our own fault says nothing about the target; its text could hold anything)
        problems, code = [f"{Reason.HARNESS_FAULT.value}: {record_fault(error)}"], ExitCode.UNKNOWN
    else:
        return code or ExitCode.HELD
    _tell(problems)
    return code


def _refuse_usage(error: click.UsageError) -> int:
    """Tell what click objects to, with the variable of an option only where that has given the value."""
    text = error.format_message()
    parameter = getattr(error, "param", None)
    source = None if parameter is None or error.ctx is None else error.ctx.get_parameter_source(parameter.name)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(text, err=True)
    else:
        _tell([re.sub(r" \(env var: [^)]*\)", "", text, count=1) if source is ParameterSource.COMMANDLINE else text])
    return ExitCode.USAGE


def _tell(problems: Sequence[str]) -> None:
    from payproof.reporters.phrasing import one_line  # noqa: PLC0415 (what most commands never need)

    for problem in problems:
        click.echo(f"payproof: {one_line(problem)}", err=True)
