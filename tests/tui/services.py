# SPDX-License-Identifier: Apache-2.0
"""Real services without keep-alive in a namespace of their own: php-fpm behind nginx and in front of redis, PostgreSQL,
node, haproxy. Every number in every view equals batch JSON of the same moment, and both equal the kernel's count. While
nginx is loaded, every key and every click that help names is tried in every view, and nothing is miscounted. Then
php-fpm runs out of ports, and the first line says so. A service that is not installed is left out.

usage: services.py TWTRACE COLUMNSxROWS
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "deploy"))
from host import Host, run
from screen import Screen, keys_of_help, wait_for

REQUESTS = 211
NGINX_CONF = """
daemon off;
pid nginx.pid;
error_log /dev/null;
worker_processes 1;
user root;
events {}
http {
  access_log off;
  server {
    listen 127.0.0.1:8080;
    location / {
      fastcgi_pass 127.0.0.1:9000;
      fastcgi_param SCRIPT_FILENAME %s;
      fastcgi_param REQUEST_METHOD GET;
    }
  }
}
"""
PHP_FPM_CONF = """
[global]
daemonize = no
error_log = /dev/null
[www]
user = root
group = root
listen = 127.0.0.1:9000
pm = static
pm.max_children = 2
"""
# One connection to redis per request, as without pconnect(). php closes first.
PHP = """<?php
$redis = @fsockopen("127.0.0.1", 6379);
if (!$redis) { http_response_code(503); exit; }
fwrite($redis, "PING\\r\\n");
fgets($redis);
fclose($redis);
echo "ok";
"""
HAPROXY_CONF = """
defaults
  mode http
  option http-server-close
  timeout connect 1h
  timeout client 1h
  timeout server 1h
listen proxy
  bind 127.0.0.1:8081
  server web 127.0.0.1:8080
