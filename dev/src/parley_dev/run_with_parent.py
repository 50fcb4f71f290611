"""Runs a command that ends when its parent process dies (Linux). Executed by path; imports nothing of Parley.

`python run_with_parent.py PARENT_PID SIGNAL COMMAND...` requests SIGNAL from the kernel for the parent's death, then
executes COMMAND in its own place. It is a wrapper because Popen's preexec_fn may deadlock in a process with threads.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Request the signal and execute the command."""
    parent, number, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        # The parent died before the request was in place, so the signal would never arrive.
        raise SystemExit(1)
    os.execvp(command[0], command)  # noqa: S606 - replacing this process is the purpose


if __name__ == "__main__":
    main()
