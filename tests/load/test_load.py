"""Which files are spec files, what is refused, and the cases of a file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runners.load import MAX_BYTES, SpecError, cases, find, load, spec_root
from runners.model import Position

UNIFIED = """description: some
schemaVersion: "1.0"
tests:
  - description: one
    operations: []
  - description: two
    operations: []
  - description: one
    operations: []
"""
RTT = '{"avg_rtt_ms": "NULL", "new_rtt_ms": 5, "new_avg_rtt": 5}'


def write(root: Path, *names: str, text: str = RTT) -> list[Path]:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return sorted(root / name for name in names)


class TestFind:
    def test_a_plain_folder_gives_all_its_files(self, tmp_path: Path) -> None:
        expected = write(tmp_path, "a.yml", "b/c.json", "b/d.yaml", text="anything: at all")
        write(tmp_path, "README.md", ".hidden.json", ".git/x.json", "data.tgz")

        assert find([tmp_path]) == expected

    def test_a_tree_of_suites_gives_its_tests_and_what_looks_like_one(self, tmp_path: Path) -> None:
        expected = write(tmp_path, "crud/tests/unified/a.json", "sdam/tests/b.yml", text="wrong")
        expected += write(tmp_path, "stray/rtt.json")
        expected += write(tmp_path, "stray/broken.yml", text='schemaVersion: "1.0"\n  tests: [')
        write(tmp_path, "mkdocs.yml", "crud/data/people.json", text='{"name": "Ada"}')

        assert find([tmp_path]) == sorted(expected)

    def test_spec_tests_is_a_tree_of_suites(self, tmp_path: Path) -> None:
        expected = write(tmp_path, "spec_tests/crud/a.yml", text="wrong")
        write(tmp_path, "docker/compose.yml", text="services: {}")

        assert find([tmp_path]) == expected

    def test_a_folder_within_a_suite_gives_all_its_files(self, tmp_path: Path) -> None:
        expected = write(tmp_path, "uri-options/tests/a.json", text='{"tests": []}')

        assert find([tmp_path / "uri-options" / "tests"]) == expected

    def test_a_json_schema_is_no_spec_file(self, tmp_path: Path) -> None:
        text = '{\n  "$schema": "http://json-schema.org/draft-07/schema#"\n}'
        (schema,) = write(tmp_path, "tests/schema.json", text=text)

        assert find([tmp_path]) == []
        assert find([schema]) == [schema]

    def test_twins_are_one_case_file(self, tmp_path: Path) -> None:
        json, yml = write(tmp_path, "a.json", "a.yml")
        others = write(tmp_path, "b.yaml", "c.yml")

        assert find([tmp_path]) == [json, *others]
        assert find([tmp_path, yml]) == [yml, *others]
        assert find([json, yml]) == [json, yml]

    def test_a_path_given_twice_is_found_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(tmp_path, "a.json")
        monkeypatch.chdir(tmp_path)

        assert len(find([Path(), tmp_path, Path("a.json")])) == 1

    def test_what_is_not_there_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(SpecError, match=r"no-such-file"):
            find([tmp_path / "absent.yml"])

    def test_a_pipe_is_left_for_load_to_refuse(self, tmp_path: Path) -> None:
        pipe = tmp_path / "a.json"
        os.mkfifo(pipe)

        assert find([tmp_path]) == [pipe]
        with pytest.raises(SpecError, match="regular file"):
            load(pipe, tmp_path)


class TestLoad:
    def test_data_position_and_format(self, tmp_path: Path) -> None:
        (path,) = write(tmp_path, "crud/a.yml", text=UNIFIED)
        spec = load(path, tmp_path)

        assert spec.name == "crud/a.yml"
        assert spec.format == "unified"
        assert spec.value["description"] == "some"
        assert spec.locate(("tests", 1, "description")) == Position(path, 6, 18)
        assert spec.locate(("tests", 1, "description"), key=True) == Position(path, 6, 5)
        assert str(spec.problem((), "rule", "what", "mend")) == f"{path}:1:1: [rule] what (mend)"

    @pytest.mark.parametrize(
        ("name", "data", "expected"),
        [
            ("a.yml", b"", "1:1: [empty]"),
            ("a.json", b" \n\n", "1:1: [empty]"),
            ("a.json", b"[]", "1:1: [not-a-mapping]"),
            ("a.yml", b"just text", "1:1: [not-a-mapping]"),
            ("a.yml", b"a: 1\nb: \xe9", "2:4: [not-utf-8] byte 0xe9"),
            ("a.json", "{}".encode("utf-16"), "1:1: [not-utf-8]"),
            ("a.json", b'{"a": 1, "a": 2}', "1:10: [duplicate-key]"),
            ("a.yml", b"a: [", "2:1: [not-yaml]"),
            ("a.json", b"a: 1", "1:1: [not-json]"),
            ("a.yml", b"#" * (MAX_BYTES + 1), "1:1: [too-large]"),
            ("a.yml", b"tests: []", "1:1: [unknown-format]"),
        ],
    )
    def test_refusals(self, tmp_path: Path, name: str, data: bytes, expected: str) -> None:
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(SpecError) as caught:
            load(path, tmp_path)

        assert [str(p).startswith(f"{path}:{expected}") for p in caught.value.problems] == [True]

    def test_a_byte_order_mark_is_skipped(self, tmp_path: Path) -> None:
        (path,) = write(tmp_path, "a.json", text="\ufeff" + RTT)

        assert load(path, tmp_path).locate(("new_rtt_ms",)) == Position(path, 1, 38)

    def test_an_unknown_format_is_told_the_known_ones(self, tmp_path: Path) -> None:
        (path,) = write(tmp_path, "a.json", text='{"tests": [], "other": 1}')
        with pytest.raises(SpecError, match=r"tests, other .*unified \(schemaVersion\).*rtt"):
            load(path, tmp_path)

    def test_a_file_outside_of_the_root_is_refused(self, tmp_path: Path) -> None:
        (path,) = write(tmp_path, "a.json")
        with pytest.raises(SpecError, match="outside-root"):
            load(path, tmp_path / "b")

    @pytest.mark.parametrize(
        ("keys", "expected"),
        [
            ("schemaVersion", "unified"),
            ("uri phases description", "sdam"),
            ("topology_description operation read_preference", "server-selection"),
            ("topology_description read_preference", "max-staleness"),
            ("topology_description mocked_topology_state iterations", "in-window"),
            ("avg_rtt_ms new_rtt_ms", "rtt"),
        ],
    )
    def test_formats(self, tmp_path: Path, keys: str, expected: str) -> None:
        text = "".join(f"{key}: 1\n" for key in keys.split())
        (path,) = write(tmp_path, "a.yml", text=text)

        assert load(path, tmp_path).format == expected


class TestCases:
    def test_a_unified_file_gives_a_case_for_each_test(self, tmp_path: Path) -> None:
        (path,) = write(tmp_path, "crud/tests/a.yml", text=UNIFIED)
        found = cases(load(path, tmp_path))

        assert [case.id for case in found] == [
            "crud/tests/a.yml::one",
            "crud/tests/a.yml::two",
            "crud/tests/a.yml::one#2",
        ]
        assert [(case.index, case.line, case.description) for case in found] == [
            (0, 4, "one"),
            (1, 6, "two"),
            (2, 8, "one"),
        ]
        assert {(case.suite, case.format, case.path) for case in found} == {
            ("crud", "unified", path)
        }

    def test_another_file_is_one_case(self, tmp_path: Path) -> None:
        named, unnamed = write(tmp_path, "rtt/named.yml", "rtt/unnamed.yml")
        named.write_text("# first\ndescription: the mean\nnew_rtt_ms: 1")

        assert [(c.id, c.line) for c in cases(load(named, tmp_path))] == [
            ("rtt/named.yml::the mean", 2)
        ]
        assert [c.id for c in cases(load(unnamed, tmp_path))] == ["rtt/unnamed.yml::unnamed"]

    @pytest.mark.parametrize(
        "tests", ["3", "{}", "[3]", "[{}]", "[{description: 3}]", "[{description: }]"]
    )
    def test_malformed_tests_are_an_error(self, tmp_path: Path, tests: str) -> None:
        (path,) = write(tmp_path, "a.yml", text=f'schemaVersion: "1.0"\ntests: {tests}')
        with pytest.raises(SpecError, match=r"a\.yml:2:\d+: "):
            cases(load(path, tmp_path))

    @pytest.mark.parametrize(
        ("below", "suite"),
        [
            ("crud/tests/unified", "crud"),
            ("source/crud/tests", "crud"),
            ("crud/more", "crud"),
            ("", "root"),
        ],
    )
    def test_suites(self, tmp_path: Path, below: str, suite: str) -> None:
        root = tmp_path / "root"
        (path,) = write(root / below, "a.json")

        assert cases(load(path, root))[0].suite == suite


@pytest.mark.parametrize(
    ("given", "root"),
    [
        ("source", "source"),
        ("source/crud/tests", "source"),
        ("source/crud/tests/unified/a.json", "source"),
        ("here/spec_tests", "here/spec_tests"),
        ("here/spec_tests/crud/a.json", "here/spec_tests"),
        ("mine/a.json", "mine"),
        ("mine", "mine"),
    ],
)
def test_the_root_of_a_path(tmp_path: Path, given: str, root: str) -> None:
    write(
        tmp_path,
        "source/crud/tests/unified/a.json",
        "here/spec_tests/crud/a.json",
        "mine/a.json",
    )

    assert spec_root(tmp_path / given) == tmp_path / root
