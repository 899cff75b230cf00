#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Many of everything: buckets, keys, short-lived processes, namespaces, cgroups. Needs root.

Each part has a network namespace and a twtrace of its own, and checks that the tables are the kernel's, that memory
stays within the formula of docs/cost.md, and what a refresh costs.
"""

import argparse
import contextlib
import subprocess
import sys
import time

sys.dont_write_bytecode = True

import sandbox  # noqa: E402
import tracers  # noqa: E402
from goals import Goals  # noqa: E402

MIB = 1 << 20
REFRESH_S = 0.1
MAX_ROWS = 65535  # TW_MAX_ROWS of the ABI, without the slot that stands for none
PARTS = ("buckets", "keys", "processes", "namespaces", "cgroups")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--twtrace", required=True)
    parser.add_argument("--churn", required=True)
    parser.add_argument("--many", required=True, help="the program tw_many of the build")
    parser.add_argument("--parts", default=",".join(PARTS), help="default: %(default)s")
    parser.add_argument("--buckets", type=int, default=1000000, help="default: %(default)s")
    parser.add_argument("--keys", default="100,1000,10000,50000,100000", help="default: %(default)s")
    parser.add_argument("--events", type=int, default=100000, help="of each number of keys (default: %(default)s)")
    parser.add_argument("--processes", type=int, default=100000, help="default: %(default)s")
    parser.add_argument("--namespaces", type=int, default=1000, help="default: %(default)s")
    parser.add_argument("--cgroups", type=int, default=10000, help="default: %(default)s")
    return parser.parse_args()


class Refreshes:
    """The cost of refreshes: the CPU time of the interval that each snapshot reports."""

    def __init__(self):
        self.cpu_ms = []

    def add(self, snapshot):
        self.cpu_ms.append(snapshot["cost"]["cpu_percent"] / 100 * snapshot["interval_s"] * 1e3)

    def words(self):
        return f"{sorted(self.cpu_ms)[len(self.cpu_ms) // 2]:.1f} ms median, {max(self.cpu_ms):.1f} ms worst"


def watch(twtrace, count):
    """Takes this many snapshots and returns their cost. The last one is fresh."""
    refreshes = Refreshes()
    for _ in range(count):
        snapshot = twtrace.fresh(120)
        refreshes.add(snapshot)
    return snapshot, refreshes


def exact(goals, netns, twtrace):
    """Checks that our count and what the kernel skipped are the kernel's count, and that rows sum to ours. Returns how
    many were skipped."""
    for _ in range(10):  # the last ends of connections may still be on their way
        kernel = netns.kernel_counts()
        snapshot = twtrace.fresh(120)
        counts = sandbox.NetnsCounts(snapshot, netns.inode)
        if kernel == netns.kernel_counts():
            break
    print(f"  created {counts.created}, missed {counts.missed}, kernel {kernel['created']}; "
          f"unattributed {counts.unattributed}")
    goals.say("counts are the kernel's", counts.total == kernel["created"])
    goals.say("rows sum to the namespace", counts.in_rows == counts.created)
    goals.say("no count is lost", snapshot["lost"]["counts"] == 0)
    return counts.missed


def memory(goals, twtrace, snapshot, limit_mib):
    rss = snapshot["cost"]["rss_bytes"] / MIB
    maps = sandbox.bpf_map_bytes(twtrace.process.pid) / MIB
    print(f"  twtrace {rss:.1f} MiB resident (at most {limit_mib:.0f} by the formula), BPF maps {maps:.1f} MiB")
    goals.say("memory is within the formula", rss <= limit_mib)


def refresh(goals, refreshes):
    print(f"  CPU of a refresh: {refreshes.words()}")
    goals.say("refresh below 100 ms", max(refreshes.cpu_ms) < REFRESH_S * 1e3)


@contextlib.contextmanager
def traced(arguments, limit, *more, port_range="1024 65535", group="pid"):
    with sandbox.Netns(tcp_max_tw_buckets=limit, tcp_tw_reuse=0, ip_local_port_range=port_range) as netns, \
            sandbox.Twtrace(arguments.twtrace, "-g", group, "-r", 1000000, *more) as twtrace:
        twtrace.fresh()
        yield netns, twtrace


def formula_mib(rows=0, folded=0):
    """docs/cost.md, "Scale": what twtrace has resident besides the printed text of a snapshot."""
    return 45 + (rows + folded) * 3 * 1024 / MIB


def buckets(arguments, goals):
    print(f"{arguments.buckets} live buckets")
    with traced(arguments, arguments.buckets + arguments.buckets // 10) as (netns, twtrace):
        begin = time.monotonic()
        pairs = 2
        scanning = Refreshes()
        churn = netns.popen(arguments.churn, "--connections", arguments.buckets, "--pairs", pairs, stdout=subprocess.DEVNULL)
        while churn.poll() is None:
            scanning.add(twtrace.fresh(120))
        if churn.returncode != 0:
            raise RuntimeError(f"{arguments.churn} ended with {churn.returncode}")
        print(f"  made in {time.monotonic() - begin:.0f} s")
        snapshot, refreshes = watch(twtrace, 3)
        missed = exact(goals, netns, twtrace)
        memory(goals, twtrace, snapshot, formula_mib())
        refresh(goals, refreshes)
        held = netns.buckets()
        last = twtrace.stop()  # it scans once more, however long ago the last scan was
        live = sum(row["live"] or 0 for row in sandbox.NetnsCounts(last, netns.inode).rows)
        whole = Refreshes()
        whole.add(last)
        print(f"  in the table {held}, live in rows {live}, missed {missed}; CPU of the whole scan at the end: {whole.words()}")
        goals.say("live and missed are what the table holds", live + missed == held)
        print(f"  CPU of a refresh while the table grows, scans included: {scanning.words()}")
        goals.say("a refresh with a part of a scan below 100 ms", max(scanning.cpu_ms) < REFRESH_S * 1e3)


class Many:
    """tw_many, which works once at its start and again whenever it is asked."""

    def __init__(self, netns, *command):
        self.process = netns.popen(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def wait(self):
        if self.process.stdout.readline() != b"ready\n":
            raise RuntimeError(f"tw_many ended with {self.process.wait()}")

    def again(self):
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        self.wait()

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def traced_by_page(arguments):
    """The usual view: the first 50 of all rows."""
    return sandbox.Twtrace(arguments.twtrace, "-g", "pid", "-r", 50, "-d", 2)


def refresh_of_a_page(goals, all_rows, page):
    print(f"  CPU of a refresh that prints all rows: {all_rows.words()}")
    print("  and of one that prints 50 of them:")
    refresh(goals, page)


def keys(arguments, goals):
    """What a connection costs when its row is there. The first round makes the rows, and is not measured."""
    print("keys, and what a closed connection costs with so many of them")
    print(f"  {'keys':>8} {'rows':>8} {'unattributed':>13} {'BPF ns/conn':>12} {'twtrace CPU us/conn':>20}")
    costs = {}
    counts = sorted(int(word) for word in arguments.keys.split(","))
    for count in counts:
        with traced(arguments, 2000000, "-d", 2, port_range="51100 65535") as (netns, twtrace), \
                Many(netns, arguments.many, "keys", count, arguments.events) as many:
            many.wait()
            first = sandbox.NetnsCounts(twtrace.fresh(), netns.inode)
            pid = twtrace.process.pid
            with tracers.RunTimeStatistics():
                before, used = sandbox.bpf_totals(pid)[0], sandbox.cpu_seconds(pid)
                many.again()
                after = sandbox.bpf_totals(pid)[0]
            snapshot, refreshes = watch(twtrace, 1)
            now = sandbox.NetnsCounts(snapshot, netns.inode)
            made = now.created - first.created
            rows = sum(row["kind"] == "normal" for row in now.rows)
            costs[count] = (after - before) / made
            own = (sandbox.cpu_seconds(pid) - used) / made * 1e6
            if count == counts[-1]:
                with traced_by_page(arguments) as paged:
                    many.again()
                    page = watch(paged, 3)[1]
            print(f"  {count:8} {rows:8} {now.unattributed:13} {costs[count]:12.0f} {own:20.2f}")
    goals.say("cost per event within 2x from the fewest to the most keys", max(costs.values()) <= 2 * costs[min(costs)])
    goals.say("counts are the kernel's with the most keys", now.total == now.kernel)
    goals.say("rows sum to the namespace with the most keys", now.in_rows == now.created)
    print(f"  {snapshot['cost']['rss_bytes'] / MIB:.1f} MiB resident, at most {formula_mib(rows=MAX_ROWS):.0f} by the "
          "formula")
    refresh_of_a_page(goals, refreshes, page)


def processes(arguments, goals):
    print(f"{arguments.processes} short-lived processes")
    with traced(arguments, 2000000) as (netns, twtrace), traced_by_page(arguments) as paged:
        begin = time.monotonic()
        with Many(netns, arguments.many, "processes", arguments.processes) as many:
            many.wait()
            print(f"  {arguments.processes / (time.monotonic() - begin):.0f} processes/s")
            page = watch(paged, 3)[1]
            snapshot, refreshes = watch(twtrace, 3)
            exact(goals, netns, twtrace)
            memory(goals, twtrace, snapshot, formula_mib(rows=MAX_ROWS, folded=10000))
            refresh_of_a_page(goals, refreshes, page)


def namespaces(arguments, goals):
    connections = 5
    print(f"{arguments.namespaces} namespaces with {connections} connections each")
    with traced(arguments, 100000, "-d", 2, group="netns") as (netns, twtrace):
        begin = time.monotonic()
        with Many(netns, arguments.many, "namespaces", arguments.namespaces, connections) as many:
            many.wait()
            print(f"  made in {time.monotonic() - begin:.0f} s")
            snapshot, refreshes = watch(twtrace, 3)
            right = [row for row in snapshot["namespaces"] if row["created"] == connections and row["reconciled"]]
            print(f"  {len(right)} namespaces with exactly {connections}, equal to the kernel's")
            goals.say("every namespace is exact", len(right) >= arguments.namespaces)
            memory(goals, twtrace, snapshot, formula_mib(rows=arguments.namespaces))
            refresh(goals, refreshes)


def cgroups(arguments, goals):
    print(f"{arguments.cgroups} cgroups, one process that goes through them")
    with traced(arguments, 100000, "-d", 2, group="service") as (netns, twtrace), sandbox.cgroup() as parent:
        begin = time.monotonic()
        with Many(netns, arguments.many, "cgroups", parent, arguments.cgroups) as many:
            many.wait()
            print(f"  made in {time.monotonic() - begin:.0f} s")
            snapshot, refreshes = watch(twtrace, 3)
            exact(goals, netns, twtrace)
            right = {row["service"]["name"] for row in snapshot["rows"]
                     if row["service"] and row["created"] == 1 and parent.rsplit("/", 1)[1] in row["service"]["cgroup"]}
            print(f"  {len(right)} services with one bucket each")
            goals.say("every cgroup has its row", len(right) == arguments.cgroups)
            memory(goals, twtrace, snapshot, formula_mib(rows=arguments.cgroups))
            refresh(goals, refreshes)


def main():
    arguments = parse_arguments()
    wanted = arguments.parts.split(",")
    known = {"buckets": buckets, "keys": keys, "processes": processes, "namespaces": namespaces, "cgroups": cgroups}
    if set(wanted) - set(known):
        sys.exit(f"scale: parts are {', '.join(PARTS)}")
    all_met = True
    for part in wanted:
        goals = Goals(f"{part}: ")
        begin = time.monotonic()
        known[part](arguments, goals)
        print(f"({time.monotonic() - begin:.0f} s)", flush=True)
        all_met = all_met and goals.all_met
    return 0 if all_met else 1


if __name__ == "__main__":
    sandbox.run_main("scale", main)
