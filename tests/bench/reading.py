#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reading the present table: twtrace's reader program beside ss and netstat, taking turns. Needs root; half a minute.

Part of the buckets is older than the tracer, the rest is known to it. The program is run by the loader's own code.
ss gives every socket that it prints a cookie, under which the tracer then looks first: buckets older than it take it
two look-ups from there on.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True

import sandbox  # noqa: E402
from goals import Goals  # noqa: E402

COMMANDS = {"ss -tan state time-wait": ("ss", "-tan", "state", "time-wait"), "netstat -ant": ("netstat", "-ant")}
AT_LEAST = {"ss -tan state time-wait": 10, "netstat -ant": 15}
WALL, CPU = 0, 1  # of a reader's times
LIFETIME_S = 60  # TCP_TIMEWAIT_LEN: the buckets are gone after that


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reader", required=True, help="the program read_table of the build")
    parser.add_argument("--churn", required=True)
    parser.add_argument("--buckets", type=int, default=100000, help="default: %(default)s")
    parser.add_argument("--older", type=float, default=0.1, help="part older than the tracer (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=9, help="at most; at least 7 (default: %(default)s)")
    parser.add_argument("--json", metavar="FILE")
    return parser.parse_args()


def fill(netns, arguments, count):
    netns.run(arguments.churn, "--connections", count, stdout=subprocess.DEVNULL)


def timed(netns, command):
    """Wall and CPU seconds."""
    begin, cpu_begin = time.monotonic(), children_cpu()
    netns.run(*command, stdout=subprocess.DEVNULL)
    return time.monotonic() - begin, children_cpu() - cpu_begin


def children_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def take_turns(arguments):
    """How many buckets were there and were read at which time, and the seconds of every reader in every round."""
    times = {"twtrace": [], "sweep": [], **{name: [] for name in COMMANDS}}
    limit = arguments.buckets + arguments.buckets // 10
    with sandbox.Netns(tcp_max_tw_buckets=limit, tcp_tw_reuse=0,
                       ip_local_port_range="1024 65535") as netns:
        begun = time.monotonic()
        older = int(arguments.buckets * arguments.older)
        if older:
            fill(netns, arguments, older)
        with netns.popen(arguments.reader, limit + limit // 4, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
            def scan():
                reader.stdin.write(b"\n")
                reader.stdin.flush()
                return json.loads(reader.stdout.readline())

            first = scan()
            fill(netns, arguments, arguments.buckets - older)
            held = netns.buckets()
            for number in range(arguments.rounds):
                if number >= 7 and time.monotonic() - begun > LIFETIME_S - 8:
                    break
                read = scan()
                times["twtrace"].append((read["scan_s"], read["scan_cpu_s"]))
                times["sweep"].append((read["sweep_s"], 0))
                for name, command in COMMANDS.items():
                    times[name].append(timed(netns, command))
            left = netns.buckets()
            last = scan()
            reader.stdin.close()
    return {"held": held, "left": left, "first": first, "last": last}, times


def ratio(times, name, kind):
    """Median over the rounds of a reader's seconds to those of twtrace."""
    return statistics.median(run[kind] / own[kind] for run, own in zip(times[name], times["twtrace"]))


def print_times(times):
    print(f"{'':26} {'median ms':>10} {'(min - max)':>18} {'x twtrace':>11} {'CPU ms':>8} {'x':>6}")
    for name, each in times.items():
        wall, cpu = ([run[kind] for run in each] for kind in (WALL, CPU))
        spread = f"({min(wall) * 1e3:.1f} - {max(wall) * 1e3:.1f})"
        print(f"{name:26} {statistics.median(wall) * 1e3:10.2f} {spread:>18} {ratio(times, name, WALL):11.1f} "
              f"{statistics.median(cpu) * 1e3:8.2f} {ratio(times, name, CPU):6.1f}")


def goals(buckets, times):
    """(text, met) of each."""
    first, last = buckets["first"], buckets["last"]
    yield (f"{last['buckets']} buckets read of {buckets['held']}, after which {buckets['left']} were left; goal: equal",
           last["buckets"] == buckets["held"] == buckets["left"])
    yield (f"{first['pre_existing']} of the first {first['buckets']} read as older than the tracer; goal: all",
           first["pre_existing"] == first["buckets"])
    for name, limit in AT_LEAST.items():
        reached = ratio(times, name, WALL)
        yield f"{reached:.1f} times as fast as {name}; goal: at least {limit}", reached >= limit


def main():
    arguments = parse_arguments()
    buckets, times = take_turns(arguments)
    print(f"{buckets['held']} buckets, {buckets['last']['pre_existing']} of them older than the tracer; "
          f"{len(times['twtrace'])} rounds; after them {buckets['left']}")
    print_times(times)
    verdict = Goals()
    verdict.say_all(goals(buckets, times))
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"schema": "twtrace.bench.reading/1", "buckets": buckets["held"], "seconds": times}, file,
                      indent=1)
    return 0 if verdict.all_met else 1


if __name__ == "__main__":
    sandbox.run_main("reading", main)
