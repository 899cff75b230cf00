#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The exporter, while namespaces, cgroups, processes, listening ports and scrapes come and go. Needs root.

After the first minute its memory, descriptors and series must stay where they are. At the end the sums over all
workloads of the namespace must be the kernel's, to the unit, and every workload must have a name. With --batch,
`twtrace -b` watches the same load, and must hold to all that a soak of turnover.py wants.
"""

import argparse
import collections
import contextlib
import itertools
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request

sys.dont_write_bytecode = True

import sandbox  # noqa: E402
from goals import Goals  # noqa: E402
import turnover  # noqa: E402
from turnover import KINDS, SAMPLE_S, SETTLED_S, Steadiness  # noqa: E402

MAX_SERIES = 2000
ACCEPT = ("text/plain", "application/openmetrics-text; version=1.0.0")
SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.M)
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Exporter:
    """`twtrace export` with more arguments, which ends with the block."""

    def __init__(self, binary, *arguments):
        self._command = [binary, "export", "--web.listen-address", "127.0.0.1:0", *map(str, arguments)]

    def __enter__(self):
        self.process = subprocess.Popen(self._command, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if line.startswith("listening on "):
                self.url = line.split()[-1]
            if line == "ready\n":
                return self
        raise RuntimeError(f"twtrace ended with {self.process.wait()} before it was ready")

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def scrape(self, accept=ACCEPT[0]):
        request = urllib.request.Request(self.url, headers={"Accept": accept})
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.read().decode()

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=60)


class Scrapers:
    """Scrapes both formats again and again, each over a connection of its own; every tenth leaves without reading."""

    def __init__(self, exporter, per_second):
        self._exporter, self._pause_s = exporter, 1 / per_second
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.count = 0
        self.problem = None

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _leave(self):
        host, port = self._exporter.url.split("/")[2].rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            connection.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")

    def _run(self):
        try:
            for turn in itertools.count():
                if self._stop.wait(self._pause_s):
                    return
                self._leave() if turn % 10 == 9 else self._exporter.scrape(ACCEPT[turn % 2])
                self.count += 1
        except OSError as error:
            self.problem = error


def samples_of(text):
    """(metric, labels, value) of each sample."""
    return [(name, dict(LABEL.findall(labels or "")), float(value)) for name, labels, value in SAMPLE.findall(text)]


def sums_of(text, netns):
    """The sum of each metric over everything in a namespace."""
    sums = collections.Counter()
    for name, labels, value in samples_of(text):
        if labels.get("netns") == netns:
            sums[name, labels.get("what", "")] += int(value)
    return sums


@contextlib.contextmanager
def named(netns):
    """A name for a namespace, as `ip netns` gives it."""
    name = f"soak{os.getpid()}"
    subprocess.run(["ip", "netns", "attach", name, str(netns.pid)], check=True)
    try:
        yield name
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=True)


def check_sums(goals, exporter, name, kernel):
    """Waits for a sample with the kernel's last count."""
    overflow = ("twtrace_netstat_tcp_time_wait_overflow_total", "")
    created = ("twtrace_netstat_time_wait_created_total", "")
    wanted = {"created": kernel["created"], "refused": kernel["overflow"]}
    deadline = time.monotonic() + 60
    while True:
        sums = sums_of(exporter.scrape(), name)
        if (sums[created], sums[overflow]) == tuple(wanted.values()) or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    for what, count in wanted.items():
        ours = sums[f"twtrace_time_wait_{what}_total", ""]
        missed = sums["twtrace_missed_total", what]
        print(f"  {what} {ours} and missed {missed}, kernel {count}")
        goals.say(f"{what} is the kernel's", ours + missed == count and count > 0)


def nameless(text, netns):
    """Counts of a namespace that no workload has, or one without a name."""
    return [(name, labels, value) for name, labels, value in samples_of(text)
            if labels.get("netns") == netns and "workload" in labels and value != 0
            and (not labels["workload"] or labels["workload_kind"] in ("", "unattributed", "unknown"))]


def check_names(goals, exporter, name):
    found = nameless(exporter.scrape(), name)
    for sample in found[:3]:
        print(f"  nameless: {sample}")
    goals.say("no count is without a name", not found)


def soak(arguments, goals):
    limits = ("--metrics.min-age", 0, "--metrics.max-series", MAX_SERIES, "--max-rows", turnover.ENDED_ROWS)
    batch = turnover.watching(arguments) if arguments.batch else contextlib.nullcontext()
    with turnover.soaking(arguments) as load, named(load.netns) as name, batch as batch, \
            Exporter(arguments.twtrace, *limits) as exporter:
        load.begin()
        with Scrapers(exporter, arguments.scrapes_per_second) as scrapers:
            settled_s = min(SETTLED_S, arguments.seconds / 2)
            steadiness = Steadiness(exporter.process.pid, settled_s)
            of_batch = Steadiness(batch.process.pid, settled_s) if batch else None
            series = []
            while load.is_running():
                steadiness.take()
                if batch:
                    of_batch.take()
                series.append(len(samples_of(exporter.scrape())))
                time.sleep(min(SAMPLE_S, arguments.seconds / 20))
            done = load.finish()
        steadiness.take()
        check_sums(goals, exporter, name, load.netns.kernel_counts())
        check_names(goals, exporter, name)
        print(f"  came and went: {', '.join(f'{done[kind]} {kind}' for kind in KINDS)}, {scrapers.count} scrapes")
        earlier, later = series[:len(series) // 2], series[len(series) // 2:]
        print(f"  series {max(earlier)} at most in the first half, {max(later)} in the second")
        goals.say(f"every scrape is answered {scrapers.problem or ''}".rstrip(), scrapers.problem is None)
        goals.say("the second half has no more series", max(later) <= max(earlier))
        steadiness.say(goals)
        goals.say("it ends well", exporter.stop() == 0)
        if batch:
            goals.all_met &= check_batch(load, done, batch, of_batch)


def check_batch(load, done, batch, steadiness):
    goals = Goals("soak, -b: ")
    batch.fresh()
    steadiness.take()
    turnover.check(goals, load, done, batch.stop())
    steadiness.say(goals)
    return goals.all_met


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench soak", description=__doc__.splitlines()[0])
    for name in ("twtrace", "turnover"):
        parser.add_argument(f"--{name}", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=600, help="default: %(default)s")
    parser.add_argument("--per-second", type=float, default=50, help="of each kind (default: %(default)s)")
    parser.add_argument("--scrapes-per-second", type=float, default=10, help="default: %(default)s")
    parser.add_argument("--limit", type=int, default=5000, help="of the table (default: %(default)s)")
    parser.add_argument("--batch", action="store_true", help="let twtrace -b watch the same load, too")
    goals = Goals("soak: ")
    soak(parser.parse_args(), goals)
    return 0 if goals.all_met else 1


if __name__ == "__main__":
    sandbox.run_main("soak", main)
