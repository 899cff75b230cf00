# SPDX-License-Identifier: Apache-2.0
"""Every part states its goals, met and unmet, so that scripts/bench repeats them at the end."""

import contextlib
import copy
import io
import pathlib
import sys
import tempfile
import unittest
import unittest.mock

import churn_report
import goals
import idle
import reading
import scale
import soak


def repeated(output):
    """What goals.py says of a part's output, line by line."""
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "part.txt"
        path.write_text(output, encoding="utf-8")
        with contextlib.redirect_stdout(io.StringIO()) as said, \
                unittest.mock.patch.object(sys, "argv", ["goals.py", str(path)]):
            goals.main()
    return said.getvalue().splitlines()


def stated(subject, pairs):
    with contextlib.redirect_stdout(io.StringIO()) as said:
        goals.Goals(subject).say_all(pairs)
    return said.getvalue()


class RepeatingTest(unittest.TestCase):
    def test_met_and_unmet_goals_are_repeated_and_nothing_else(self):
        output = "a table  5.9\n" + stated("keys: ", [("refresh below 100 ms", False), ("no count is lost", True)]) + \
            "not measured: fentry: why\nnothing is met\n"
        self.assertEqual(repeated(output),
                         ["part: not met: keys: refresh below 100 ms", "part: met: keys: no count is lost"])

    def test_one_unmet_goal_is_enough(self):
        verdict = goals.Goals()
        with contextlib.redirect_stdout(io.StringIO()):
            verdict.say_all([("a", True), ("b", False), ("c", True)])
        self.assertFalse(verdict.all_met)


class PartsTest(unittest.TestCase):
    """The goals of each part on both sides of their limits."""

    def check(self, pairs, unmet):
        """`unmet`: so many of them are not."""
        pairs = list(pairs)
        self.assertEqual([met for _, met in pairs].count(False), unmet)
        self.assertEqual(len(repeated(stated("", pairs))), len(pairs))

    def test_idle(self):
        used = {name: {**limits} for name, limits in idle.AT_MOST.items()}
        self.check(idle.goals(used), 0)
        used["-b, idle"]["cpu_percent"] += 0.01
        used["live view, loaded"]["cpu_percent"] += 0.01
        self.check(idle.goals(used), 2)

    def test_reading(self):
        buckets = {"held": 9, "left": 9, "first": {"buckets": 3, "pre_existing": 3}, "last": {"buckets": 9}}
        times = {"twtrace": [(1.0, 1.0)], **{name: [(limit, 1.0)] for name, limit in reading.AT_LEAST.items()}}
        self.check(reading.goals(buckets, times), 0)
        times["netstat -ant"] = [(14.9, 1.0)]
        self.check(reading.goals({**buckets, "left": 8}, times), 2)

    def test_churn(self):
        run = {"bpf_us": 3.0, "bpf_runs": 20, "nstat": 10, "said": 9, "right": 9, "lost": 0, "missed": 1}
        timed = {"twtrace fentry": [run], "empty program x2": [{**run, "bpf_us": 1.0}],
                 "tcpstates": [{**run, "bpf_us": 120.0}]}
        document = {"loads": {"client": {"plain": {"twtrace fentry": [run]}, "with_statistics": timed}}}
        self.check(churn_report.goals(document), 0)
        worse = copy.deepcopy(document)
        worse["loads"]["client"]["plain"]["twtrace fentry"][0]["right"] = 8
        worse["loads"]["client"]["with_statistics"]["tcpstates"][0]["bpf_us"] = 119.0
        self.check(churn_report.goals(worse), 2)

    def test_scale(self):
        refreshes = scale.Refreshes()
        for cpu_percent, met in ((9.9, "met"), (10.1, "not met")):
            refreshes.add({"cost": {"cpu_percent": cpu_percent}, "interval_s": 1.0})
            with contextlib.redirect_stdout(io.StringIO()) as said:
                scale.refresh(goals.Goals("keys: "), refreshes)
            self.assertEqual(repeated(said.getvalue()), [f"part: {met}: keys: refresh below 100 ms"])

    def test_soak(self):
        labels = 'netns="{}",workload="{}",workload_kind="{}"'
        def count(*of):
            return "twtrace_time_wait_created_total{" + labels.format(*of) + "} 1\n"
        named = count("own", "a.service", "systemd") + count("other", "unattributed", "unattributed")
        self.assertEqual(soak.nameless(named + 'twtrace_time_wait_limit{netns="own"} 5000\n', "own"), [])
        for without in (("own", "", "process"), ("own", "unattributed", "unattributed")):
            self.assertEqual(len(soak.nameless(named + count(*without), "own")), 1)


if __name__ == "__main__":
    unittest.main()
