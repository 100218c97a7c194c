"""Every official file is found, loaded and counted."""

from __future__ import annotations

from collections import Counter

from runners.load import SpecError, cases, find, load
from runners.parse import TextError, json_text, yaml_text
from tests.official import SOURCE, needs_official

pytestmark = needs_official

REFUSED_YAML = {
    "server-discovery-and-monitoring/tests/rs/new_primary.yml",
    "server-discovery-and-monitoring/tests/rs/new_primary_new_electionid.yml",
    "server-discovery-and-monitoring/tests/rs/new_primary_new_setversion.yml",
    "server-discovery-and-monitoring/tests/rs/primary_disconnect_electionid.yml",
    "server-discovery-and-monitoring/tests/rs/primary_disconnect_setversion.yml",
    "server-discovery-and-monitoring/tests/rs/setversion_greaterthan_max_without_electionid.yml",
    "server-discovery-and-monitoring/tests/rs/use_setversion_without_electionid-pre-6.0.yml",
    "server-discovery-and-monitoring/tests/rs/use_setversion_without_electionid.yml",
    "unified-test-format/tests/invalid/expectedTracingSpans-emptyNestedSpan.yml",
}
"""`setName:,` and the like, which libyaml does not read."""


def test_yaml_files_give_the_data_of_their_json_twins() -> None:
    refused = set()
    for path in SOURCE.rglob("*.yml"):
        twin = path.with_suffix(".json")
        try:
            value, _ = yaml_text.parse(path.read_text(encoding="utf-8"))
        except TextError:
            refused.add(path.relative_to(SOURCE).as_posix())
            continue
        assert value == json_text.parse(twin.read_text(encoding="utf-8"))[0], path

    assert refused <= REFUSED_YAML


def test_every_file_of_a_suite_is_found_once() -> None:
    stems = {path.with_suffix("") for path in SOURCE.glob("*/tests/**/*.json")}
    stems |= {path.with_suffix("") for path in SOURCE.glob("*/tests/**/*.yml")}
    found = find([SOURCE])

    assert {path.with_suffix("") for path in found} == stems
    assert len(found) == len(stems)


def test_the_logic_formats_are_told_apart() -> None:
    counts: Counter[tuple[str, str]] = Counter()
    for suite in ("server-discovery-and-monitoring", "server-selection", "max-staleness"):
        for path in find([SOURCE / suite]):
            spec = load(path, SOURCE)
            counts[spec.format, path.relative_to(SOURCE / suite / "tests").parts[0]] += len(
                cases(spec)
            )

    assert {kind for kind, folder in counts if folder == "server_selection"} == {"server-selection"}
    assert {kind for kind, folder in counts if folder == "in_window"} == {"in-window"}
    assert {kind for kind, folder in counts if folder == "rtt"} == {"rtt"}
    assert {kind for kind, folder in counts if folder in {"logging", "unified"}} == {"unified"}
    assert {
        kind for kind, folder in counts if folder in {"errors", "monitoring", "rs", "single"}
    } == {"sdam"}
    assert counts["max-staleness", "Unknown"] > 0


def test_case_ids_are_unique() -> None:
    ids: Counter[str] = Counter()
    rules: set[str] = set()
    for path in find([SOURCE]):
        try:
            ids.update(case.id for case in cases(load(path, SOURCE)))
        except SpecError as error:
            rules.update(problem.rule for problem in error.problems)

    assert [id_ for id_, count in ids.items() if count > 1] == []
    assert len(ids) > 1000
    assert rules == {"unknown-format", "type", "required"}
