# SPDX-License-Identifier: Apache-2.0
"""A proxy is restarted in front of a fleet of queue agents: who was hurt, and would a larger table have helped?

redis-server, haproxy in front of it, and agents that wait with BLPOP, each in a cgroup of its own. Some agents work on
an item while haproxy is restarted; then they report it on a connection that is gone. Three runs:

  small table   haproxy is refused places in the table. Most resets would not have been, had it been larger.
  large table   nothing is refused, no reset was avoidable. As many items are lost: the restart did it.
  drained       with the small table, the agents finish before the restart, as the report of the first run advises.
                Nothing is lost.

Every number is exact. Nobody answers haproxy before it has ended: its peers are frozen meanwhile.

usage: restart_scene.py TWTRACE [--show]     --show also prints the reports
"""
import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys

from host import Host, run, wait_for

AGENTS = 90
BUSY = 12  # of these
SMALL, LARGE = 100, 10000
PROXY_PORT = 6380
NEEDED = ("redis-server", "redis-cli", "haproxy")

HERE = os.path.dirname(os.path.abspath(__file__))
HAPROXY_CONF = f"""
defaults
  mode tcp
  timeout connect 1h
  timeout client 1h
  timeout server 1h
listen redis
  bind 127.0.0.1:{PROXY_PORT}
  server redis 127.0.0.1:6379
"""
# A machine that stands still for seconds leaves a hole in the capture, but no count out.
ALLOW_CUT = ("--allow-cut",)
# Who was hurt, and what a larger table would have changed. Only in this host's namespace: others may be busy, too.
BUDGETS = ("overflow{{netns=={}}}>0", "resets_felt{{netns=={},service=agents}}>0", "peer_resets_avoidable{{netns=={}}}>0")


