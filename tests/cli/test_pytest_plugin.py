"""Spec files as pytest items: what is collected, how verdicts are shown, what is started."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runners.deployments.binaries import Binary
from runners.model import Json
from tests.check.stubs import a_test, write_rtt, write_spec
from tests.cli.conftest import ROOT

pytest_plugins = ("pytester",)

RTT = "spec_tests/rtts/rtt.json"
Pytest = Callable[..., pytest.RunResult]


@pytest.fixture
def run_pytest(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Pytest:
    """Run pytest in a project of its own, with the plugin as an installed package loads it."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *filter(None, sys.path)]))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    for folder in ("TMPDIR", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(folder, str(pytester.mkdir(folder)))

    def invoke(*arguments: object) -> pytest.RunResult:
        return pytester.runpytest_subprocess("-p", "runners.pytest_plugin", *map(str, arguments))

    return invoke


def test_cases_below_spec_tests_are_collected(
    run_pytest: Pytest, pytester: pytest.Pytester
) -> None:
    write_spec(pytester.path / "spec_tests" / "crud" / "x.json", a_test("one"), a_test("two"))
    write_rtt(pytester.path / RTT)
    result = run_pytest("--collect-only", "-q")
    assert result.outlines[:3] == [
        "spec_tests/crud/x.json::one",
        "spec_tests/crud/x.json::two",
        f"{RTT}::rtt",
    ]


def test_other_files_are_left_alone(run_pytest: Pytest, pytester: pytest.Pytester) -> None:
    write_rtt(pytester.path / "data" / "rtt.json")
    (pytester.path / "config.yml").write_text("a: [")
    (pytester.path / "test_it.py").write_text("def test_it(): pass")
    result = run_pytest("-v")
    result.assert_outcomes(passed=1)
    assert result.ret == 0


def test_hardly_anything_of_the_harness_is_imported_without_spec_files(
    run_pytest: Pytest, pytester: pytest.Pytester
) -> None:
    (pytester.path / "config.yml").write_text("a: 1")
    (pytester.path / "test_it.py").write_text(
        "import sys\n"
        "def test_it():\n"
        "    loaded = {name for name in sys.modules if name.startswith('runners')}\n"
        "    assert loaded == {'runners', 'runners.model', 'runners.pytest_plugin'}\n"
    )
    run_pytest().assert_outcomes(passed=1)


def test_the_option_takes_files_of_any_folder(
    run_pytest: Pytest, pytester: pytest.Pytester
) -> None:
    write_rtt(pytester.path / "official" / "rtt" / "tests" / "rtt.json")
    (pytester.path / "official" / "rtt" / "settings.yml").write_text("a: 1")
    write_rtt(pytester.path / "elsewhere" / "rtt.json")
    result = run_pytest("--mongospec", "official", "--collect-only", "-q")
    assert result.outlines[0] == "official/rtt/tests/rtt.json::rtt"
    result.stdout.fnmatch_lines("1 test collected*")


def test_a_failure_shows_our_explanation(run_pytest: Pytest, pytester: pytest.Pytester) -> None:
    path = write_rtt(pytester.path / RTT)
    path.write_text(path.read_text().replace('"new_avg_rtt": 1', '"new_avg_rtt": 2'))
    result = run_pytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"FAIL {RTT.removeprefix('spec_tests/')}::rtt", "  expected: 2"])
    assert "Traceback" not in result.stdout.str()
    assert "pytest_items.py" not in result.stdout.str()
    assert result.ret == 1


def test_a_pass(run_pytest: Pytest, pytester: pytest.Pytester) -> None:
    write_rtt(pytester.path / RTT)
    run_pytest().assert_outcomes(passed=1)


def test_a_broken_file_fails(run_pytest: Pytest, pytester: pytest.Pytester) -> None:
    write_rtt(pytester.path / RTT)
    (pytester.path / "spec_tests" / "bad.yml").write_text("a: 1\na: 2\n")
    result = run_pytest()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines("*bad.yml:2:1: *duplicate-key*")


def test_a_case_that_is_not_run_is_skipped_with_its_reason(
    run_pytest: Pytest, pytester: pytest.Pytester
) -> None:
    write_spec(
        pytester.path / "spec_tests" / "x" / "x.json",
        a_test("skipped", skipReason="not yet"),
        a_test("lacking", runOnRequirements=[{"minServerVersion": "99.0"}]),
    )
    fake = pytester.path / "mongod"
    fake.write_text("#!/bin/sh\necho db version v6.0.5\n")
    fake.chmod(0o755)
    result = run_pytest("-rs", "--mongospec-mongod", fake)
    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines(
        [
            "SKIPPED [[]1[]] spec_tests/x/x.json:*: skipped: not yet",
            "SKIPPED [[]1[]] spec_tests/x/x.json:*: unmet: needs server 99.0 or newer; *",
        ]
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--mongospec-topology", "triangle"), "*--mongospec-topology: invalid choice: *triangle*"),
        (("--mongospec-on", "localhost"), "*begins with mongodb://*"),
        (("--mongospec-mongod", "/no/such/file"), "*there is no such file*"),
        (("--mongospec-driver", "nonesuch"), "*there is no adapter 'nonesuch'*"),
    ],
)
def test_bad_options(
    run_pytest: Pytest, pytester: pytest.Pytester, arguments: tuple[str, ...], message: str
) -> None:
    write_spec(pytester.path / "spec_tests" / "x" / "x.json", a_test("one"))
    result = run_pytest(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(message)


def test_deselected_cases_need_nothing(run_pytest: Pytest, pytester: pytest.Pytester) -> None:
    write_spec(pytester.path / "spec_tests" / "x" / "x.json", a_test("one"))
    write_rtt(pytester.path / RTT)
    result = run_pytest("-k", "rtt", "--mongospec-mongod", "/no/such/file")
    result.assert_outcomes(passed=1, deselected=1)


@pytest.fixture
def three_cases(pytester: pytest.Pytester) -> Path:
    only: list[Json] = [{"topologies": ["replicaset"]}]
    return write_spec(
        pytester.path / "spec_tests" / "x" / "x.json",
        a_test("ping"),
        a_test("again"),
        a_test("on a set", runOnRequirements=only),
    )


@pytest.mark.live
def test_cases_run_on_what_they_need(
    run_pytest: Pytest, three_cases: Path, mongod: Binary, pytester: pytest.Pytester
) -> None:
    result = run_pytest("--mongospec-mongod", mongod.path, "-k", "not again")
    result.assert_outcomes(passed=2, deselected=1)
    assert list((pytester.path / "TMPDIR").iterdir()) == []


@pytest.mark.live
def test_each_topology_is_an_item(run_pytest: Pytest, three_cases: Path, mongod: Binary) -> None:
    topologies = ("--mongospec-topology", "standalone", "--mongospec-topology", "replicaset")
    result = run_pytest("-v", "--mongospec-mongod", mongod.path, *topologies)
    result.assert_outcomes(passed=5, skipped=1)
    result.stdout.fnmatch_lines(
        ["*::ping[[]standalone[]] PASSED*", "*::on a set[[]standalone[]] SKIPPED*"]
    )


@pytest.mark.live
def test_each_worker_has_its_own_deployment(
    run_pytest: Pytest, three_cases: Path, mongod: Binary, pytester: pytest.Pytester
) -> None:
    options = ("--mongospec-mongod", mongod.path, "--mongospec-topology", "standalone")
    result = run_pytest("-p", "xdist", "-n", "2", *options)
    result.assert_outcomes(passed=2, skipped=1)
    assert not list((pytester.path / "TMPDIR").glob("mongospec-*"))
