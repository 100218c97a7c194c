"""How a case ends other than by passing: raised anywhere below `run_case`, told apart there."""

from __future__ import annotations

from runners.model import Json
from runners.unified.match import MISSING, Actual, Mismatch, Path, render


class CaseError(Exception):
    """The file asks for something that makes no sense, or the harness broke: state `error`."""

    def __init__(self, message: str, path: Path = ()) -> None:
        super().__init__(f"{render(path)}: {message}" if path else message)
        self.path = path


class CaseUnmet(Exception):
    """The deployment lacks what the case turns out to need: state `unmet`."""


class CaseFailed(Exception):
    """The driver did not do what the file expects: state `fail`."""

    def __init__(
        self,
        message: str,
        path: Path,
        expected: Json = None,
        actual: Actual = MISSING,
        details: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.expected = expected
        self.actual: Json = None if actual is MISSING else actual
        self.details = details


def fail_on(mismatch: Mismatch | None, subject: str, details: str = "") -> None:
    """Raise CaseFailed where there is a mismatch; `subject` is what was matched."""
    if mismatch is not None:
        raise CaseFailed(
            f"{subject}: {render(mismatch.path)} {mismatch.message}",
            mismatch.path,
            mismatch.expected,
            mismatch.actual,
            details,
        )