class Scene(Host):
    def __init__(self, twtrace, limit):
        super().__init__("twtrace-restart", ("redis.service", "haproxy.service", "agents.service"), limit)
        self.twtrace = twtrace
        self.log = None

    def set_up(self):
        super().set_up()
        with open(self.path("haproxy.cfg"), "w", encoding="ascii") as conf:
            conf.write(HAPROXY_CONF)
        self.log = open(self.path("agents.log"), "w", encoding="utf-8")
        self.start("redis.service", f"redis-server --port 6379 --unixsocket {self.path('redis')} --save \"\" "
                                    f"--tcp-keepalive 0 --dir {self.directory}")
        wait_for("redis", lambda: os.path.exists(self.path("redis")) and self.listens(6379))
        self.haproxy = self.start_haproxy()
        self.agents = self.start_agents()
        self.redis("RPUSH", "queue", *[f"item{number}" for number in range(BUSY)])
        wait_for("busy agents", lambda: self.blocked() == AGENTS - BUSY)

    def clean_up(self):
        super().clean_up()
        if self.log:
            self.log.close()

    def start(self, service, command, **options):
        return subprocess.Popen(shlex.split(self.in_service(service, command)), stdin=subprocess.DEVNULL,
                                **{"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **options})

    def start_haproxy(self):
        process = self.start("haproxy.service", f"haproxy -db -f {self.path('haproxy.cfg')}")
        wait_for("haproxy", lambda: self.listens(PROXY_PORT))
        return process

    def start_agents(self):
        process = self.start("agents.service",
                             f"{sys.executable} -B {HERE}/agents.py {AGENTS} {PROXY_PORT} {self.path('go')}",
                             stderr=self.log)
        wait_for("agents", lambda: self.blocked() == AGENTS)
        return process

    def listens(self, port):
        return run(*self.inside("ss", "-Hltn", f"sport = :{port}")) != ""

    def redis(self, *command):
        """Not through TCP, which would leave buckets."""
        return run("redis-cli", "-s", self.path("redis"), *command)

    def blocked(self):
        """Agents that wait for an item."""
        return int(self.redis("INFO", "clients").split("blocked_clients:")[1].split()[0])

    def lost(self):
        """Items that were popped and never reported."""
        return BUSY - int(self.redis("LLEN", "queue")) - int(self.redis("LLEN", "done"))

    def finish_work(self):
        with open(self.path("go"), "w", encoding="ascii"):
            pass

    @contextlib.contextmanager
    def frozen(self, *services):
        folders = [f"{self.cgroup}/{service}" for service in services]

        def write(value):
            for folder in folders:
                with open(f"{folder}/cgroup.freeze", "w", encoding="ascii") as file:
                    file.write(value)

        def all_frozen():
            events = dict(self.in_services("cgroup.events"))
            return all("frozen 1" in events[service] for service in services)

        write("1")
        wait_for("frozen services", all_frozen)
        try:
            yield
        finally:
            write("0")

    def restart(self):
        """haproxy ends in the middle of everything. It closes first on both of its sides."""
        with self.frozen("agents.service", "redis.service"):
            self.haproxy.terminate()
            self.haproxy.wait()
            wait_for("haproxy's connections to close", lambda: sum(self.counters()) == 2 * AGENTS)
            self.haproxy = self.start_haproxy()
            self.finish_work()
        wait_for("agents that wait again", lambda: self.blocked() == AGENTS)

    def drain_and_restart(self):
        self.finish_work()
        self.agents.terminate()
        self.agents.wait()
        wait_for("haproxy's connections to close", lambda: run(*self.inside("ss", "-Htn", "state", "established")) == "")
        self.haproxy.terminate()
        self.haproxy.wait()
        self.haproxy = self.start_haproxy()
        self.agents = self.start_agents()

    def report(self, *options):
        """The report of the capture file, also while the capture runs. Only of this host's namespace."""
        return subprocess.run([self.twtrace, "report", "--netns", self.name, *ALLOW_CUT, *options,
                               self.path("restart.db")],
                              stdout=subprocess.PIPE, text=True, check=False)

    def has_whole_report(self, is_whole):
        if not os.path.exists(self.path("restart.db")):  # it comes with the first sample
            return False
        report = self.report("-o", "json")  # fails while the file does not know the namespace
        return report.returncode in (0, 99) and is_whole(json.loads(report.stdout))

    def capture(self, happens, is_whole):
        """Records what happens, until the report of that is whole. Returns it, and what the kernel counted."""
        budgets = [word for budget in BUDGETS for word in ("--fail-if", budget.format(self.name))]
        before = self.kernel_counters()
        capture = subprocess.Popen([self.twtrace, "capture", "-o", self.path("restart.db"), "-d", "0.2", "--log",
                                    self.path("agents.log"), *ALLOW_CUT, *budgets], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                   text=True)
        try:
            while (line := capture.stderr.readline()) != "ready\n":
                assert line, f"twtrace ended with {capture.wait()}"
            happens()
            wait_for("a whole report", lambda: self.has_whole_report(is_whole))
        finally:
            capture.send_signal(signal.SIGINT)
            capture.communicate()
        counted = {name: value - before.get(name, 0) for name, value in self.kernel_counters().items()}
        report = self.report("-o", "json")
        assert report.returncode == capture.returncode == 99, (report.returncode, capture.returncode)
        return json.loads(report.stdout), counted


def by_service(report, count):
    """The services with that count, and how much each has."""
    sums = {}
    for row in report["offenders"]:
        if row[count]:
            sums[row["service"]] = sums.get(row["service"], 0) + row[count]
    return sums


def table_troubles(report):
    """A table that was full for a moment between two samples is known by its refusals only."""
    return [trouble for trouble in report["troubles"] if trouble["kind"] in ("full", "refused")]


def equals_kernel(report, counted):
    (netns,) = report["namespaces"]
    facts = (report["lost"], netns)  # netns has the kernel's counters, too
    assert netns["created"] == counted["TcpExtTW"] + counted["TcpExtTWKilled"], facts
    assert netns["overflow"] == counted["TcpExtTCPTimeWaitOverflow"], facts
    assert netns["created"] + netns["overflow"] == 2 * AGENTS, facts
    assert netns["resets_sent"] == netns["resets_received"] == counted["TcpOutRsts"], facts
    assert set(netns["missed"].values()) == {0} and netns["reconciled"] is True, facts


def change(report, finding):
    """What the report says to change, by the name of a finding. None if it does not have the finding."""
    return next((found["change"] for found in report["findings"] if found["id"] == finding), None)


def check_restart(scene, refused):
    """haproxy was refused that many places. Returns how many resets a larger table would have avoided."""
    report, counted = scene.capture(scene.restart, lambda so_far: so_far["application_errors"]["lines"] == AGENTS and
                                    sum(by_service(so_far, "resets_felt").values()) == BUSY and
                                    (refused == 0 or table_troubles(so_far)))
    equals_kernel(report, counted)
    (netns,) = report["namespaces"]
    assert netns["overflow"] == refused, netns
    # Who filled it, who was refused, and who was hurt.
    assert by_service(report, "created") == {"haproxy.service": 2 * AGENTS - refused}, report["offenders"]
    assert by_service(report, "overflow") == ({"haproxy.service": refused} if refused else {}), report["offenders"]
    assert by_service(report, "resets_felt") == {"agents.service": BUSY}, report["offenders"]
    assert {row["pid"] for row in report["offenders"] if row["resets_felt"]} == {scene.agents.pid}, report["offenders"]
    assert f" of agents.service (client :{PROXY_PORT}) noticed {BUSY} resets" in report["headline"], report["headline"]
    # A busy agent sends data, so the table changes nothing for it. Each other peer of a refused connection sends a FIN.
    avoidable = netns["peer_resets_avoidable"]
    assert netns["peer_resets"] - avoidable + netns["resets_late"] == BUSY, netns
    assert netns["peer_resets"] == refused and refused - BUSY <= avoidable <= refused, netns
    assert [verdict["state"] for verdict in report["verdicts"]] == \
        [state(refused), "breached", state(avoidable)], report["verdicts"]
    assert report["verdicts"][1]["culprit"]["service"] == "agents.service", report["verdicts"]
    assert scene.lost() == BUSY, scene.lost()

    # The agents' own log: each of them lost its connection.
    errors = report["application_errors"]
    assert errors["lines"] == AGENTS, errors
    assert errors["beside_avoidable_reset"] + errors["beside_other_reset"] + errors["beside_no_reset"] == AGENTS, errors
    assert refused or errors["beside_avoidable_reset"] == 0, errors
    first = [errors["first"][beside]["text"] for beside in errors["first"] if errors["first"][beside]]
    assert first and all(text.endswith("Connection closed by server.") for text in first), errors

    assert [trouble["refused"]["name"] for trouble in table_troubles(report)] == (["haproxy.service"] if refused else [])
    for finding in ("refused", "table-too-small", "peer-resets", "fills-table"):
        assert (change(report, finding) is not None) == (refused != 0), finding
    assert "drain" in change(report, "refused" if refused else "resets-felt"), report["findings"]
    return avoidable


def check_drained(scene):
    report, counted = scene.capture(scene.drain_and_restart, lambda so_far: so_far["namespaces"] and
                                    so_far["namespaces"][0]["overflow"] == 2 * AGENTS - SMALL)
    equals_kernel(report, counted)
    # The table is as full as in the first run. But whoever meets a reset then has nothing left to lose.
    assert by_service(report, "created").keys() == {"agents.service", "haproxy.service"}, report["offenders"]
    assert by_service(report, "resets_felt").get("agents.service", 0) == 0, report["offenders"]
    assert report["verdicts"][1]["state"] == "kept", report["verdicts"]
    assert report["application_errors"]["lines"] == 0, report["application_errors"]
    assert scene.lost() == 0, scene.lost()


def state(count):
    return "breached" if count else "kept"


def main():
    twtrace = os.path.abspath(sys.argv[1])
    missing = [program for program in NEEDED if not shutil.which(program)]
    if missing:
        print(f"TWTRACE_SKIPPED: not installed: {', '.join(missing)} (scripts/setup test)")
        return
    runs = ((SMALL, lambda scene: check_restart(scene, 2 * AGENTS - SMALL)), (LARGE, lambda scene: check_restart(scene, 0)),
            (SMALL, check_drained))
    for limit, check in runs:
        with Scene(twtrace, limit) as scene:
            avoidable = check(scene)
            print(f"ok: limit {limit}, {scene.lost()} of {BUSY} items lost" +
                  (f", {avoidable} resets avoidable" if avoidable is not None else ", drained"))
            if sys.argv[2:] == ["--show"]:
                print(scene.report().stdout)


main()