"""
NODE_SERVER = 'require("http").createServer((q, a) => a.end("ok")).listen(3000, "127.0.0.1")'
NODE_CLIENT = """
const http = require("http");
let left = %d;
function next() {
  if (left-- === 0) return;
  http.get({ host: "127.0.0.1", port: 3000, agent: false, headers: { connection: "close" } },
           (answer) => { answer.resume(); answer.on("close", next); });
}
next();
""" % REQUESTS


def program(name, *patterns):
    """The path of a program, also of one that is in no PATH."""
    found = shutil.which(name)
    for pattern in patterns:
        found = found or next(iter(sorted(glob.glob(pattern))), None)
    return found


REDIS = program("redis-server")
NGINX = program("nginx")
PHP_FPM = program("php-fpm", "/usr/sbin/php-fpm*")
HAPROXY = program("haproxy")
NODE = program("node")
INITDB = program("initdb", "/usr/lib/postgresql/*/bin/initdb")
POSTGRES = program("postgres", "/usr/lib/postgresql/*/bin/postgres")
PGBENCH = program("pgbench", "/usr/lib/postgresql/*/bin/pgbench")


class Services(Host):
    def __init__(self):
        units = ("redis", "nginx", "php-fpm", "haproxy", "node-api", "node-client", "postgresql", "pgbench", "customers")
        super().__init__("twsvc", [f"{unit}.service" for unit in units], 50000)

    def start(self, service, *command, **options):
        line = " ".join(f"'{word}'" for word in command)
        return subprocess.Popen(["sh", "-c", f'echo $$ > {self.cgroup}/{service}.service/cgroup.procs; '
                                             f'exec ip netns exec {self.name} {line}'],
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)

    def listens(self, port):
        return run(*self.inside("ss", "-Hltn", f"sport = :{port}")) != ""

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def set_up(self):
        super().set_up()
        # Else a connect may take over the bucket of an earlier one.
        run(*self.inside("sysctl", "-qw", "net.ipv4.tcp_tw_reuse=0"))
        os.chmod(self.directory, 0o755)
        self.start("redis", REDIS, "--port", "6379", "--save", "", "--dir", self.directory)
        self.start("php-fpm", PHP_FPM, "-R", "-y", self.write("fpm.conf", PHP_FPM_CONF))
        self.start("nginx", NGINX, "-p", self.directory, "-e", "/dev/null", "-c",
                   self.write("nginx.conf", NGINX_CONF % self.write("index.php", PHP)))
        if HAPROXY:
            self.start("haproxy", HAPROXY, "-db", "-f", self.write("haproxy.cfg", HAPROXY_CONF))
        if NODE:
            self.start("node-api", NODE, self.write("server.js", NODE_SERVER))
            self.write("client.js", NODE_CLIENT)
        if POSTGRES:
            os.mkdir(self.path("pg"))
            shutil.chown(self.path("pg"), "postgres")
            as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
            run(*as_postgres, INITDB, "-D", self.path("pg"), "-A", "trust", "--no-sync")
            self.start("postgresql", *as_postgres, POSTGRES, "-D", self.path("pg"), "-h", "127.0.0.1", "-k", "",
                       "-c", "fsync=off")
        for port, is_there in ((6379, True), (9000, True), (8080, True), (8081, HAPROXY), (3000, NODE), (5432, POSTGRES)):
            if is_there:
                wait_for(f"port {port}", lambda at=port: self.listens(at))

    def load_until(self, ended):
        """Loads nginx again and again until `ended` is set."""
        while not ended.is_set():
            client = self.start("customers", "ab", "-q", "-n", "50", "-c", "2", "http://127.0.0.1:8080/")
            assert client.wait() == 0, client.args

    def load(self):
        """Each service gets REQUESTS connections. Returns when all of them are closed."""
        clients = [self.start("customers", "ab", "-q", "-n", str(REQUESTS), "-c", "2", "http://127.0.0.1:8080/")]
        if HAPROXY:
            clients.append(self.start("customers", "ab", "-q", "-n", str(REQUESTS), "-c", "2", "http://127.0.0.1:8081/"))
        if NODE:
            clients.append(self.start("node-client", NODE, self.path("client.js")))
        if POSTGRES and PGBENCH:
            clients.append(self.start("pgbench", PGBENCH, "-n", "-C", "-h", "127.0.0.1", "-U", "postgres", "-t",
                                      str(REQUESTS), "-f", self.write("one.sql", "SELECT 1;\n"), "postgres"))
        for client in clients:
            assert client.wait() == 0, client.args


class Batch:
    """A twtrace -b --json beside the live view."""

    def __init__(self, twtrace, namespace, group):
        self.process = subprocess.Popen([twtrace, "-b", "--json", "-d", "0.5", "-g", group, "--netns", namespace],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr.readline() == "ready\n"

    def stop(self):
        self.process.terminate()
        out, _ = self.process.communicate()
        assert self.process.returncode == 0
        return json.loads(out.splitlines()[-1])


def table(screen):
    """The rows of the table on the screen: for each the cells by title, from all pages."""
    titles_at = None
    rows = []
    lines = screen.lines()
    for at, line in enumerate(lines):
        if re.match(r"^ +(PID COMMAND|SERVICE|ROLE|PEER|NETNS) ", line):
            titles_at = at
    if titles_at is None:
        return []
    titles = [(found.group(), found.start(), found.end())
              for found in re.finditer(r"(?<= )(IN USE/LIMIT|PORTS TAKEN|\S+)", lines[titles_at])]
    for line in lines[titles_at + 1:]:
        if not line.strip() or line.startswith("F1"):
            break
        rows.append({title: line[titles[i - 1][2] if i and is_number(title) else start:
                                 end if is_number(title) else
                                 titles[i + 1][1] - 1 if i + 1 < len(titles) else len(line)].strip()
                     for i, (title, start, end) in enumerate(titles)})
    return rows


def is_number(title):
    return title in ("PID", "PORT", "CREATED/s", "CREATED", "OVERFLOW/s", "OVERFLOW", "LIVE", "FELT", "NO_PORT",
                     "Q_DROPS", "PORTS TAKEN", "IN USE/LIMIT", "TABLE")


NUMBERS = {"CREATED": "created", "OVERFLOW": "overflow", "LIVE": "live", "FELT": "resets_felt", "NO_PORT": "no_port",
           "Q_DROPS": "queue_drops"}


def same_rows(screen, snapshot):
    """None if the table shows the numbers of the snapshot, in any order; else what differs."""
    def is_silent(row):
        return not any(row[name] for name in ("created", "overflow", "no_memory", "live", "resets_felt", "no_port",
                                              "queue_drops"))
    shown = table(screen)
    columns = [title for title in NUMBERS if shown and title in shown[0]]
    if "OVERFLOW" not in columns:  # a narrow screen has no room for all columns, but for this one; or it draws another view
        return f"columns {columns}, screen {screen.text()}"
    on_screen = sorted(tuple(row[title] for title in columns) for row in shown)
    in_batch = sorted(tuple("-" if row[NUMBERS[title]] is None else str(row[NUMBERS[title]]) for title in columns)
                      for row in snapshot["rows"] if snapshot["group"] == "netns" or not is_silent(row))
    return None if on_screen == in_batch else (columns, on_screen, in_batch)


def check_views(screen, batches):
    """Counts no longer change, but live buckets of one view may be counted a moment later than those of the other."""
    for key, group in (("1", "process"), ("2", "service"), ("3", "port"), ("4", "peer"), ("5", "netns")):
        screen.keys(key)
        screen.wait(rf"\[{key} ?\w+\]")
        differs = []

        def is_same(group=group, differs=differs):
            differs[:] = [same_rows(screen, batches[group])]
            return differs[0] is None
        try:
            wait_for(f"view {key}", is_same, 20)
        except AssertionError as error:
            raise AssertionError(f"{error}: {differs}\n{screen.text()}") from None
        print(f"ok: view {key} equals batch JSON by {group}")


def titles_of(screen):
    """The places of the column titles: line, and column of each."""
    lines = screen.lines()
    row = next(at for at, line in enumerate(lines) if re.search(r"\[\d ?[A-Z]\w+\]", line)) + 1
    return row, [found.start() for found in re.finditer(r"\S+", lines[row])]


def click(screen, row, column, button=0):
    place = f"{column + 1};{row + 1}"
    screen.type(f"\x1b[<{button};{place}M" + (f"\x1b[<{button};{place}m" if button == 0 else ""))


def settled_counters(host):
    """The kernel's counters, once the last connection is closed."""
    settled = []

    def is_settled():
        settled.append(host.counters())
        return len(settled) > 20 and settled[-1] == settled[-20]
    wait_for("the last connection to close", is_settled)
    return settled[-1]


