"""SIGTERM is heard once, as Ctrl-C, and ends the process in the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from runners.cli.ending import end_if_asked, ended_by_signals

COMMAND = """
import os, signal
from runners.cli.ending import ended_by_signals

@ended_by_signals()
def command():
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    except KeyboardInterrupt:
        os.kill(os.getpid(), signal.SIGTERM)
        print("reported", flush=True)
        raise

try:
    command()
finally:
    print("not reached")
"""


def test_sigterm_lets_the_command_report_and_then_ends_it() -> None:
    path = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        [sys.executable, "-c", COMMAND],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (-signal.SIGTERM, "reported\n")


def test_without_a_signal_all_is_as_before() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with ended_by_signals():
        assert signal.getsignal(signal.SIGTERM) is not before
        end_if_asked()
    with pytest.raises(ValueError, match="its own"), ended_by_signals():
        raise ValueError("its own")
    assert signal.getsignal(signal.SIGTERM) is before


class Finalized:
    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_that_a_finalizer_dropped_is_not_lost() -> None:
    with ended_by_signals():
        Finalized()
        with pytest.raises(KeyboardInterrupt):
            end_if_asked()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
