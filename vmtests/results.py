# SPDX-License-Identifier: Apache-2.0
"""Writes the results of the rows: one JUnit file for all of them, a table for people, and docs/kernels.md."""

import collections
import dataclasses
import pathlib
import re
import xml.etree.ElementTree as ElementTree

import machine
import matrix


@dataclasses.dataclass(frozen=True)
class Case:
    """One test in a guest. `verdict` is passed, failed or skipped. `detail` says why it has not passed."""

    name: str
    verdict: str
    seconds: float = 0.0
    detail: str = ""


@dataclasses.dataclass
class Result:
    """The result of a row. `outcome` is None if there was no kernel to boot."""

    row: matrix.Row
    logs: pathlib.Path
    release: str = "-"
    outcome: machine.Outcome | None = None
    reason: str = ""
    cases: list[Case] = dataclasses.field(default_factory=list)

    @property
    def passed(self):
        return self.outcome.passed if self.outcome else not self.row.kernel.required

    @property
    def verdict(self):
        if self.outcome is None:
            return "UNAVAILABLE" if self.row.kernel.required else "unavailable (not required)"
        if self.passed:
            return "ok"
        outcome = self.outcome
        reasons = [outcome.problem] if outcome.problem else []
        reasons += [f"exit {outcome.status}"] if outcome.status else []
        reasons += [f"{len(outcome.splats)} kernel complaints"] if outcome.splats else []
        return "FAILED: " + ", ".join(reasons)

    def count(self, verdict):
        return sum(case.verdict == verdict for case in self.cases)


def read_cases(results):
    """The cases in the files of a guest: *.xml is JUnit from Catch2, *.tap is TAP."""
    cases = []
    for path in sorted(results.glob("*.xml")):
        try:
            cases += [_catch_case(element) for element in ElementTree.parse(path).getroot().iter("testcase")]
        except ElementTree.ParseError as error:  # the writer was killed
            cases.append(Case(path.name, "failed", detail=str(error)))
    for path in sorted(results.glob("*.tap")):
        cases += _tap_cases(path.read_text(errors="replace"))
    return cases


def _catch_case(element):
    name = element.get("name", "")
    complaints = [*element.findall("failure"), *element.findall("error")]
    output = element.findtext("system-out") or ""
    seconds = float(element.get("time") or 0)
    if complaints:
        return Case(name, "failed", seconds, "\n".join(item.text or "" for item in complaints).strip())
    if "TWTRACE_SKIPPED" in output:
        return Case(name, "skipped", seconds, output.strip())
    return Case(name, "passed", seconds)


def _tap_cases(text):
    cases = []
    for line in text.splitlines():
        match = re.match(r"(not )?ok \d+ - (.*?)(?: # SKIP (.*))?$", line)
        if match:
            failed, name, skip = match.groups()
            cases.append(Case(name, "failed" if failed else "skipped" if skip else "passed", detail=skip or ""))
        elif line.startswith("# ") and cases and cases[-1].verdict == "failed":
            cases[-1] = dataclasses.replace(cases[-1], detail=f"{cases[-1].detail}\n{line[2:]}".strip())
    return cases


def write_junit(results, path):
    """One suite per row. The boot is a separate case. It fails if the machine fails, not if a test fails."""
    root = ElementTree.Element("testsuites")
    for result in results:
        suite = ElementTree.SubElement(root, "testsuite", name=f"vm {result.row.id}", hostname=result.release)
        for case in [_boot_case(result), *result.cases]:
            element = ElementTree.SubElement(suite, "testcase", classname=f"vm.{result.row.id}", name=case.name,
                                             time=f"{case.seconds:.1f}", status="run" if case.verdict == "passed" else "fail")
            if case.verdict == "failed":
                ElementTree.SubElement(element, "failure", message="").text = _xml_text(case.detail)
            elif case.verdict == "skipped":
                ElementTree.SubElement(element, "skipped", message=_xml_text(f"SKIP_{case.detail}"))
    path.parent.mkdir(parents=True, exist_ok=True)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _boot_case(result):
    """The verdict of a row. It also fails if the command failed although every reported case passed."""
    if result.outcome is None:
        return Case("boot", "failed" if result.row.kernel.required else "skipped", detail=result.reason)
    failed = not result.passed and (result.count("failed") == 0 or result.outcome.problem or result.outcome.splats)
    detail = "\n".join([result.verdict, *result.outcome.splats])
    return Case("boot", "failed" if failed else "passed", result.outcome.total_s, detail if failed else "")


