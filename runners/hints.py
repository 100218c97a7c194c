"""Help for a name that is not known."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Suggest the known name that is closest to `name`, or list a few where none is close."""
    names = sorted(known)
    by_case = {candidate.lower(): candidate for candidate in names}
    close = get_close_matches(name.lower(), by_case, n=1)
    if close:
        return f"did you mean `{by_case[close[0]]}`?"
    if not names:
        return ""
    more = ", …" if len(names) > MAX_LISTED else ""
    return f"known: {', '.join(names[:MAX_LISTED])}{more}"


MAX_LISTED = 12
