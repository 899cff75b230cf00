#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What twtrace costs beside 1, 10, 100, 1,000 and 10,000 network namespaces with a few buckets each. Needs root."""

import argparse
import sys

sys.dont_write_bytecode = True

import sandbox  # noqa: E402
from goals import Goals  # noqa: E402
from scale import Many, Refreshes  # noqa: E402

MIB = 1 << 20
IDLE_OF = 600
IDLE_PERCENT = 1
REFRESH_OF = 1000
REFRESH_MS = 30


def parse_arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench namespaces", description=__doc__.splitlines()[0])
    for name in ("twtrace", "many"):
        parser.add_argument(f"--{name}", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--counts", default="1,10,100,600,1000,10000", help="default: %(default)s")
    parser.add_argument("--buckets", type=int, default=7, help="of each (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=15, help="of each measurement (default: %(default)s)")
    return parser.parse_args()


def measure(arguments, count):
    """The buckets are twtrace's own, and live all the time: it starts before they are made."""
    with sandbox.Netns() as netns, sandbox.Twtrace(arguments.twtrace, "-d", 1, "-r", 1) as twtrace:
        with Many(netns, arguments.many, "namespaces", count, arguments.buckets) as many:
            many.wait()
            twtrace.fresh()
            twtrace.fresh()  # the new ones have been looked at
            used = sandbox.measure(twtrace.process.pid, arguments.seconds)
            refreshes = Refreshes()
            ages = []
            for _ in range(3):
                snapshot = twtrace.fresh()
                refreshes.add(snapshot)
                ages.append(snapshot["live_age_s"] or 0)
            known = [row for row in snapshot["namespaces"] if row["created"] == arguments.buckets and row["reconciled"]]
            return used, refreshes, max(ages), len(known)


def main():
    arguments = parse_arguments()
    goals = Goals()
    print(f"{'namespaces':>10} {'exact':>6} {'CPU %':>7} {'worst refresh':>14} {'live is old':>12} {'RSS MiB':>8}")
    for count in map(int, arguments.counts.split(",")):
        used, refreshes, age, exact = measure(arguments, count)
        worst = max(refreshes.cpu_ms)
        print(f"{count:10} {exact:6} {used['cpu_percent']:7.2f} {worst:11.1f} ms {age:10.1f} s "
              f"{used['VmRSS'] / MIB:8.1f}", flush=True)
        if count == IDLE_OF:
            goals.say(f"{count} namespaces: {used['cpu_percent']:.2f}% of a core; goal: at most {IDLE_PERCENT}",
                      used["cpu_percent"] <= IDLE_PERCENT)
            goals.say(f"{count} namespaces: live is {age:.1f} s old; goal: at most 1", age <= 1)
        if count == REFRESH_OF:
            goals.say(f"{count} namespaces: {worst:.1f} ms of a refresh; goal: at most {REFRESH_MS}",
                      worst <= REFRESH_MS)
    return 0 if goals.all_met else 1


if __name__ == "__main__":
    sandbox.run_main("namespaces", main)
