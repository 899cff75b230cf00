#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What tracing costs: the same load without a tracer and with each of several, taking turns.

Machines drift, so only ratios within a round count, and their median is what is reported. BPF run time is measured in
rounds of its own, because measuring it costs time too. The load runs in a network namespace of its own, once with the
client closing first and once with the server; what each tracer said about it is compared with the kernel's counters.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time

sys.dont_write_bytecode = True

import churn_report  # noqa: E402
import said  # noqa: E402
import sandbox  # noqa: E402
import tracers  # noqa: E402

# No bucket is refused: an overflow would make closing cheaper. Reuse and many ports: connecting stays cheap.
SYSCTLS = {"tcp_max_tw_buckets": 200000, "ip_local_port_range": "1024 65535", "tcp_tw_reuse": 1}
MAX_CONNECTIONS = 190000
SETTLE_S = 0.5
MAX_TIMED_ROUNDS = 5  # run times vary less
CLOSERS = ("client", "server")
BACKENDS = ("fentry", "kprobe", "tracepoint")
# Tools that attach through tracefs; where that is not mounted, they get one that nobody else sees.
WITH_TRACEFS = ("unshare", "--mount", "sh", "-c",
                'test -d /sys/kernel/tracing/events || mount -t tracefs tracefs /sys/kernel/tracing; exec "$0" "$@"')


def parse_arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench churn", description=__doc__.splitlines()[0])
    for name in ("twtrace", "churn", "floor"):
        parser.add_argument(f"--{name}", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--tools", default="/usr/sbin", help="where tcpstates and tcplife are (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=7, help="default: %(default)s")
    parser.add_argument("--connections", type=int, default=30000, help="of each run (default: %(default)s)")
    parser.add_argument("--pairs", type=int, default=4, help="of client and server processes (default: %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="also write every single measurement there")
    arguments = parser.parse_args()
    if not 1 <= arguments.connections <= MAX_CONNECTIONS:
        parser.error(f"--connections: 1 to {MAX_CONNECTIONS} fit into the table")
    if arguments.rounds < 1 or not 1 <= arguments.pairs <= 64:
        parser.error("--rounds: at least 1; --pairs: 1 to 64")
    return arguments


class Known:
    """A tracer to compare: how to start it, and how to read its output (None: it has none)."""

    def __init__(self, command, ready=None, said=None):
        self.command, self.ready, self.said = command, ready, said

    def start(self):
        return tracers.Tracer(self.command, self.ready)


def all_known(arguments):
    known = {"none": None}
    for count in (1, 2):
        known[f"empty program x{count}"] = Known([arguments.floor, count], "ready")
    for backend in BACKENDS:
        command = [arguments.twtrace, "-b", "--json", "--probe", backend]
        known[f"twtrace {backend}"] = Known(command, "ready", said.twtrace)
    for tool in ("tcpstates", "tcplife"):
        known[tool] = Known([*WITH_TRACEFS, f"{arguments.tools}/{tool}"], None, getattr(said, tool))
    known["bpftrace"] = Known([*WITH_TRACEFS, "bpftrace", "-e", said.BPFTRACE], None, said.bpftrace)
    return known


def try_out(known):
    """Why some tracers do not start here, by name."""
    reasons = {}
    for name, tracer in known.items():
        try:
            if tracer:
                with tracer.start():
                    pass
        except (RuntimeError, OSError) as error:
            reasons[name] = str(error).splitlines()[0]
    return reasons


def run_load(arguments, netns, closer):
    done = netns.run(arguments.churn, "--connections", arguments.connections, "--pairs", arguments.pairs, "--closer",
                     closer, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def of_load(report):
    count = report["connections"]
    return {"connections": count, "connections_per_s": count / report["seconds"],
            "load_cpu_us": report["cpu_seconds"] / count * 1e6}


def measure_traced(arguments, tracer, netns, closer):
    with tracer.start() as running:
        cpu_s, (bpf_ns, bpf_runs) = running.cpu_seconds(), running.bpf_totals()
        run = of_load(run_load(arguments, netns, closer))
        running.wait_until_drained()
        end_ns, end_runs = running.bpf_totals()
        count = run["connections"]
        run.update(tracer_cpu_us=(running.cpu_seconds() - cpu_s) / count * 1e6, rss=running.resident_bytes(),
                   bpf_us=(end_ns - bpf_ns) / count / 1e3, bpf_runs=(end_runs - bpf_runs) / count)
        running.stop()
        if tracer.said:
            counts = netns.kernel_counts()
            run["nstat"] = counts["created"]
            run.update(tracer.said(running.output(), running.errors(),
                                   said.Load(netns.inode, arguments.pairs, closer)))
    return run


def measure(arguments, tracer, closer):
    """One run. `tracer` is a Known or None. The tracer ends before its namespace, because taking the namespace down
    costs time that belongs neither to this run nor to the next."""
    with sandbox.Netns(**SYSCTLS) as netns:
        if tracer:
            run = measure_traced(arguments, tracer, netns, closer)
        else:
            run = of_load(run_load(arguments, netns, closer))
    time.sleep(SETTLE_S)
    return run


def rounds(arguments, known, count, what):
    """`count` rounds of one run with each tracer and closer, each round starting with another tracer."""
    runs = {closer: {name: [] for name in known} for closer in CLOSERS}
    names = list(known)
    for number in range(count):
        for closer in CLOSERS:
            for position in range(len(names)):
                name = names[(number + position) % len(names)]
                runs[closer][name].append(measure(arguments, known[name], closer))
                progress(f"{what} {number + 1}/{count}, {closer} first: {name}")
    progress("")
    return runs


def progress(text):
    if sys.stderr.isatty():
        print(f"\r{text:78}\r", end="", file=sys.stderr, flush=True)


def main():
    arguments = parse_arguments()
    known = all_known(arguments)
    unavailable = try_out(known)
    known = {name: tracer for name, tracer in known.items() if name not in unavailable}
    traced = {name: tracer for name, tracer in known.items() if tracer}
    timed_rounds = min(arguments.rounds, MAX_TIMED_ROUNDS)
    measure(arguments, None, "client")  # warms up: the first run makes the kernel's caches grow
    plain = rounds(arguments, known, arguments.rounds, "round")
    with tracers.RunTimeStatistics():
        timed = rounds(arguments, traced, timed_rounds, "round with statistics")
    document = {"schema": "twtrace.bench/2", "kernel": platform.release(), "cpus": os.cpu_count(),
                "connections": arguments.connections, "pairs": arguments.pairs, "rounds": arguments.rounds,
                "rounds_with_statistics": timed_rounds, "unavailable": unavailable,
                "loads": {closer: {"plain": plain[closer], "with_statistics": timed[closer]} for closer in CLOSERS}}
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
    churn_report.print_report(document)
    return 0


if __name__ == "__main__":
    sandbox.run_main("churn", main)
