#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What tracing costs: the same load with no tracer, with `twtrace -b` and with tcpstates, taking turns.

Machines drift, so only ratios within a round count, and their median is what is reported. BPF run time is measured in
rounds of its own, because measuring it costs time too.
"""

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True

import tracers  # noqa: E402

# No bucket is refused: an overflow would make closing cheaper. Reuse and many ports: connecting stays cheap.
SYSCTLS = ("net.ipv4.tcp_max_tw_buckets=200000", "net.ipv4.ip_local_port_range=1024 65535", "net.ipv4.tcp_tw_reuse=1")
MAX_CONNECTIONS = 190000
# Lives on after the load, until its input is closed: taking a namespace with all its buckets down costs time, and that
# belongs neither to this run nor, unfinished, to the next.
INSIDE = 'ip link set lo up && sysctl -qw "$0" "$1" "$2" && shift 2 && "$@" && read -r _'
SETTLE_S = 1.5
# tcpstates attaches through tracefs; where that is not mounted, it gets one that nobody else sees.
WITH_TRACEFS = ("unshare", "--mount", "sh", "-c",
                'test -d /sys/kernel/tracing/events || mount -t tracefs tracefs /sys/kernel/tracing; exec "$0"')


def parse_arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__.splitlines()[0])
    parser.add_argument("--twtrace", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--churn", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--tcpstates", default="/usr/sbin/tcpstates")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--connections", type=int, default=100000, help="of each run (default: %(default)s)")
    parser.add_argument("--closer", choices=("client", "server"), default="client", help="who closes first")
    parser.add_argument("--json", metavar="FILE", help="also write every single measurement there")
    arguments = parser.parse_args()
    if not 1 <= arguments.connections <= MAX_CONNECTIONS:
        parser.error(f"--connections: 1 to {MAX_CONNECTIONS} fit into the table")
    if arguments.rounds < 1:
        parser.error("--rounds: at least 1")
    return arguments


@contextlib.contextmanager
def load(arguments):
    """Runs the load to its end in a namespace of its own; yields its report while that namespace still exists."""
    churn = [arguments.churn, "--connections", str(arguments.connections), "--closer", arguments.closer]
    process = subprocess.Popen(["unshare", "--net", "sh", "-c", INSIDE, *SYSCTLS, *churn],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the load failed with {process.wait()}")
        yield json.loads(line)
    finally:
        process.stdin.close()
        process.wait()


def measure(arguments, tracer):
    """One run. `tracer` is a Tracer or None."""
    with contextlib.ExitStack() as stack:
        running = stack.enter_context(tracer) if tracer else None
        before = (running.cpu_seconds(), running.bpf_run_ns()) if running else (0, 0)
        # Entered after the tracer, so left before it: see the removal of the namespace's buckets as a tracer would.
        report = stack.enter_context(load(arguments))
        after = (running.cpu_seconds(), running.bpf_run_ns()) if running else (0, 0)
    time.sleep(SETTLE_S)
    connections = report["connections"]
    return {"connections_per_s": connections / report["seconds"],
            "load_cpu_us": report["cpu_seconds"] / connections * 1e6,
            "tracer_cpu_us": (after[0] - before[0]) / connections * 1e6,
            "bpf_us": (after[1] - before[1]) / connections / 1e3}


def rounds(arguments, known, count):
    """`count` rounds of one run with each tracer, each round starting with another one. Lists of runs by name."""
    runs = {name: [] for name in known}
    names = list(known)
    for number in range(count):
        for position in range(len(names)):
            name = names[(number + position) % len(names)]
            command = known[name]
            runs[name].append(measure(arguments, tracers.Tracer(*command) if command else None))
            print(f"round {number + 1}/{count} {name}: {runs[name][-1]['connections_per_s']:.0f}/s", file=sys.stderr)
    return runs


def median_of(runs, field):
    return statistics.median(run[field] for run in runs)


def summarize(plain, timed):
    """One row per tracer, of medians. A ratio compares the runs of one round."""
    rows = []
    for name, runs in plain.items():
        pairs = list(zip(runs, plain["none"]))
        ratios = [run["connections_per_s"] / none["connections_per_s"] for run, none in pairs]
        rows.append({"tracer": name,
                     "connections_per_s": median_of(runs, "connections_per_s"),
                     "ratio": statistics.median(ratios), "ratio_min": min(ratios), "ratio_max": max(ratios),
                     "load_cpu_us": median_of(runs, "load_cpu_us"),
                     "load_cpu_ratio": statistics.median(run["load_cpu_us"] / none["load_cpu_us"]
                                                         for run, none in pairs),
                     "tracer_cpu_us": median_of(runs, "tracer_cpu_us"),
                     "bpf_us": median_of(timed[name], "bpf_us") if name in timed else 0.0})
    return rows


def print_table(rows):
    """CPU time of the load's processes holds where other work on the machine makes connections/s a matter of luck."""
    print(f"{'':10} {'connections/s':>13} {'ratio':>6} {'(min - max)':>14} {'load CPU':>9} {'ratio':>6} "
          f"{'BPF':>7} {'tracer CPU':>11}   (us per connection)")
    for row in rows:
        spread = f"({row['ratio_min']:.2f} - {row['ratio_max']:.2f})"
        print(f"{row['tracer']:10} {row['connections_per_s']:13.0f} {row['ratio']:6.3f} {spread:>14} "
              f"{row['load_cpu_us']:9.2f} {row['load_cpu_ratio']:6.3f} "
              f"{row['bpf_us']:7.2f} {row['tracer_cpu_us']:11.2f}")
    twtrace, tcpstates = (next(row for row in rows if row["tracer"] == name) for name in ("twtrace", "tcpstates"))
    print(f"BPF time, twtrace / tcpstates: {twtrace['bpf_us'] / tcpstates['bpf_us']:.3f}")


def main():
    arguments = parse_arguments()
    known = {"none": None,
             "twtrace": ([arguments.twtrace, "-b"], "ready"),
             "tcpstates": ([*WITH_TRACEFS, arguments.tcpstates],)}
    measure(arguments, None)  # warms up: the first run makes the kernel's caches grow
    plain = rounds(arguments, known, arguments.rounds)
    traced = {name: command for name, command in known.items() if command}
    with tracers.RunTimeStatistics():
        timed = rounds(arguments, traced, min(arguments.rounds, 3))
    rows = summarize(plain, timed)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"schema": "twtrace.bench/1", "connections": arguments.connections, "closer": arguments.closer,
                       "summary": rows, "runs": plain, "runs_with_statistics": timed}, file, indent=1)
    print_table(rows)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RuntimeError, OSError) as error:
        sys.exit(f"scripts/bench: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
