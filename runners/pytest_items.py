"""Pytest's nodes for spec files and cases, and what they share in a session."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pytest

from runners import check, ledger
from runners.adapters import load
from runners.adapters.base import AdapterError
from runners.collect import Found, collect
from runners.deployments.base import Deployment, DeploymentError
from runners.deployments.offer import Wish, connect, offer
from runners.deployments.security import Security
from runners.kinds import Driver, Place
from runners.ledger import Ledger
from runners.load import SpecError, find
from runners.model import Case, State, Topology, Verdict
from runners.plan import Choice, plan
from runners.report.explain import explain


class CaseBroken(Exception):
    """The case ended in a state that breaks the run."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.case.id)
        self.verdict = verdict


class Checking:
    """The driver under test and its deployments, in one pytest process; opened when needed."""

    def __init__(self, config: pytest.Config) -> None:
        option = config.getoption
        self._anywhere: bool = option("mongospec")
        self._driver_name: str = option("mongospec_driver")
        self._arguments = [Path(each.partition("::")[0]).resolve() for each in config.args]
        self._wish = Wish(
            option("mongospec_on"),
            tuple(dict.fromkeys(map(Topology, option("mongospec_topology")))),
            option("mongospec_server"),
            option("mongospec_mongod"),
            Security(option("mongospec_auth"), option("mongospec_tls")),
        )
        self._choices = self._wish.choices
        self._config = config
        self._closing = ExitStack()
        self._places: dict[str, tuple[ExitStack, Place]] = {}

    @property
    def choices(self) -> Sequence[Choice]:
        """The kinds of deployment on which each case runs."""
        return self._choices

    def takes(self, path: Path) -> bool:
        """Whether this is a spec file: `find` knows which files of a folder are."""
        if path in self._arguments:
            return True
        if self._anywhere:
            folders = [each for each in self._arguments if path.is_relative_to(each)]
        else:
            folders = [each for each in path.parents if each.name == "spec_tests"]
        return any(path in _spec_files(folder) for folder in folders)

    def plan(self, items: Sequence[pytest.Item]) -> None:
        """Open the driver, and give every case its deployment, so that few have to be started."""
        if any(isinstance(item, CaseItem) for item in items):
            self._driver  # noqa: B018 - a driver that cannot be opened is bad usage, said now
        for choice in self.choices:
            group = [item for item in items if isinstance(item, CaseItem) and item.choice is choice]
            if any(item.need.server for item in group):
                self._plan(group, choice)

    def _plan(self, items: Sequence[CaseItem], choice: Choice) -> None:
        offered = [each for each in self._offered if choice.allows(each.info)]
        infos = [each.info for each in offered]
        planned = plan([item.need for item in items], infos)
        deployments = {case: each for each in offered for case in planned.on.get(each.info.id, ())}
        reasons = dict(planned.unmet)
        for item in items:
            item.deployment = deployments.get(item.found.case)
            item.unmet = reasons.get(item.found.case)

    def verdict(self, item: CaseItem) -> Verdict:
        """Run a case, unless its verdict is clear without that."""
        topology = item.deployment.info.topology if item.deployment else None
        return self._known.judge(self._verdict(item), topology)

    def _verdict(self, item: CaseItem) -> Verdict:
        case = item.found.case
        if settled := check.settle(item.found, self._driver.info):
            return settled
        if item.unmet is not None:
            return Verdict(case, State.UNMET, item.unmet)
        if item.deployment is None:
            return check.run(item.found, self._driver, None)
        try:
            place = self._place(item.deployment)
        except DeploymentError as error:
            return Verdict(case, State.ERROR, f"{item.deployment.info.id} does not start: {error}")
        verdict = check.run(item.found, self._driver, place)
        if check.broken_by(verdict, place):
            self._stop(place.info.id)
        return verdict

    def close(self) -> None:
        """Stop the deployments, then the driver."""
        with self._closing:
            for id_ in list(self._places):
                self._stop(id_)

    @cached_property
    def _driver(self) -> Driver:
        with _usage_errors():
            return self._closing.enter_context(check.opened(load(self._driver_name)))

    @cached_property
    def _known(self) -> Ledger:
        name = self._driver.info.name
        with _usage_errors():
            return ledger.load(ledger.own(name), name)

    @cached_property
    def _offered(self) -> list[Deployment]:
        with _usage_errors():
            return offer(self._wish, connect, self._say)

    def _say(self, text: str) -> None:
        """Tell the user what takes a while."""
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(text)

    def _place(self, deployment: Deployment) -> Place:
        """Where the deployment runs; it is started by the first case that needs it."""
        id_ = deployment.info.id
        if id_ not in self._places:
            with ExitStack() as stack:
                place = stack.enter_context(check.started(deployment, connect))
                self._places[id_] = (stack.pop_all(), place)
        return self._places[id_][1]

    def _stop(self, id_: str) -> None:
        stack, _ = self._places.pop(id_)
        stack.close()


