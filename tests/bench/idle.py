#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures twtrace itself: idle, and while 10,000 connections per second close. Needs root; about five minutes."""

import argparse
import json
import subprocess
import sys
import time

sys.dont_write_bytecode = True

import sandbox  # noqa: E402
from goals import Goals  # noqa: E402

MIB = 1 << 20
AT_MOST = {
    "-b, idle": {"wakes_per_s": 2, "cpu_percent": 0.1, "VmRSS": 40 * MIB},
    "live view, idle": {"wakes_per_s": 2, "cpu_percent": 0.1, "VmRSS": 40 * MIB},
    "-b, loaded": {"cpu_percent": 2, "VmRSS": 40 * MIB},
    "live view, loaded": {"cpu_percent": 3},
}
UNITS = {"wakes_per_s": (" wakes/s", 1), "cpu_percent": ("% of one core", 1), "VmRSS": (" MiB resident", MIB)}
SETTLE_S = 3


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--twtrace", required=True)
    parser.add_argument("--churn", required=True)
    parser.add_argument("--idle", type=float, default=60, help="seconds of each idle run (default: %(default)s)")
    parser.add_argument("--loaded", type=float, default=20, help="of each loaded run, up to 50 (default: %(default)s)")
    parser.add_argument("--rate", type=int, default=10000, help="connections per second (default: %(default)s)")
    parser.add_argument("--rows", type=int, default=50, help="processes that close them, up to 64")
    parser.add_argument("--json", metavar="FILE")
    return parser.parse_args()


def batch(arguments, seconds):
    with sandbox.Twtrace(arguments.twtrace) as twtrace:
        time.sleep(SETTLE_S)
        return sandbox.measure(twtrace.process.pid, seconds)


def live(arguments, seconds):
    with sandbox.OnTerminal(arguments.twtrace, "-g", "pid") as screen:
        screen.wait_drawn()
        time.sleep(SETTLE_S)
        return sandbox.measure(screen.pid(), seconds)


def loaded(arguments, run):
    """A table large enough for all of them, in a namespace of its own; twtrace is measured in the middle of it."""
    with sandbox.Netns(tcp_max_tw_buckets=1000000, tcp_tw_reuse=1, ip_local_port_range="1024 65535") as netns:
        load_s = arguments.loaded + 2 * SETTLE_S + 3
        churn = netns.popen(arguments.churn, "--seconds", load_s, "--rate", arguments.rate, "--pairs", arguments.rows,
                            stdout=subprocess.PIPE)
        measured = run(arguments, arguments.loaded)
        report = json.loads(churn.communicate()[0])
    measured["connections_per_s"] = report["connections"] / report["seconds"]
    return measured


def goals(runs):
    """(text, met) of each."""
    for name, limits in AT_MOST.items():
        for field, limit in limits.items():
            unit, size = UNITS[field]
            used = runs[name][field]
            yield f"{name}: {used / size:.3g}{unit}; goal: at most {limit / size:g}", used <= limit


def main():
    arguments = parse_arguments()
    runs = {"-b, idle": batch(arguments, arguments.idle),
            "live view, idle": live(arguments, arguments.idle),
            "-b, loaded": loaded(arguments, batch),
            "live view, loaded": loaded(arguments, live)}
    print(f"{'':20} {'conn/s':>8} {'wakes/s':>8} {'CPU %':>7} {'RSS MiB':>8} {'(anon':>7} {'file':>6} {'shmem)':>6}")
    for name, run in runs.items():
        print(f"{name:20} {run.get('connections_per_s', 0):8.0f} {run['wakes_per_s']:8.2f} {run['cpu_percent']:7.3f} "
              f"{run['VmRSS'] / MIB:8.1f} {run['RssAnon'] / MIB:7.1f} {run['RssFile'] / MIB:6.1f} "
              f"{run['RssShmem'] / MIB:6.1f}")
    verdict = Goals()
    verdict.say_all(goals(runs))
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"schema": "twtrace.bench.idle/1", "runs": runs}, file, indent=1)
    return 0 if verdict.all_met else 1


if __name__ == "__main__":
    sandbox.run_main("idle", main)
