"""Ends what a harness started, however the harness ends: `python guard.py FOLDER`, as a script.

The guard leads the process group that holds the servers, and reads its standard input: a pipe
whose other end only the harness has. That pipe speaks or closes when the harness stops the
deployment, and closes when the harness is killed. Either way the group is killed and FOLDER
removed. The end of the guard's standard output says that this is done.
"""

import os
import shutil
import signal
import sys
import threading

ATTEMPTS = 250
PAUSE = 0.02


def main(folder: str) -> None:
    """Wait for the harness to end, then end the servers."""
    os.read(0, 1)
    group = os.getpgrp()
    outsider = os.fork()
    if outsider:  # this process leads the group, so it dies with it
        os.waitpid(outsider, 0)
        return
    os.setpgid(0, 0)
    os.killpg(group, signal.SIGKILL)
    remove(folder)


def remove(folder: str) -> None:
    """Remove a folder that dying processes may still write to."""
    for _ in range(ATTEMPTS):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.exists(folder):
            return
        threading.Event().wait(PAUSE)


if __name__ == "__main__":
    main(sys.argv[1])