class SpecFileNode(pytest.File):
    """A spec file."""

    def __init__(self, *, checking: Checking, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.checking = checking

    def collect(self) -> Iterator[VerdictItem]:
        """An item a case; one for each topology, where several were named."""
        collection = collect([self.path])
        for verdict in collection.broken:
            yield BrokenItem.from_parent(self, name=_name(verdict.case), known=verdict)
        choices = self.checking.choices
        for found in collection.cases:
            for choice in choices:
                suffix = f"[{choice}]" if len(choices) > 1 else ""
                name = _name(found.case) + suffix
                yield CaseItem.from_parent(
                    self, name=name, found=found, choice=choice, checking=self.checking
                )


class VerdictItem(pytest.Item):
    """A case; what `verdict` says becomes pytest's outcome."""

    def __init__(self, *, case: Case, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.case = case

    @abstractmethod
    def verdict(self) -> Verdict:
        """How the case ends."""

    def runtest(self) -> None:
        """Pass, skip with the verdict's reason, or raise CaseBroken."""
        verdict = self.verdict()
        if verdict.state.breaks_the_run:
            raise CaseBroken(verdict)
        if verdict.state is State.EXPECTED_FAIL:
            pytest.xfail(verdict.reason)
        if verdict.state is not State.PASS:
            pytest.skip(f"{verdict.state}: {verdict.reason}")

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any, **kwargs: Any
    ) -> Any:
        """Our explanation rather than a traceback of the harness."""
        if isinstance(excinfo.value, CaseBroken):
            return explain(excinfo.value.verdict)
        return super().repr_failure(excinfo, *args, **kwargs)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the case is; pytest counts lines from 0."""
        return self.path, self.case.line - 1, self.case.id


class BrokenItem(VerdictItem):
    """A case of a broken file."""

    def __init__(self, *, known: Verdict, **kwargs: Any) -> None:
        super().__init__(case=known.case, **kwargs)
        self._known = known

    def verdict(self) -> Verdict:
        """The file's error."""
        return self._known


class CaseItem(VerdictItem):
    """A case that can be run, on a kind of deployment that was asked for."""

    def __init__(self, *, found: Found, choice: Choice, checking: Checking, **kwargs: Any) -> None:
        super().__init__(case=found.case, **kwargs)
        self.found = found
        self.choice = choice
        self.need = check.need(found)
        self.deployment: Deployment | None = None
        self.unmet: str | None = None
        self._checking = checking

    def verdict(self) -> Verdict:
        """Run it where the plan has put it."""
        return self._checking.verdict(self)


def put_in_its_place(item: pytest.Item, report: pytest.TestReport) -> None:
    """Let the report of a case that is not run name the spec file rather than this module."""
    if isinstance(item, VerdictItem) and isinstance(report.longrepr, tuple):
        report.longrepr = (str(item.path), item.case.line, report.longrepr[2])


def _name(case: Case) -> str:
    return case.id.partition("::")[2] or case.id


@cache
def _spec_files(folder: Path) -> frozenset[Path]:
    with _usage_errors():
        return frozenset(find([folder]))


@contextmanager
def _usage_errors() -> Iterator[None]:
    """What the runners say about bad input, as pytest says it."""
    try:
        yield
    except (SpecError, DeploymentError, AdapterError) as error:
        raise pytest.UsageError(str(error)) from None
