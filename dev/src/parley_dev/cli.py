"""The command line of `make run`."""

import argparse
import ctypes
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from parley_dev.console import print_line
from parley_dev.errors import DevError
from parley_dev.lock import exclusive_lock
from parley_dev.supervisor import Options, Supervisor

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str] | None = None) -> int:
    """Run everything until a signal. Errors are printed as one sentence; returns the exit code."""
    args = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _raise_interrupt)
    if args.with_parent:
        _stop_with_parent()
    directory = args.directory.resolve()
    options = Options(
        directory=directory,
        port=args.port,
        replicas=args.replicas,
        mongodb_uri=os.environ.get("MONGODB_URI") or None,
        amqp_url=os.environ.get("AMQP_URL") or None,
        demo=not args.no_demo,
        s3=args.s3,
    )
    try:
        with exclusive_lock(directory / "lock"):
            Supervisor(options, print_line).run()
    except DevError as exc:
        print(exc, file=sys.stderr)
        return 1
    except OSError as exc:
        print(f"{exc.strerror or exc}: {exc.filename or 'no file named'}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped before anything was started.", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="parley-dev", description="Runs all of Parley on this machine.")
    parser.add_argument("--directory", type=Path, default=Path(".dev"), help="directory of data and logs")
    parser.add_argument("--port", type=_parse_port, default=8080, help="port of the gateway (8080)")
    parser.add_argument("--replicas", type=_parse_replicas, default=1, help="processes of each service (1)")
    parser.add_argument("--s3", action="store_true", help="store images in an S3 server instead of a folder")
    parser.add_argument("--no-demo", action="store_true", help="seed no demo sites and accounts")
    parser.add_argument("--with-parent", action="store_true", help="stop when the parent, such as make, dies")
    return parser


def _parse_port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 1 to 65535")
    return int(text)


def _parse_replicas(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 16:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 16")
    return int(text)


def _raise_interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _stop_with_parent() -> None:
    # A killed make would otherwise leave this process and its children behind.
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
