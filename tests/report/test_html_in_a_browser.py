"""The HTML page as a person uses it, in headless Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By

from runners.model import State
from runners.report.html import html
from runners.report.run import Run
from tests.absent import absent
from tests.report.samples import RUN, a_run, a_verdict
from tests.report.test_html import failing, spec_file

HOSTILE = "<img src=x onerror=\"document.title='broken in'\">"


@pytest.fixture(scope="module")
def browser() -> Iterator[Chrome]:
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        absent("Chromium and its chromedriver are not on the PATH")
    options = ChromeOptions()
    options.binary_location = program
    for option in ("--headless", "--no-sandbox", "--disable-gpu", "--window-size=1400,1200"):
        options.add_argument(option)
    with Chrome(options, ChromeService(driver)) as chrome:
        # A case's details are drawn after the click that opens them.
        chrome.implicitly_wait(20)
        yield chrome


@pytest.fixture
def show(browser: Chrome, tmp_path: Path) -> Iterator[Page]:
    page = Page(browser, tmp_path / "page.html")
    yield page
    assert page.complaints() == []


class Page:
    """A page in the browser."""

    def __init__(self, browser: Chrome, file: Path) -> None:
        self._browser = browser
        self._file = file

    def __call__(self, *runs: Run) -> None:
        """Show the page of these runs."""
        self._file.write_text(html(runs), encoding="utf-8")
        self._browser.get(self._file.as_uri())

    def complaints(self) -> list[str]:
        """What the browser found wrong with the page since it was last asked."""
        return [str(each["message"]) for each in self._browser.get_log("browser")]  # type: ignore[no-untyped-call]

    def texts(self, selector: str) -> list[str]:
        """The text of each element."""
        return [each.text for each in self._browser.find_elements(By.CSS_SELECTOR, selector)]

    def text(self, selector: str) -> str:
        """The text of the only such element."""
        (found,) = self.texts(selector)
        return found

    def click(self, selector: str) -> None:
        """Click on the first such element."""
        self._browser.find_element(By.CSS_SELECTOR, selector).click()

    def write(self, selector: str, text: str) -> None:
        """Write into an element."""
        self._browser.find_element(By.CSS_SELECTOR, selector).send_keys(text)

    def pick(self, selector: str, text: str) -> None:
        """Choose an option."""
        chosen = f"//select[@id='{selector}']/option[contains(., '{text}')]"
        self._browser.find_element(By.XPATH, chosen).click()

    @property
    def title(self) -> str:
        """The page's title."""
        return self._browser.title


def other(run: Run, name: str = "other") -> Run:
    """The same run of another driver."""
    return replace(run, driver=replace(run.driver, name=name))


def test_the_table_counts_every_state(show: Page) -> None:
    show(RUN)
    assert show.texts("#matrix tbody th") == ["crud", "sessions"]
    assert show.text("#matrix tfoot td") == "3 ✓ 1 ✗ 1 ! 1 ~ 1 ? 1 ∅ 2 - 1 s"
    assert show.text("#count") == "3 of 10 cases", "at first those that broke the run"


def test_a_number_leads_to_its_cases(show: Page) -> None:
    show(RUN)
    show.click("#matrix tbody tr:nth-child(2) button.unmet")
    assert show.texts("#cases summary") == ["-sessions/x.yml::unmet"]
    assert show.text("#count") == "1 of 10 cases"
    show.click("#all")
    assert show.text("#count") == "10 of 10 cases"


def test_cases_are_searched_and_filtered(show: Page) -> None:
    show(RUN)
    show.click("#all")
    show.write("#text", "WHY uns")
    assert show.text("#count") == "1 of 10 cases"
    show.click("#all")
    show.pick("suite", "sessions")
    assert show.text("#count") == "2 of 10 cases"


def test_drivers_and_deployments_side_by_side(show: Page) -> None:
    first = a_run(a_verdict(State.PASS), a_verdict(State.PASS, "logic", deployment=None))
    broken = replace(a_verdict(State.PASS), state=State.FAIL)
    second = other(a_run(broken, a_verdict(State.PASS, "logic", deployment=None)))
    show(first, second)
    assert show.texts("#matrix thead th")[1:] == [
        "toy 1.2\nreplicaset-6.0.5",
        "other 1.2\nreplicaset-6.0.5",
    ]
    show.click("#apart")
    assert [each.split("\n")[1] for each in show.texts("#matrix thead th")[1:]] == [
        *("no server", "replicaset-6.0.5"),
        *("no server", "replicaset-6.0.5"),
    ]
    show.click("#all")
    assert show.text("#count") == "2 of 2 cases"
    show.click("#differ")
    assert show.text("#count") == "1 of 2 cases"


def test_a_failure_is_shown_down_to_its_events(show: Page, tmp_path: Path) -> None:
    show(a_run(failing(spec_file(tmp_path))))
    show.click("#cases summary")
    assert show.text(".marked").strip().startswith("- {name: insertOne")
    assert show.texts(".operations li") == [
        "coll.find",
        "coll.insertOne ◀ here",
    ]
    expected, actual, ready, nothing = show.texts(".sides pre")
    assert '"commandName": "find"' in expected
    assert expected == actual
    assert "poolReadyEvent" in ready
    assert nothing == "nothing"
    assert "mongospec check" in show.texts(".case pre")[-2]


def test_text_is_never_markup(show: Page) -> None:
    verdict = a_verdict(State.FAIL, details=HOSTILE, expected=HOSTILE)
    case = replace(verdict.case, id=f"crud/x.yml::{HOSTILE}", description=HOSTILE)
    show(a_run(replace(verdict, case=case, reason=HOSTILE)))
    show.click("#cases summary")
    assert HOSTILE in show.text("#cases summary")
    assert HOSTILE in show.texts(".case pre")
    assert show.title == "mongospec"


def test_six_runs_of_three_thousand_cases(show: Page) -> None:
    verdicts = [a_verdict(State.PASS, f"suite{n % 30:02}", str(n)) for n in range(3000)]
    show(*(other(a_run(*verdicts), f"driver{n}") for n in range(6)))
    assert show.text("#count") == "3000 of 3000 cases"
    assert len(show.texts("#cases summary")) == 200
    show.click("#more")
    assert len(show.texts("#cases summary")) == 400
    show.write("#text", "/2999.yml")
    assert show.text("#count") == "1 of 3000 cases"