def check_nothing_is_stale(screen):
    """While it is paused, a screen that is painted anew is the same, but for the time in its last line."""
    screen.keys("Space")
    screen.wait(r"^PAUSED")
    seen = [None]

    def is_painted():
        seen.append(screen.lines()[:-2])
        return len(seen) > 10 and seen[-1] == seen[-10]
    wait_for("the whole frame", is_painted)
    before = seen[-1]
    screen.keys("F5")
    wait_for("the same screen", lambda: screen.lines()[:-2] == before, 10)
    screen.keys("Space")
    screen.wait_without(r"^PAUSED")


def press_all(screen, columns, rows):
    """Presses every key and clicks on everything, in every view. What is switched on is switched off again."""
    screen.resize(columns, 50)
    screen.keys("?")
    listed = [key for key in keys_of_help(screen) if key not in ("wheel", "click", "q", "F10", "C-c")]
    screen.keys("Escape")
    screen.resize(columns, rows)
    screen.wait(r"nginx\.s")
    for view in "123456":
        for key in listed:
            screen.keys(view)
            screen.wait(rf"\[{view} ?\w+\]")
            screen.keys(key)
            if key in ("/", "F3", "F4", "f", "u", "d"):
                screen.wait(r"^(Filter|Seconds between samples): ")
                screen.keys("Escape")
                screen.wait_without(r"^(Filter|Seconds between samples): ")
            elif key in ("F1", "h", "?"):
                screen.wait(r"^ Up Down k j +move$")
                screen.keys("Escape")
                screen.wait_without(r"^ Up Down k j +move$")
            elif key in ("F6", "s", "C", "F2", "Enter") and view != "6":
                # Between two loads, all rows may be idle and hidden.
                wait_for(f"what {key} opens", lambda pressed=key: re.search(
                    r"^(Enter sort|Space Enter|Esc back)", screen.text(), re.M) or
                    pressed == "Enter" and screen.keys(pressed))
                screen.keys("Escape")
                screen.wait(r"^F1 help|F1 help  / filter")
        screen.keys(view, "Left")  # back to where Right was pressed
        screen.wait(rf"\[{view} ?\w+\]")
        row, titles = titles_of(screen)
        for title in titles:
            click(screen, row, title)
        for wheel in (64, 65):
            click(screen, row + 1, 4, wheel)
        if view != "6":
            wait_for("the row to open", lambda: re.search(r"^Esc back", screen.text(), re.M) or
                     click(screen, titles_of(screen)[0] + 1, 4))
            screen.keys("Escape")
            screen.wait_without(r"^Esc back")
        for name in ("Services", "Ports", "Peers", "Namespaces", "Events", "Processes"):
            (at, column), *_ = screen.find(name)
            click(screen, at, column)
            screen.wait(rf"\[\d ?{name}\]")
        screen.keys(view)
        screen.wait(rf"\[{view} ?\w+\]")
        check_nothing_is_stale(screen)
        print(f"ok: every key and click in view {view}", flush=True)
    screen.keys("1")