def _xml_text(text):
    return re.sub(r"[^\t\n\x20-\uD7FF\uE000-\uFFFD]", "?", text)


def summary(results):
    """The table for people."""
    lines = [f"{'row':34} {'kernel':28} {'passed':>6} {'failed':>6} {'skipped':>7} {'boot s':>6} {'all s':>6}  result"]
    for result in results:
        counts = [result.count(verdict) for verdict in ("passed", "failed", "skipped")]
        times = (f"{result.outcome.boot_s:.1f}", f"{result.outcome.total_s:.0f}") if result.outcome else ("", "")
        lines.append(f"{result.row.id:34} {result.release:28} {counts[0]:>6} {counts[1]:>6} {counts[2]:>7} "
                     f"{times[0]:>6} {times[1]:>6}  {result.verdict}")
    return "\n".join(lines)


def document(results, rows, page=""):
    """The text of docs/kernels.md. It has no times or dates, so it changes only if the facts do.

    `rows`: of the matrix; each has its place, whether it ran or not. `page`: an earlier text; what it says of rows that did
    not run now stays."""
    earlier = _lines_of(page)
    return "\n".join([
        "# Kernels", "",
        "The tests of the bpf tier ran on these distribution kernels, in QEMU with two CPUs, with and without receive packet",
        "steering to the other CPU. They compare every number with the kernel's own counters.",
        "`vmtests/run --all --document docs/kernels.md` writes this page. With `--row` it changes only what it says of these",
        "rows. With `--quick` it runs only the quick cases.", "",
        "| kernel | release | arch | fentry | kprobe | tracepoint |", "|---|---|---|---|---|---|",
        *_kernel_lines(results, rows, earlier), "",
        "Systems that people install, hosts that lack something, and hosts under a real load:", "",
        "| row | host | kernel | checks |", "|---|---|---|---|", *_host_lines(results, rows, earlier), "",
        *_skipped_lines(results, page),
    ])


def _lines_of(page):
    """The cells of the lines of all tables, without the first one, which is the key."""
    lines = (line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| "))
    return {key: cells for key, *cells in lines}


def _cell(result):
    if result.outcome is None:
        return "kernel not available"
    text = f"{result.count('passed')} passed{' (quick cases)' if '--quick' in result.row.command else ''}"
    text += f", {result.count('skipped')} skipped" if result.count("skipped") else ""
    return text if result.passed else f"**{result.verdict}** ({text})"


def _kernel_lines(results, rows, earlier):
    ran = {result.row.id: result for result in results}
    for kernel in dict.fromkeys(row.kernel for row in rows if row.backend):
        now = [ran.get(f"{kernel.id}/{backend}") for backend in matrix.BACKENDS]
        known, _, *cells = earlier.get(kernel.id, ["-", kernel.arch, *["not run"] * len(now)])
        release = next((f"{result.release} ({kernel.suite})" for result in now if result), known)
        if release != known:  # of another kernel
            cells = ["not run"] * len(now)
        cells = [_cell(result) if result else cell for result, cell in zip(now, cells)]
        yield f"| {' | '.join([kernel.id, release, kernel.arch, *cells])} |"


def _host_lines(results, rows, earlier):
    ran = {result.row.id: [result.release, _cell(result)] for result in results}
    for row in rows:
        if not row.backend:
            _, *known = earlier.get(row.id, ["", "-", "not run"])
            yield f"| {' | '.join([row.id, row.title, *ran.get(row.id, known)])} |"


def _skipped_lines(results, page):
    reasons = collections.defaultdict(list)
    ran = {result.row.id for result in results}
    for what, ids in re.findall(r"^- (.*) \(([^()]*)\)$", page, re.M):
        reasons[what] += [row for row in ids.split(", ") if row not in ran]
    for result in results:
        for case in result.cases:
            if case.verdict == "skipped":
                reason = case.detail.replace("TWTRACE_SKIPPED: ", "").splitlines()[0]
                reasons[f"{case.name}: {reason}"].append(result.row.id)
    lines = [f"- {what} ({', '.join(ids)})" for what, ids in sorted(reasons.items()) if ids]
    return ["Skipped cases, and why:", "", *lines, ""] if lines else []
