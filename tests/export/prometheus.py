# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus scrapes a real overflow: the alert fires, names the workload, and the sums equal nstat.

A network namespace with a small table, a server and its clients in cgroups of their own, one of them with a name that
every format has to escape. Another namespace in which a client takes every local port. The exporter runs as shipped,
apart from the age of a workload, and so do the rules, apart from how long a problem has to last.

usage: prometheus.py TWTRACE [METRICS]     writes the scraped text to METRICS
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from cleanup import CleanedUp, run  # noqa: E402
from waiting import wait_for  # noqa: E402

LIMIT = 100
PORTS = (40000, 40099)
ROUNDS = 2
CONNECTIONS = 211  # per round and client
HERE = os.path.dirname(os.path.abspath(__file__))
RULES = os.path.join(HERE, "..", "..", "packaging", "prometheus", "twtrace.rules.yml")
# Names of a cgroup and of a process. Only the latter can contain a newline.
HOSTILE = 'a"b\\c{}\x1b[31m.service'
SHOWN = 'a"b\\c{}\\x1B[31m.service'
HOSTILE_COMM = b'a"b\\c\n\xff'
SHOWN_COMM = 'a"b\\c\n\\xFF'

# Its port is outside of ip_local_port_range, so it is a label.
SERVER = """
import socket, sys
s = socket.create_server(("127.0.0.1", 8000), backlog=100)
print(s.getsockname()[1], flush=True)
while True:
    c, _ = s.accept()
    c.recv(1)
    c.close()
"""
# Accepts for ever and closes nothing. Its own port is outside the range that runs out.
KEEPER = """
import socket
s = socket.create_server(("127.0.0.1", 9000), backlog=200)
print(s.getsockname()[1], flush=True)
kept = []
while True:
    kept.append(s.accept())
"""
CLIENT = """
import os, socket, sys
with open("/proc/self/comm", "wb") as comm:
    comm.write(os.fsencode(sys.argv[3]))
for _ in range(int(sys.argv[2])):
    c = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    c.close()
"""
# Takes every port towards the server, and keeps it.
HOLDER = """
import errno, socket, sys
held = []
try:
    while True:
        held.append(socket.create_connection(("127.0.0.1", int(sys.argv[1]))))
except OSError as error:
    print(error.errno == errno.EADDRNOTAVAIL and len(held), flush=True)
sys.stdin.read()
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


class Scene(CleanedUp):
    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="twtrace-prometheus-")
        self.name = "twprom" + str(os.getpid())
        self.narrow = self.name + "-ports"
        root = run("findmnt", "-n", "-t", "cgroup2", "-o", "TARGET").splitlines()[0]
        self.cgroups = [os.path.join(root, self.name, name) for name in ("queue.service", HOSTILE)]
        self.processes = []

    def set_up(self):
        self.add_netns(self.name, f"net.ipv4.tcp_max_tw_buckets={LIMIT}")
        self.add_netns(self.narrow, f"net.ipv4.ip_local_port_range={PORTS[0]} {PORTS[1]}")
        for cgroup in self.cgroups:
            os.makedirs(cgroup)

    @staticmethod
    def add_netns(name, setting):
        run("ip", "netns", "add", name)
        run("ip", "-n", name, "link", "set", "lo", "up")
        run("ip", "netns", "exec", name, "sysctl", "-qw", setting)

    def start_python(self, netns, script, *arguments):
        """Returns a program that runs in a namespace, and the first line that it prints."""
        process = self.start("ip", "netns", "exec", netns, sys.executable, "-c", script, *arguments,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return process, process.stdout.readline().strip()

    def path(self, name):
        return os.path.join(self.directory, name)

    def start(self, *command, **options):
        process = subprocess.Popen(command, text=True, **options)
        self.processes.append(process)
        return process

    def stop(self, process, number=signal.SIGTERM):
        self.processes.remove(process)
        process.send_signal(number)
        return process.wait(timeout=60)

    def client(self, cgroup, port):
        """Runs a client to its end, in a cgroup and in the namespace."""
        inside = 'echo $$ > "$0/cgroup.procs"; exec ip netns exec "$@"'
        run("sh", "-c", inside, cgroup, self.name, sys.executable, "-c", CLIENT, port, str(CONNECTIONS),
            os.fsdecode(HOSTILE_COMM))

    def counters(self):
        values = {}
        for line in run("ip", "netns", "exec", self.name, "nstat", "-asz").splitlines():
            fields = line.split()
            if len(fields) >= 2 and fields[0].startswith("TcpExt"):
                values[fields[0]] = int(fields[1])
        return (values["TcpExtTW"] + values["TcpExtTWKilled"], values["TcpExtTCPTimeWaitOverflow"])

    def clean_up(self):
        for process in self.processes:
            process.kill()
            process.wait()
        for cgroup in self.cgroups:
            if os.path.isdir(cgroup):
                wait_for("the end of the clients", lambda c=cgroup: "populated 0" in open(f"{c}/cgroup.events").read())
                os.rmdir(cgroup)
        parent = os.path.dirname(self.cgroups[0])
        if os.path.isdir(parent):
            os.rmdir(parent)
        for netns in (self.name, self.narrow):
            subprocess.run(["ip", "netns", "del", netns], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.directory, ignore_errors=True)


def start_exporter(scene, twtrace):
    with open(scene.path("exporter.log"), "w+", encoding="utf-8") as log:
        exporter = scene.start(twtrace, "export", "-d", "0.2", "--metrics.min-age", "1", "--web.listen-address",
                               "127.0.0.1:0", stderr=log)

    def said():
        with open(scene.path("exporter.log"), encoding="utf-8") as text:
            return text.read()
    wait_for("the exporter", lambda: "ready\n" in said() or exporter.poll() is not None)
    if exporter.poll() is not None:
        raise AssertionError(said())
    return exporter, said().split("http://")[1].split("\n")[0]


def start_prometheus(scene, target):
    address, path = target.split("/", 1)
    with open(RULES, encoding="utf-8") as shipped, open(scene.path("rules.yml"), "w", encoding="utf-8") as rules:
        rules.writelines(line for line in shipped if not line.strip().startswith("for: "))
    config = {
        "global": {"scrape_interval": "250ms", "evaluation_interval": "250ms"},
        "rule_files": [scene.path("rules.yml")],
        "scrape_configs": [{"job_name": "twtrace", "metrics_path": "/" + path,
                            "static_configs": [{"targets": [address]}]}],
    }
    with open(scene.path("prometheus.yml"), "w", encoding="utf-8") as file:
        json.dump(config, file)  # JSON is YAML
    run("promtool", "check", "config", scene.path("prometheus.yml"))
    url = f"127.0.0.1:{free_port()}"
    with open(scene.path("prometheus.log"), "w", encoding="utf-8") as log:
        scene.start("prometheus", f"--config.file={scene.path('prometheus.yml')}", f"--web.listen-address={url}",
                    f"--storage.tsdb.path={scene.path('data')}", "--log.level=warn", stdout=log, stderr=log)
    return f"http://{url}"


def get(url, accept=None):
    request = urllib.request.Request(url, headers={"Accept": accept} if accept else {})
    with urllib.request.urlopen(request, timeout=20) as reply:
        return reply.read().decode()


def query(prometheus, expression):
    reply = json.loads(get(prometheus + "/api/v1/query?" + urllib.parse.urlencode({"query": expression})))
    assert reply["status"] == "success", reply
    return [(sample["metric"], float(sample["value"][1])) for sample in reply["data"]["result"]]


def total(prometheus, expression):
    return sum(value for _, value in query(prometheus, expression))


def is_up(prometheus):
    try:
        return total(prometheus, "up") == 1
    except OSError:
        return False


def check_sums(prometheus, scene, counted):
    created, refused = counted
    netns = f'{{netns="{scene.name}"}}'
    overflow = f"twtrace_netstat_tcp_time_wait_overflow_total{netns}"
    wait_for("the last counts", lambda: total(prometheus, overflow) == refused)
    # One scrape has all of them, and a query sees whole scrapes.
    sums = {"twtrace_time_wait_refused_total": refused, "twtrace_time_wait_created_total": created,
            "twtrace_netstat_time_wait_created_total": created, "twtrace_missed_total": 0}
    for metric, wanted in sums.items():
        got = total(prometheus, metric + netns)
        assert got == wanted, (metric, got, wanted)
    assert total(prometheus, f"twtrace_time_wait_buckets_limit{netns}") == LIMIT


def check_ports(prometheus, scene, port):
    _, held = scene.start_python(scene.narrow, HOLDER, port)
    assert held == str(PORTS[1] - PORTS[0] + 1), held
    ratio = f'twtrace_ephemeral_ports_taken_ratio{{netns="{scene.narrow}"}}'
    wait_for("all ports to be taken", lambda: total(prometheus, ratio) == 1)
    alert = f'ALERTS{{alertname="TwtraceEphemeralPortsNearlyTaken",alertstate="firing",netns="{scene.narrow}"}}'
    wait_for("the alert on ports", lambda: query(prometheus, alert))
    # One connect failed: that of the holder, which is new, so its series is "other".
    failed = f'twtrace_connect_no_port_total{{netns="{scene.narrow}"}}'
    wait_for("the failed connect", lambda: total(prometheus, failed) == 1)
    alert = f'ALERTS{{alertname="TwtraceConnectNoPort",alertstate="firing",netns="{scene.narrow}"}}'
    wait_for("the alert on connect", lambda: query(prometheus, alert))


def both_have_series(prometheus, scene, port):
    """Clients that have ended get series when they count again."""
    created = f'twtrace_time_wait_created_total{{netns="{scene.name}",workload!="other"}}'
    if len({labels["workload"] for labels, _ in query(prometheus, created)}) >= 2:
        return True
    for cgroup in scene.cgroups:
        scene.client(cgroup, port)
    return False


def main():
    twtrace = os.path.abspath(sys.argv[1])
    with Scene() as scene:
        exporter, target = start_exporter(scene, twtrace)
        prometheus = start_prometheus(scene, target)
        _, port = scene.start_python(scene.name, SERVER)
        _, narrow_port = scene.start_python(scene.narrow, KEEPER)
        wait_for("a scrape", lambda: is_up(prometheus))
        scene.client(scene.cgroups[0], port)
        # A workload has its own series after a second, and increase() has to have seen it.
        for netns in (scene.name, scene.narrow):
            wait_for(netns, lambda n=netns: query(prometheus, f'twtrace_time_wait_buckets_limit{{netns="{n}"}}'))
        for done in range(ROUNDS):
            for cgroup in scene.cgroups:
                scene.client(cgroup, port)
            if done == 0:
                wait_for("both workloads", lambda: both_have_series(prometheus, scene, port))
        for workload, cgroup in zip(("queue.service", SHOWN), scene.cgroups):
            name = json.dumps(workload)
            def alerts(name=name, cgroup=cgroup):
                found = query(prometheus, f'ALERTS{{alertname="TwtraceBucketsRefused",alertstate="firing",workload={name}}}')
                # On a slow machine the first scrape of a series may have all that the rounds refused.
                if not found:
                    scene.client(cgroup, port)
                return found
            (alert, _), *rest = wait_for("the alert of " + repr(workload), alerts)
            assert not rest and alert["netns"] == scene.name and alert["role"] == "client", (alert, rest)
            assert alert["comm"] == SHOWN_COMM and alert["port"] == port and alert["severity"] == "critical", alert
        check_ports(prometheus, scene, narrow_port)
        counted = scene.counters()
        check_sums(prometheus, scene, counted)
        text = get("http://" + target)
        check = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, check=False,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert (check.returncode, check.stdout) == (0, ""), check.stdout
        if sys.argv[2:]:
            with open(sys.argv[2], "w", encoding="utf-8") as file:
                file.write(text)
        assert scene.stop(exporter) == 0
        wait_for("the exporter to be missed", lambda: total(prometheus, "up") == 0)
        print(f"ok: {counted[0]} created and {counted[1]} refused, as the kernel says")


main()
