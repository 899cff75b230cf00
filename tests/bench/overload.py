#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A small ring under full load while the reader is stopped: what is lost, and how soon everything works again.

The ring has 64 KiB and the reader is stopped for 10 s. Needs root; about half a minute.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True

import sandbox  # noqa: E402
from goals import Goals  # noqa: E402

RECORD = 64 + 8  # with the ring's header
INTERVAL_S = 1.0


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--twtrace", required=True)
    parser.add_argument("--churn", required=True)
    parser.add_argument("--stopped", type=float, default=10, help="seconds (default: %(default)s)")
    parser.add_argument("--ring", type=int, default=65536, help="bytes (default: %(default)s)")
    return parser.parse_args()


def events_made(snapshot):
    """What wanted a record: each bucket created or refused, and where the backend sees it, each one removed."""
    totals = snapshot["totals"]
    seen = snapshot["probe"]["sees_removal"]
    removed = sum(totals[name] for name in ("expired", "reused", "recycled", "purged")) if seen else 0
    return totals["created"] + totals["overflow"] + totals["no_memory"] + removed


def main():
    arguments = parse_arguments()
    with sandbox.Netns(tcp_max_tw_buckets=2000000, tcp_tw_reuse=1, ip_local_port_range="1024 65535") as netns, \
            sandbox.Twtrace(arguments.twtrace, "-g", "pid", "-r", 100000, "-d", INTERVAL_S, "--ring-size",
                            arguments.ring) as twtrace:
        start = twtrace.fresh()
        pid = twtrace.process.pid
        os.kill(pid, signal.SIGSTOP)
        churn = netns.popen(arguments.churn, "--seconds", arguments.stopped - 0.5, stdout=subprocess.PIPE)
        time.sleep(arguments.stopped)
        report = json.loads(churn.communicate()[0])
        kernel = netns.kernel_counts()
        printed = twtrace.count()
        os.kill(pid, signal.SIGCONT)
        resumed = time.monotonic()
        while twtrace.count() == printed:
            time.sleep(0.005)
        recovered_s = time.monotonic() - resumed
        after = twtrace.fresh()
        # Then it keeps up again, and nothing more is lost.
        netns.run(arguments.churn, "--connections", 2000, "--rate", 500, stdout=subprocess.DEVNULL)
        later = twtrace.fresh()
        last = twtrace.stop()
        after_kernel = netns.kernel_counts()
    counts, end = sandbox.NetnsCounts(after, netns.inode), sandbox.NetnsCounts(last, netns.inode)
    made = events_made(after) - events_made(start)
    # All losses fall into the time in which it stood still, because it had read everything before that.
    dropped = after["lost"]["events"] - start["lost"]["events"]
    kept = made - dropped
    capacity = arguments.ring // RECORD
    print(f"backend {last['probe']['backend']}, ring {arguments.ring} bytes = {capacity} records, reader stopped "
          f"{arguments.stopped:g} s")
    print(f"load                    {report['connections'] / report['seconds']:.0f} connections/s, "
          f"{report['connections']} in all")
    print(f"kernel: created         {kernel['created']}")
    print(f"twtrace: created        {counts.created}   missed {counts.missed}")
    print(f"events                  {made} made, {dropped} lost, {kept} kept")
    print(f"first snapshot          {recovered_s:.3f} s after SIGCONT")
    goals = Goals()
    goals.say("counts are the kernel's", counts.total == kernel["created"])
    goals.say("no count is lost", last["lost"]["counts"] == 0)
    goals.say("rows sum to the namespace", end.in_rows == end.created)
    goals.say(f"lost.events is what did not fit ({capacity} records, others' events included)",
              abs(kept - capacity) <= max(64, capacity // 50))
    goals.say("the first snapshot comes within an interval", recovered_s <= INTERVAL_S)
    goals.say("nothing is lost after that", later["lost"]["events"] == after["lost"]["events"])
    goals.say("the end is exact too", end.total == after_kernel["created"])
    return 0 if goals.all_met else 1


if __name__ == "__main__":
    sandbox.run_main("overload", main)
