#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tables and goals of the part churn of scripts/bench. `churn_report.py FILE` shows a run's ratios again."""

import argparse
import json
import pathlib
import statistics
import sys

sys.dont_write_bytecode = True

from goals import Goals  # noqa: E402

GOAL_US = 3
GOAL_FLOORS = 3
GOAL_OF_TCPSTATES = 1 / 40
# Load CPU includes the way into the program, which BPF run time leaves out. It also stays right if other work on the
# machine makes connections/s a matter of luck.
HEAD = (f"{'':18} {'conn/s':>7} {'ratio':>6} {'(min - max)':>14} {'load CPU':>8} {'ratio':>6} {'BPF':>7} {'(min - max)':>15}"
        f" {'runs':>5} {'tool CPU':>8} {'RSS':>6}")
UNITS = (f"{'':18} {'':7} {'':6} {'':14} {'us/conn':>8} {'':6} {'us/conn':>7} {'':15} {'/conn':>5} {'ms/1000':>8} {'MiB':>6}")


def median_of(runs, field):
    return statistics.median(run[field] for run in runs)


def spread(values):
    return f"({min(values):.2f} - {max(values):.2f})"


def ratios(runs, field):
    """The ratios of every tracer's run to the run without a tracer in the same round."""
    return {name: [run[field] / none[field] for run, none in zip(each, runs["none"])] for name, each in runs.items()}


def print_costs(plain, timed):
    speed, cpu = ratios(plain, "connections_per_s"), ratios(plain, "load_cpu_us")
    print(HEAD + "\n" + UNITS)
    for name, runs in plain.items():
        line = (f"{name:18} {median_of(runs, 'connections_per_s'):7.0f} {statistics.median(speed[name]):6.3f} "
                f"{spread(speed[name]):>14} {median_of(runs, 'load_cpu_us'):8.2f} {statistics.median(cpu[name]):6.3f}")
        if name in timed:
            bpf = [run["bpf_us"] for run in timed[name]]
            line += (f" {statistics.median(bpf):7.2f} {spread(bpf):>15} {median_of(timed[name], 'bpf_runs'):5.1f} "
                     f"{median_of(runs, 'tracer_cpu_us'):8.2f} {median_of(runs, 'rss') / (1 << 20):6.1f}")
        print(line)


def accuracy(runs):
    """Sums over the runs of a tracer with output."""
    total = {field: sum(run[field] for run in runs) for field in ("nstat", "said", "right", "lost", "missed")}
    total["error"] = (total["said"] - total["nstat"]) / total["nstat"] * 100
    total["wrong"] = (total["said"] - total["right"]) / total["said"] * 100 if total["said"] else 0.0
    return total


def print_accuracy(plain):
    print(f"{'':18} {'nstat':>9} {'said':>9} {'error %':>9} {'closer':>9} {'other':>9} {'other %':>8} {'lost':>8} {'missed':>7}")
    for name, runs in plain.items():
        if "said" in runs[0]:
            of = accuracy(runs)
            print(f"{name:18} {of['nstat']:9} {of['said']:9} {of['error']:+9.3f} {of['right']:9} "
                  f"{of['said'] - of['right']:9} {of['wrong']:8.3f} {of['lost']:8} {of['missed']:7}")


def bpf_ratio(timed, name, other):
    """The median over the rounds of the ratio of one tracer's BPF time to another's."""
    return statistics.median(own["bpf_us"] / its["bpf_us"] for own, its in zip(timed[name], timed[other]))


def cost_goals(timed, name):
    own = median_of(timed[name], "bpf_us")
    yield f"{own:.2f} us of BPF per closed connection; goal: at most {GOAL_US}", own <= GOAL_US
    entries = median_of(timed[name], "bpf_runs")
    for other in (known for known in timed if known.startswith("empty program")):
        ratio = bpf_ratio(timed, name, other)
        yield (f"{ratio:.2f} times {other} ({median_of(timed[other], 'bpf_us'):.2f} us, "
               f"{median_of(timed[other], 'bpf_runs'):.1f} runs; its own {entries:.1f}); goal: at most {GOAL_FLOORS}",
               ratio <= GOAL_FLOORS)
    if "tcpstates" in timed:
        ratio = bpf_ratio(timed, name, "tcpstates")
        yield (f"1/{1 / ratio:.1f} of tcpstates ({median_of(timed['tcpstates'], 'bpf_us'):.2f} us); "
               f"goal: at most 1/{1 / GOAL_OF_TCPSTATES:.0f}", ratio <= GOAL_OF_TCPSTATES)


def accuracy_goals(runs):
    of = accuracy(runs)
    yield (f"{of['said']} buckets said and {of['missed']} said to be missed, of the kernel's {of['nstat']}; goal: equal",
           of["said"] + of["missed"] == of["nstat"])
    wrong = of["said"] - of["right"]
    yield f"{wrong} of them under another name than the closer's; goal: 0", wrong == 0


def goals(document):
    """(text, met) of each, for every backend of ours that loads."""
    for closer, runs in document["loads"].items():
        for name in (known for known in runs["plain"] if known.startswith("twtrace")):
            for text, met in (*cost_goals(runs["with_statistics"], name), *accuracy_goals(runs["plain"][name])):
                yield f"{name}, {closer} first: {text}", met


def print_report(document):
    kernel, rounds, connections = (document[name] for name in ("kernel", "rounds", "connections"))
    print(f"Linux {kernel}, {document['cpus']} CPUs; {rounds} rounds of about {connections} connections by "
          f"{document['pairs']} pairs of processes; BPF time from {document['rounds_with_statistics']} rounds of its own")
    for closer, runs in document["loads"].items():
        print(f"\n{closer} closes first")
        print_costs(runs["plain"], runs["with_statistics"])
        print_accuracy(runs["plain"])
    print()
    for name, reason in document["unavailable"].items():
        print(f"not measured: {name}: {reason}")
    Goals().say_all(goals(document))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=pathlib.Path)
    path = parser.parse_args().file
    if path.exists():
        print_report(json.loads(path.read_text(encoding="utf-8")))
    else:
        print(f"no run is recorded in {path.name}: sudo scripts/bench churn makes one")
    return 0


if __name__ == "__main__":
    sys.exit(main())