def check_numbers(twtrace, host, columns, rows):
    with Screen(f"{twtrace} -d 0.5 --netns {host.name}", columns, rows) as screen:
        screen.wait(r"\[1 ?Processes\]")
        batches = {group: Batch(twtrace, host.name, group) for group in ("process", "service", "port", "peer", "netns")}
        before = host.counters()
        host.load()
        created = settled_counters(host)[0] - before[0]
        screen.wait(rf"created total {created:,}\b")
        snapshots = {group: batch.stop() for group, batch in batches.items()}
        for group, snapshot in snapshots.items():
            snapshot["group"] = group
            (netns,) = [row for row in snapshot["namespaces"] if row["name"] == host.name]
            assert netns["created"] == netns["kernel"]["created"] == created, (group, netns, created)
            assert netns["reconciled"] is True and netns["missed"]["created"] == 0, netns
        print(f"ok: {created} buckets, as the kernel counted")
        services = {row["service"]["name"]: row for row in snapshots["service"]["rows"] if row["service"]}
        for name, is_there in (("php-fpm.service", True), ("haproxy.service", HAPROXY), ("pgbench.service", POSTGRES)):
            assert not is_there or name in services, (name, services.keys())
        screen.keys("L")
        check_views(screen, snapshots)
        assert re.search(r"^no table is full|^TIME_WAIT [0-9,]+/50,000", screen.text(), re.M), screen.text()
        screen.keys("q")
        assert screen.exit_code() == 0
        screen.check_restored()


def check_keys(twtrace, host, columns, rows):
    """Under load, no key and no click ends twtrace, leaves a stale line behind, or spoils a count."""
    before = settled_counters(host)
    with Screen(f"{twtrace} -d 0.5 --netns {host.name}", columns, rows) as screen:
        screen.wait(r"\[1 ?Processes\]")
        ended = threading.Event()
        loader = threading.Thread(target=host.load_until, args=(ended,))
        loader.start()
        try:
            press_all(screen, columns, rows)
        finally:
            ended.set()
            loader.join()
        created = settled_counters(host)[0] - before[0]
        screen.wait(rf"created total {created:,}\b")
        screen.keys("q")
        assert screen.exit_code() == 0
        screen.check_restored()
    print(f"ok: {created} buckets while keys were pressed, as the kernel counted")


def check_ports(twtrace, host, columns, rows):
    """php-fpm closes first towards redis. In a narrow range it soon finds no port: the first trouble says so."""
    ports = 100
    run(*host.inside("sysctl", "-qw", f"net.ipv4.ip_local_port_range=40000 {40000 + ports - 1}"))
    with Screen(f"{twtrace} -d 0.5 --netns {host.name}", columns, rows) as screen:
        screen.wait(r"\[1 ?Processes\]")
        batch = Batch(twtrace, host.name, "process")
        host.start("customers", "sh", "-c", "while :; do ab -q -n 50 http://127.0.0.1:8080/; done")
        screen.wait(rf"^! PORTS netns \S+: php-fpm\.ser\S+ -> 127\.0\.0\.1:6379 {ports} of {ports} ports taken")
        screen.wait(r"cannot connect: php-fpm\.service")
        screen.wait(r"NO_PORT")
        snapshot = batch.stop()
        trouble = snapshot["troubles"][0]
        assert trouble["kind"] == "ports" and trouble["unconnected"]["name"] == "php-fpm.service", trouble
        assert trouble["destination"] == {"address": "127.0.0.1", "port": 6379}, trouble
        hurt = [row["service"]["name"] for row in snapshot["rows"] if row["no_port"]]
        assert hurt == ["php-fpm.service"], hurt
        screen.keys("q")
        assert screen.exit_code() == 0
    print("ok: php-fpm without a port")


def main():
    twtrace, size = os.path.abspath(sys.argv[1]), sys.argv[2]
    columns, rows = (int(part) for part in size.split("x"))
    if not (REDIS and NGINX and PHP_FPM and shutil.which("ab")):
        print("TWTRACE_SKIPPED: needs redis-server, nginx, php-fpm and ab")
        return
    with Services() as host:
        os.chdir(host.directory)  # a key writes a file
        check_numbers(twtrace, host, columns, rows)
        check_keys(twtrace, host, columns, rows)
        check_ports(twtrace, host, columns, rows)


main()
