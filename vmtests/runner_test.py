# SPDX-License-Identifier: Apache-2.0
"""Defines which runs pass. One with a boot failure, a complaint of the kernel or a missing result never passes."""

import importlib.machinery
import importlib.util
import json
import pathlib
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

sys.dont_write_bytecode = True

import kernels  # noqa: E402
import machine  # noqa: E402
import matrix  # noqa: E402
import results  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent

CATCH_XML = """<testsuites><testsuite>
<testcase name="good" time="1.5"/>
<testcase name="bad" time="2"><failure>1 == 2</failure></testcase>
<testcase name="left out" time="0"><system-out>TWTRACE_SKIPPED: no second CPU</system-out></testcase>
</testsuite></testsuites>"""

TAP = """# 6.12: a host
ok 1 - counts
not ok 2 - names
# expected web.service
# got nothing
ok 3 - closes # SKIP no sockets
1..3
"""


def load_runner():
    loader = importlib.machinery.SourceFileLoader("runner", str(HERE / "run"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("runner", loader))
    loader.exec_module(module)
    return module


def row(required=True, backend="fentry", id="6.12/fentry"):
    kernel = matrix.Kernel("6.12", "trixie", "6.12", required=required)
    return matrix.Row(id, kernel, "tier fentry", backend)


def outcome(**changes):
    return machine.Outcome(**{"status": 0, "timed_out": False, "splats": [], "boot_s": 3.0, "total_s": 99.0, "problem": "",
                              **changes})


def result(cases=(), required=True, **changes):
    return results.Result(row(required), pathlib.Path("/nowhere"), "6.12.1", outcome(**changes), cases=list(cases))


def unavailable(required):
    return results.Result(row(required), pathlib.Path("/nowhere"), reason="suite is gone")


class SplatTest(unittest.TestCase):
    def test_complaints_of_the_kernel_are_found(self):
        for line in ("[   12.3] WARNING: CPU: 0 PID: 1 at net/ipv4/tcp.c:1 tcp_close+0x1/0x2",
                     "[   12.3] BUG: unable to handle page fault for address: 0",
                     "[    1.0] Oops: 0000 [#1] PREEMPT SMP", "[    1.0] general protection fault, probably for",
                     "[   99.0] INFO: task twtrace:12 blocked for more than 120 seconds.",
                     "[   60.0] rcu: INFO: rcu_sched self-detected stall on CPU", "[    9.0] ------------[ cut here ]----",
                     "[    9.0] unregister_netdevice: waiting for lo to become free. Usage count = 2",
                     "[    9.0] refcount_t: underflow; use-after-free.", "[    9.0] watchdog: BUG: soft lockup - CPU#0",
                     "[    9.0] UBSAN: shift-out-of-bounds in net", "[    2.0] Kernel panic - not syncing"):
            self.assertEqual(machine.splats(f"[    0.0] Linux version\n{line}\n"), [line])

    def test_an_ordinary_log_is_none(self):
        log = ("[    0.0] Command line: console=ttyS0 oops=panic panic=-1\n[    0.1] rcu: Hierarchical RCU implementation.\n"
               "[   73.1] smpboot: CPU 1 is now offline\n[    0.2] Warning: unable to open an initial console.\n")
        self.assertEqual(machine.splats(log), [])


class CaseTest(unittest.TestCase):
    def read(self, **files):
        with tempfile.TemporaryDirectory() as directory:
            for name, text in files.items():
                (pathlib.Path(directory) / name.replace("_", ".")).write_text(text)
            return results.read_cases(pathlib.Path(directory))

    def test_junit(self):
        good, bad, left_out = self.read(bpf_xml=CATCH_XML)
        self.assertEqual((good.verdict, good.seconds), ("passed", 1.5))
        self.assertEqual((bad.name, bad.verdict, bad.detail), ("bad", "failed", "1 == 2"))
        self.assertEqual((left_out.verdict, left_out.detail), ("skipped", "TWTRACE_SKIPPED: no second CPU"))

    def test_junit_of_a_writer_that_was_killed_is_a_failure(self):
        (case,) = self.read(bpf_xml=CATCH_XML[:50])
        self.assertEqual(case.verdict, "failed")

    def test_tap(self):
        counts, names, closes = self.read(host_tap=TAP)
        self.assertEqual(counts.verdict, "passed")
        self.assertEqual((names.verdict, names.detail), ("failed", "expected web.service\ngot nothing"))
        self.assertEqual((closes.verdict, closes.detail), ("skipped", "no sockets"))


class VerdictTest(unittest.TestCase):
    def test_only_a_clean_run_has_passed(self):
        self.assertEqual(result().verdict, "ok")
        for changes in ({"status": 3}, {"status": None, "problem": "kernel panic"}, {"splats": ["WARNING: "]},
                        {"timed_out": True, "problem": "command timed out"}):
            self.assertFalse(result(**changes).passed)
            self.assertTrue(result(**changes).verdict.startswith("FAILED: "), changes)

    def test_a_kernel_that_is_gone_is_a_failure_unless_it_is_optional(self):
        self.assertFalse(unavailable(required=True).passed)
        self.assertTrue(unavailable(required=False).passed)
        # A kernel that exists but does not boot is a failure either way.
        self.assertFalse(result(required=False, status=None, problem="no result from the guest").passed)

    def test_exit_code(self):
        exit_code = load_runner().exit_code
        self.assertEqual(exit_code([result(), unavailable(required=False)]), 0)
        self.assertEqual(exit_code([result(), unavailable(required=True)]), 1)
        self.assertEqual(exit_code([result(), result(splats=["Oops"])]), 1)
        self.assertEqual(exit_code([result(status=7)]), 7)
        self.assertEqual(exit_code([unavailable(required=False)]), 1)  # nothing ran
        self.assertEqual(exit_code([]), 1)

    def test_junit_has_a_failure_for_whatever_failed(self):
        bad = results.Case("bad", "failed", detail="1 == 2")
        written = {
            "boot": [result([results.Case("good", "passed")], status=None, problem="kernel panic")],
            "bad": [result([bad], status=1)],
            "suite is gone": [unavailable(required=True)],
        }
        for what, rows in written.items():
            with tempfile.TemporaryDirectory() as directory:
                path = pathlib.Path(directory) / "junit.xml"
                results.write_junit(rows, path)
                failures = ElementTree.parse(path).getroot().findall(".//failure/..")
                self.assertEqual(len(failures), 1, what)

    def test_document_says_what_failed_and_what_was_not_run(self):
        failed = result([results.Case("good", "passed")], status=1)
        text = results.document([failed], [failed.row])
        self.assertIn("| 6.12 | 6.12.1 (trixie) | amd64 | **FAILED: exit 1** (1 passed) | not run | not run |", text)

    def test_document_keeps_what_it_said_of_rows_that_do_not_run(self):
        kernel = result().row.kernel
        tier = [matrix.Row(f"6.12/{backend}", kernel, "tier", backend) for backend in ("fentry", "kprobe")]
        hosts = [matrix.Row(f"6.12/{name}", kernel, "host", title=name) for name in ("static", "installed")]
        passed, skipped = results.Case("good", "passed"), results.Case("left out", "skipped", detail="no second CPU")

        def ran(row, *cases, release="6.12.1"):
            return results.Result(row, pathlib.Path(), release, result().outcome, cases=list(cases))

        page = results.document([ran(tier[0], passed, skipped), ran(hosts[0], passed)], [*tier, *hosts])
        page = results.document([ran(tier[1], passed, skipped), ran(hosts[1], passed, passed)], [*tier, *hosts], page)
        self.assertIn("| 6.12 | 6.12.1 (trixie) | amd64 | 1 passed, 1 skipped | 1 passed, 1 skipped | not run |", page)
        self.assertIn("| 6.12/static | static | 6.12.1 | 1 passed |", page)
        self.assertIn("| 6.12/installed | installed | 6.12.1 | 2 passed |", page)
        self.assertIn("- left out: no second CPU (6.12/fentry, 6.12/kprobe)", page)
        self.assertEqual(results.document([], [*tier, *hosts], page), page)
        # Another kernel: what the earlier one did says nothing of it.
        page = results.document([ran(tier[0], passed, release="6.12.2")], [*tier, *hosts], page)
        self.assertIn("| 6.12 | 6.12.2 (trixie) | amd64 | 1 passed | not run | not run |", page)


class KernelChoiceTest(unittest.TestCase):
    NAMES = {"linux-image-6.12.9-cloud-amd64", "linux-image-6.12.10-cloud-amd64", "linux-image-6.18.3-cloud-amd64",
             "linux-image-7.3.4-cloud-amd64", "linux-binary-7.3.4-cloud-amd64", "linux-modules-7.3.4-cloud-amd64",
             "linux-base-7.3.4-cloud-amd64", "linux-image-7.4.0-cloud-arm64", "linux-image-6.12.11-amd64"}  # yapf: disable

    def choose(self, series):
        return kernels._choose(self.NAMES, matrix.Kernel("any", "trixie", series))

    def test_the_newest_of_a_series_by_number(self):
        self.assertEqual(self.choose("6.12"), ("6.12.10-cloud-amd64", ["linux-image-6.12.10-cloud-amd64"]))

    def test_the_newest_of_all_with_the_packages_that_it_is_split_into(self):
        release, packages = self.choose("")
        self.assertEqual(release, "7.3.4-cloud-amd64")
        self.assertEqual([name.split("-")[1] for name in packages], ["binary", "image", "modules", "base"])

    def test_none(self):
        with self.assertRaises(kernels.Unavailable):
            self.choose("5.10")


class MatrixTest(unittest.TestCase):
    def parse(self, **content):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "matrix.json"
            path.write_text(json.dumps({"kernels": [], "hosts": [], "extras": {}, **content}))
            return matrix.Matrix(path)

    def test_the_matrix_has_every_backend_of_every_kernel(self):
        table = matrix.Matrix()
        for kernel in table.kernels.values():
            self.assertEqual({row.backend for row in table.rows if row.kernel is kernel and row.backend}, set(matrix.BACKENDS))
        self.assertEqual({kernel.id for kernel in table.kernels.values() if not kernel.required}, {"5.10"})

    def test_every_kernel_of_this_processor_is_in_the_sample(self):
        table = matrix.Matrix()
        for kernel in table.kernels.values():
            in_sample = [row for row in table.rows if row.kernel is kernel and row.backend and row.in_sample]
            self.assertEqual(len(in_sample), 1 if kernel.arch == "amd64" else 0, kernel.id)

    def test_mistakes_are_refused(self):
        kernel = {"id": "6.12", "suite": "trixie", "series": "6.12", "backends": ["fentry"]}
        self.assertEqual([row.id for row in self.parse(kernels=[kernel]).rows], ["6.12/fentry"])
        with self.assertRaises(ValueError):
            self.parse(kernels=[{**kernel, "backends": ["magic"]}])
        with self.assertRaises(ValueError):
            self.parse(kernels=[{**kernel, "sample": "kprobe"}])
        with self.assertRaises(ValueError):
            self.parse(kernels=[{**kernel, "backends": ["fentry", "fentry"]}])


if __name__ == "__main__":
    unittest.main()
