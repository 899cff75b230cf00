#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Namespaces, cgroups, processes and listening ports come and go, all at once. Needs root.

By default so many come and go in one run of twtrace at -d 60 that every table would be full if nothing were given back.
With --seconds S they come and go for S seconds instead, over names that repeat, and twtrace's memory and descriptors
must stay where they are after the first minute. Either way every count must be the kernel's, every owner must have a
name, and nothing may be lost.

The classes serve other soaks, too: Turnover is the load, Steadiness looks at the process that must not grow.
"""

import argparse
import collections
import contextlib
import json
import os
import subprocess
import sys
import time

sys.dont_write_bytecode = True

import sandbox  # noqa: E402
from goals import Goals  # noqa: E402

MIB = 1 << 20
KINDS = ("namespaces", "cgroups", "processes", "listeners")
SYSCTLS = {"tcp_max_tw_buckets": 2000000, "tcp_tw_reuse": 0, "ip_local_port_range": "22000 65535"}
SETTLED_S = 60
SAMPLE_S = 10
MAY_GROW_MIB = 2
MAX_ROWS = 65536
ENDED_ROWS = 1000  # in a soak: reached in the first minute, after which memory has no reason to grow
NAMES = 100  # in a soak: each comes again before its row is merged
DETAIL = ("events", "recursion_misses")  # of `lost`: no count is lost with an event, and `missed` says what a skipped run hid


class Turnover:
    """The load: tw_turnover in a network namespace and below a cgroup of its own, which end with the block.

    `counts`: of each kind; none of a kind that is not in it. `limit`: of the table of the namespace, where some are to
    be refused. `how`: other options of tw_turnover, by name."""

    def __init__(self, binary, counts, limit=None, **how):
        self._command = [binary]
        for name, value in {**counts, **how}.items():
            self._command += [f"--{name.replace('_', '-')}", value]
        sysctls = {**SYSCTLS, **({"tcp_max_tw_buckets": limit} if limit else {})}
        self.netns = sandbox.Netns(**sysctls)

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.netns)
            self.cgroup = stack.enter_context(sandbox.cgroup())
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def begin(self):
        self.process = self.netns.popen(*self._command, "--cgroups-below", self.cgroup, stdout=subprocess.PIPE)
        self._stack.callback(self._end)

    def _end(self):
        self.process.kill()  # its processes end with it
        self.process.wait()

    def is_running(self):
        return self.process.poll() is None

    def finish(self):
        """Waits for its end. Returns how many of each kind came and went, and `connections_of_namespace`."""
        done = self.process.stdout.read()
        if self.process.wait() != 0:
            raise RuntimeError(f"tw_turnover ended with {self.process.returncode}")
        return json.loads(done)


class Steadiness:
    """Resident memory and descriptors of a process: how they are once it has settled, and how they end."""

    def __init__(self, pid, settled_s=SETTLED_S):
        self._pid, self._settled_s, self._begin = pid, settled_s, time.monotonic()
        self.samples = []  # (seconds, bytes, descriptors)

    def take(self):
        self.samples.append((time.monotonic() - self._begin, sandbox.field(f"/proc/{self._pid}/status", "VmRSS") * 1024,
                             len(os.listdir(f"/proc/{self._pid}/fd"))))

    def say(self, goals):
        settled = next((sample for sample in self.samples if sample[0] >= self._settled_s), None)
        if settled is None:
            raise RuntimeError(f"less than {self._settled_s} s were watched")
        last = self.samples[-1]
        peak = max(rss for at, rss, _ in self.samples if at >= settled[0])
        print(f"  resident {settled[1] / MIB:.1f} MiB after {settled[0]:.0f} s, {last[1] / MIB:.1f} MiB after "
              f"{last[0]:.0f} s, {peak / MIB:.1f} MiB at most since; descriptors {settled[2]} and {last[2]}")
        goals.say(f"memory grows by {MAY_GROW_MIB} MiB at most", last[1] - settled[1] <= MAY_GROW_MIB * MIB)
        goals.say("as many descriptors as before", last[2] == settled[2])


def owners(snapshot, inode):
    """Created and refused of the load's rows, by the name of the process, and those without a name.

    Rows of the namespaces that came and went are known by the name of their process."""
    counts, nameless = collections.Counter(), []
    for row in snapshot["rows"]:
        comm = row["process"]["comm"] if row["process"] else None
        if row["netns"] != inode and comm != "tn-namespace":
            continue
        if row["created"] + row["overflow"] == 0:  # only the service is known of a socket that was just reset
            continue
        counts[comm] += row["created"] + row["overflow"]
        service = row["service"]
        if row["kind"] != "normal" or not comm or not service or service["kind"] == "unknown":
            nameless.append(row)
    return counts, nameless


def check(goals, load, done, snapshot):
    """`snapshot`: the last one, with fresh numbers."""
    inode = load.netns.inode
    kernel = load.netns.kernel_counts()
    ours = next(row for row in snapshot["namespaces"] if row["netns"] == inode)
    missed = ours["missed"]["created"] + ours["missed"]["overflow"]
    print(f"  came and went: {', '.join(f'{done[kind]} {kind}' for kind in KINDS)}")
    print(f"  created {ours['created']} and missed {ours['missed']['created']}, kernel {kernel['created']}; refused "
          f"{ours['overflow']} and missed {ours['missed']['overflow']}, kernel {kernel['overflow']}")
    goals.say("created is the kernel's", ours["created"] + ours["missed"]["created"] == kernel["created"])
    goals.say("refused is the kernel's", ours["overflow"] + ours["missed"]["overflow"] == kernel["overflow"])
    lost = {name: count for name, count in snapshot["lost"].items() if count and name not in DETAIL}
    goals.say(f"nothing is lost {lost or ''}".rstrip(), not lost)
    counts, nameless = owners(snapshot, inode)
    for row in nameless[:3]:
        print(f"  nameless: {row}")
    goals.say("no row is without a name", not nameless)
    wanted = {"tn-cgroup": done["cgroups"], "tn-process": done["processes"], "tn-listeners": done["listeners"]}
    short = {comm: count - counts[comm] for comm, count in wanted.items() if counts[comm] != count}
    goals.say(f"every connection has its owner, but for those that were missed {short or ''}".rstrip(),
              sum(short.values()) == missed and all(count > 0 for count in short.values()))
    of_namespaces = done["namespaces"] * done["connections_of_namespace"]
    skipped = of_namespaces - counts["tn-namespace"]
    print(f"  of {of_namespaces} connections in namespaces that came and went, {skipped} were not seen")
    goals.say("namespaces that came and went have their counts (at most 1 in 1,000 skipped by the kernel)",
              0 <= skipped <= of_namespaces / 1000)
    services = {row["service"]["cgroup"] for row in snapshot["rows"] if row["netns"] == inode and row["service"]}
    below = [cgroup for cgroup in services if f"/{os.path.basename(load.cgroup)}/job" in cgroup]
    return len(below)


def parse_arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench turnover", description=__doc__.splitlines()[0])
    for name in ("twtrace", "turnover"):
        parser.add_argument(f"--{name}", required=True, help=argparse.SUPPRESS)
    for kind, count in zip(KINDS, (10000, 50000, 100000, 20000)):
        parser.add_argument(f"--{kind}", type=int, default=count, help="default: %(default)s")
    parser.add_argument("--spread", type=float, default=200, metavar="S",
                        help="come and go within S seconds (default: %(default)s). An owner has a row while it has "
                             "buckets, mostly a minute, and there are 65535 rows")
    parser.add_argument("--seconds", type=float, default=0, help="soak so long instead, over names that repeat")
    parser.add_argument("--per-second", type=float, default=200, help="of each kind, in a soak (default: %(default)s)")
    parser.add_argument("--limit", type=int, default=20000, help="of the table, in a soak (default: %(default)s)")
    return parser.parse_args()


def once(arguments, goals):
    counts = {kind: getattr(arguments, kind) for kind in KINDS}
    load = Turnover(arguments.turnover, counts, spread=arguments.spread)
    # It keeps the rows of all owners, so that their names can be checked.
    with load, sandbox.Twtrace(arguments.twtrace, "-g", "process", "-d", 60, "--max-rows", MAX_ROWS) as twtrace:
        descriptors = len(os.listdir(f"/proc/{twtrace.process.pid}/fd"))
        begin = time.monotonic()
        load.begin()
        done = load.finish()
        print(f"  took {time.monotonic() - begin:.0f} s")
        goals.say("descriptors stay as many", len(os.listdir(f"/proc/{twtrace.process.pid}/fd")) == descriptors)
        print(f"  resident {sandbox.usage(twtrace.process.pid)['VmRSS'] / MIB:.1f} MiB, BPF maps "
              f"{sandbox.bpf_map_bytes(twtrace.process.pid) / MIB:.1f} MiB")
        goals.say("every cgroup is named", check(goals, load, done, twtrace.stop()) == done["cgroups"])


def soaking(arguments):
    """The load of a soak: as long, as fast and in such a table as the arguments say."""
    return Turnover(arguments.turnover, {kind: 1 for kind in KINDS}, arguments.limit, names=NAMES,
                    seconds=arguments.seconds, per_second=arguments.per_second)


def watching(arguments):
    """`twtrace -b` for a soak."""
    return sandbox.Twtrace(arguments.twtrace, "-g", "process", "-d", 1, "--max-rows", ENDED_ROWS)


def soak(arguments, goals):
    with soaking(arguments) as load, watching(arguments) as twtrace:
        load.begin()
        steadiness = Steadiness(twtrace.process.pid)
        while load.is_running():
            steadiness.take()
            time.sleep(SAMPLE_S)
        done = load.finish()
        twtrace.fresh()
        steadiness.take()
        check(goals, load, done, twtrace.stop())
        steadiness.say(goals)


def main():
    arguments = parse_arguments()
    goals = Goals("turnover: ")
    (soak if arguments.seconds else once)(arguments, goals)
    return 0 if goals.all_met else 1


if __name__ == "__main__":
    sandbox.run_main("turnover", main)
