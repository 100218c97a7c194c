"""The official files: what is valid has no problems, and what is invalid has one in its place."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from runners.formats import FORMATS
from runners.lint import lint
from runners.load import SpecError, find, load
from runners.model import Problem
from tests.official import SOURCE, needs_official

pytestmark = needs_official

UNIFIED = SOURCE / "unified-test-format" / "tests"
REFUSED_BY_LINT = {
    "assertNumberConnectionsCheckedOut": "required",
    "entity-bucket-database-undefined": "undefined-entity",
    "entity-collection-database-undefined": "undefined-entity",
    "entity-database-client-undefined": "undefined-entity",
    "entity-findCursor": "undefined-entity",
    "entity-session-client-undefined": "undefined-entity",
    "operation-unsupported": "unknown-operation",
}
FAIL_WHEN_RUN = {
    "entity-client-apiVersion-unsupported": "the driver refuses the API version",
    "entity-findCursor-malformed": "the driver refuses a find without a filter",
    "ignoreResultAndError": "the second insert fails, and its error is not ignored",
    "ignoreResultAndError-malformed": "the driver refuses the operation's arguments",
    "kmsProviders-missing_aws_kms_credentials": "the driver refuses the KMS provider",
    "kmsProviders-missing_gcp_kms_credentials": "the driver refuses the KMS provider",
    "kmsProviders-no_kms": "the driver refuses to be without a KMS provider",
    "operation-failure": "the server refuses the commands, and no error is expected",
    "operator-matchAsDocument": "the values differ",
    "operator-matchAsRoot": "the values differ",
    "returnDocument-enum-invalid": "there is no such returnDocument",
}
RULES = {
    "-additionalProperties": {"unknown-key", "size", "type"},
    "-required": {"required", "unknown-key", "unknown-format"},
    "-minItems": {"size"},
    "-minProperties": {"size"},
    "-maxProperties": {"size"},
    "-type": {"type", "value", "unknown-key"},
    "-enum": {"value"},
    "-pattern": {"value", "unknown-key"},
    "-const": {"value"},
    "conflicts_with_expectResult": {"conflict"},
    "conflicts_with_saveResultAsEntity": {"conflict"},
    "eventType": {"unknown-key", "value"},
}
"""What the end of an invalid file's name says, and the rules of ours that say the same."""


def problems(path: Path) -> list[Problem]:
    try:
        return lint(load(path, SOURCE))
    except SpecError as error:
        return error.problems


def twins(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix in {".json", ".yml"})


def test_valid_files_have_no_problems() -> None:
    wrong = []
    counts: Counter[str] = Counter()
    for path in find([SOURCE]):
        if path.parent.name in {"invalid", "valid-fail"}:
            continue
        try:
            spec = load(path, SOURCE)
        except SpecError as error:
            wrong += [str(p) for p in error.problems if p.rule != "unknown-format"]
            continue
        counts[spec.format] += 1
        wrong += map(str, lint(spec))

    assert wrong == []
    assert set(counts) == {known.name for known in FORMATS}


def test_invalid_files_are_refused_for_their_reason_in_their_place() -> None:
    checked: Counter[str] = Counter()
    for path in twins(UNIFIED / "invalid"):
        found = problems(path)
        lines = path.read_text(encoding="utf-8").splitlines()
        assert found, path
        for problem in found:
            assert problem.position.path == path
            assert 1 <= problem.position.column <= len(lines[problem.position.line - 1]) + 1
        for ending, rules in RULES.items():
            if path.stem.endswith(ending):
                assert rules & {problem.rule for problem in found}, path
                checked[ending] += 1

    assert set(checked) == set(RULES)


def test_what_only_a_run_can_refuse() -> None:
    passed = set()
    for path in twins(UNIFIED / "valid-fail"):
        found = {problem.rule for problem in problems(path)}
        assert REFUSED_BY_LINT.get(path.stem) in found or not found, path
        passed |= set() if found else {path.stem}

    assert passed == set(FAIL_WHEN_RUN)
