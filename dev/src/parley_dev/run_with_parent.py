"""Runs a command that must not outlive the process that asked for it; executed by path, imports nothing of ours.

`python guard.py PARENT SIGNAL COMMAND...` asks the kernel to send SIGNAL when the parent dies, then becomes COMMAND. A
wrapper rather than Popen's preexec_fn, which may deadlock in a process that has threads.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Become the command."""
    parent, number, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        # The parent died before the request was in place, so no signal will ever come.
        raise SystemExit(1)
    os.execvp(command[0], command)  # noqa: S606 - to become it is the point


if __name__ == "__main__":
    main()
