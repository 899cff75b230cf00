# SPDX-License-Identifier: Apache-2.0
"""The results of each tracer for one load: how many buckets, whose, and how many events it lost.

Every reader takes the tracer's output, its standard error and the load, and returns `said` (buckets, or what comes
nearest), `right` (those under the name of the process that closed first), and what the tracer itself admits: `lost`
events, and `missed` buckets, which it knows to be missing in its counts.
"""

import collections
import json
import re

import sandbox
import tracers

Load = collections.namedtuple("Load", "netns_inode pairs closer")
FIRST_PORT = 900  # of tw_churn; one for each pair

# tcp_time_wait closes the socket; the tracepoint never shows TIME_WAIT as a new state.
LEADS_TO_BUCKET = ("FIN_WAIT2", "CLOSING")
BPFTRACE = ("tracepoint:sock:inet_sock_set_state /args->newstate == 7 && (args->oldstate == 5 || args->oldstate == 11)/ "
            "{ @[comm] = count(); }")


def closer_comm(load):
    return f"churn-{load.closer}"


def is_closers_end(load, local_port, remote_port):
    served = range(FIRST_PORT, FIRST_PORT + load.pairs)
    return (local_port if load.closer == "server" else remote_port) in served


def result(said, right, lost, missed=0):
    return {"said": said, "right": right, "lost": lost, "missed": missed}


def twtrace(output, _, load):
    last = json.loads(output.splitlines()[-1])
    counts = sandbox.NetnsCounts(last, load.netns_inode)
    of_closer = [row for row in counts.rows if row["process"] and row["process"]["comm"] == closer_comm(load)]
    return result(counts.in_rows, sum(row["created"] for row in of_closer),
                  last["lost"]["events"] + last["lost"]["counts"], counts.missed)


def lines_of_ends(output, load, ports, wanted):
    """Counts lines (all, under the right name) of the closer's ends. Narrow columns cut names."""
    said = right = 0
    for line in output.splitlines():
        words = line.split()
        if len(words) > ports[1] and words[ports[0]].isdigit() and words[ports[1]].isdigit() and wanted(words) and \
                is_closers_end(load, int(words[ports[0]]), int(words[ports[1]])):
            said += 1
            right += closer_comm(load).startswith(words[ports[0] - 2])
    return said, right


def tcpstates(output, errors, load):
    """SKADDR PID COMM LADDR LPORT RADDR RPORT OLDSTATE -> NEWSTATE MS"""
    ends = lines_of_ends(output, load, (4, 6),
                         lambda words: len(words) > 9 and words[9] == "CLOSE" and words[7] in LEADS_TO_BUCKET)
    return result(*ends, tracers.lost_events(errors))


def tcplife(output, errors, load):
    """PID COMM LADDR LPORT RADDR RPORT TX_KB RX_KB MS: one for every socket; none says which end has the bucket."""
    return result(*lines_of_ends(output, load, (3, 5), lambda _: True), tracers.lost_events(errors))


def bpftrace(output, _, load):
    counts = dict(re.findall(r"^@\[(.*)\]: (\d+)$", output, re.MULTILINE))
    return result(sum(map(int, counts.values())), int(counts.get(closer_comm(load), 0)), 0)
