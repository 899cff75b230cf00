# SPDX-License-Identifier: Apache-2.0
"""The exporter pushes what it serves: a receiver checks every document, and one that never answers delays no sample.

usage: otlp.py TWTRACE
"""
import contextlib
import errno
import http.server
import json
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.request

NUMBER = re.compile(r"[0-9]+")
POINT = {"attributes", "startTimeUnixNano", "timeUnixNano", "asInt", "asDouble"}


def attributes(holder):
    pairs = [(one["key"], one["value"]["stringValue"]) for one in holder["attributes"]]
    assert len(dict(pairs)) == len(pairs), pairs
    return dict(pairs)


def check_point(point, is_counter):
    assert set(point) <= POINT, point
    assert ("startTimeUnixNano" in point) == is_counter, point
    # 64-bit integers are texts in OTLP/JSON.
    assert NUMBER.fullmatch(point["timeUnixNano"]), point
    if is_counter:
        assert int(point["startTimeUnixNano"]) <= int(point["timeUnixNano"]), point
    if "asInt" in point:
        assert NUMBER.fullmatch(point["asInt"]), point
        return int(point["asInt"])
    assert isinstance(point["asDouble"], (int, float)), point
    return point["asDouble"]


def series_of(document):
    """The names and labels that Prometheus would have for a document, and the values."""
    (resource,) = document["resourceMetrics"]
    (scope,) = resource["scopeMetrics"]
    assert scope["scope"]["name"] == "twtrace" and scope["scope"]["version"]
    series = {}
    for metric in scope["metrics"]:
        assert set(metric) <= {"name", "description", "unit", "sum", "gauge"}, set(metric)
        is_sum = "sum" in metric
        if is_sum:
            assert metric["sum"]["aggregationTemporality"] == 2, metric
        is_counter = is_sum and metric["sum"]["isMonotonic"]
        name = metric["name"].replace(".", "_")
        name += {"s": "_seconds", "1": "_ratio"}.get(metric["unit"], "") + ("_total" if is_counter else "")
        for point in (metric["sum"] if is_sum else metric["gauge"])["dataPoints"]:
            key = (name, tuple(sorted(attributes(point).items())))
            assert key not in series, key
            series[key] = check_point(point, is_counter)
    return attributes(resource["resource"]), series


def served_of(text):
    """The names of the series of the text format, with their labels, apart from names that are escaped there."""
    return {(line.split("{")[0], tuple(sorted(re.findall(r'(\w+)="([^"]*)"', line))))
            for line in text.splitlines() if line.startswith("twtrace_") and "{" in line and "\\" not in line}


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.put((self.path, dict(self.headers), body))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


def comm_of(pid):
    with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
        return file.read().strip()


class Exporter:
    """A running exporter that pushes to a port, as its environment says."""

    def __init__(self, twtrace, port, arguments=("--web.listen-address", "127.0.0.1:0"), **variables):
        environment = {
            **os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://localhost:{port}/otlp",
            "OTEL_EXPORTER_OTLP_HEADERS": "x-token=a%20b", "OTEL_METRIC_EXPORT_INTERVAL": "100",
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=test", "OTEL_SERVICE_NAME": "hosts", **variables,
        }
        self.process = subprocess.Popen(
            [twtrace, "export", "-d", "0.1", "--metrics.min-age", "0", *arguments],
            env=environment, stderr=subprocess.PIPE, text=True)
        self.first = ""
        for line in self.process.stderr:
            self.first += line
            if line.startswith("listening on "):
                self.url = line.split()[2]
            if line == "ready\n":
                break
        assert line == "ready\n", line

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def scrape(self):
        with urllib.request.urlopen(self.url, timeout=20) as reply:
            return reply.read().decode()

    def stop(self):
        self.process.terminate()
        return self.said(0)

    def said(self, exit_code):
        """What it says until it ends."""
        said = self.process.stderr.read()  # also what was read ahead above
        self.process.wait(timeout=60)
        assert self.process.returncode == exit_code, (self.process.returncode, said)
        return said

    def pusher(self):
        """The child that pushes. The other one looks up names."""
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as file:
            (child,) = [int(pid) for pid in file.read().split() if comm_of(pid) != "twtrace-names"]
        return child


def check_documents(server, exporter):
    """Takes documents until everything that is served has been pushed, and returns the series."""
    served = served_of(exporter.scrape())
    known = set()
    before = {}
    while not served <= known:
        path, headers, body = server.requests.get(timeout=60)
        assert (path, headers["Content-Type"], headers["x-token"]) == ("/otlp/v1/metrics", "application/json", "a b")
        resource, series = series_of(json.loads(body))
        assert resource["service.name"] == "hosts" and resource["deployment.environment"] == "test", resource
        assert resource["host.name"] == resource["service.instance.id"] == socket.gethostname(), resource
        known = set(series)
        assert all(value >= before.get(key, 0) for key, value in series.items() if key[0].endswith("_total"))
        before = series
    assert any(name == "process_cpu_time_seconds_total" for name, _ in known), known
    said = exporter.stop()
    assert said == "", said
    return known


@contextlib.contextmanager
def receiver():
    """A receiver that takes everything, with a queue of its requests."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        server.requests = queue.Queue()
        server.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def check_pushes(twtrace):
    with receiver() as server, Exporter(twtrace, server.port) as exporter:
        return len(check_documents(server, exporter))


def listen_low():
    """Listens on a port below those that the kernel chooses, which is a label from the beginning."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        end = int(file.read().split()[0])
    for port in range(end - 1, 1024, -1):
        try:
            return socket.create_server(("127.0.0.1", port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    raise AssertionError("no port is free")


def close_connections(count):
    """Closes connections on a port of their own, which leave one bucket each. Returns the port."""
    with listen_low() as listener:
        for _ in range(count):
            with socket.create_connection(listener.getsockname()):
                accepted, _ = listener.accept()
            accepted.close()  # behind the client, which has closed first
        return listener.getsockname()[1]


def check_last_push(twtrace, *arguments):
    """What happened since the last push, an interval of an hour ago, is pushed at the end."""
    with receiver() as server, Exporter(twtrace, server.port, *arguments,
                                        OTEL_METRIC_EXPORT_INTERVAL="3600000") as exporter:
        server.requests.get(timeout=60)
        port = close_connections(20)
        said = exporter.stop()
        assert said == "", said
        _, _, body = server.requests.get(timeout=60)
        assert server.requests.empty()
    _, series = series_of(json.loads(body))
    created = sum(value for (name, labels), value in series.items()
                  if name == "twtrace_time_wait_created_total" and ("port", str(port)) in labels)
    assert created == 20, (created, port)


def check_dead_pusher(twtrace):
    with receiver() as server, Exporter(twtrace, server.port) as exporter:
        server.requests.get(timeout=60)
        os.kill(exporter.pusher(), signal.SIGKILL)
        said = exporter.said(1)
    assert "the process that pushes metrics was killed by signal 9" in said and "keep up" not in said, said


def check_dead_receiver(twtrace):
    with socket.create_server(("127.0.0.1", 0)) as dead:  # the kernel accepts, and nobody answers
        with Exporter(twtrace, dead.getsockname()[1]) as exporter:
            connection, _ = dead.accept()
            # Samples go on: the CPU time is that of the last sample.
            seen = set()
            while len(seen) < 5:
                seen.add(re.search(r"^process_cpu_seconds_total (.*)$", exporter.scrape(), re.M)[1])
            said = exporter.stop()
            assert "the last metrics were not pushed: the receiver took too long" in said, said
            connection.close()


def run(twtrace, **variables):
    return subprocess.run([twtrace, "export"], env={**os.environ, **variables}, capture_output=True, text=True,
                          timeout=60, check=False)


def check_instance(twtrace):
    with receiver() as server, Exporter(twtrace, server.port,
                                        OTEL_RESOURCE_ATTRIBUTES="service.instance.id=web1%3A9476") as exporter:
        _, _, body = server.requests.get(timeout=60)
        exporter.stop()
    resource, _ = series_of(json.loads(body))
    assert resource["service.instance.id"] == "web1:9476" and resource["host.name"] == socket.gethostname(), resource


def check_mistake(twtrace):
    done = run(twtrace, OTEL_EXPORTER_OTLP_ENDPOINT="http://user:s3cret@x y")
    assert done.returncode == 2 and "OTEL_EXPORTER_OTLP_ENDPOINT is not the URL" in done.stderr, done
    assert "s3cret" not in done.stderr, done


def check_password(twtrace):
    """Nobody listens on the port, and what is said about it has no password."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    url = f"http://user:s3cret@127.0.0.1:{port}/otlp?key=s3cret"
    with Exporter(twtrace, port, OTEL_EXPORTER_OTLP_ENDPOINT=url) as exporter:
        said = exporter.first + exporter.stop()
    assert f"cannot push metrics to http://127.0.0.1:{port}/otlp/v1/metrics: " in said and "s3cret" not in said, said


def check_switch(twtrace):
    with receiver() as server, Exporter(twtrace, server.port, OTEL_SDK_DISABLED="true") as exporter:
        said = exporter.first + exporter.stop()
        assert server.requests.empty() and "metrics are not pushed: OTEL_SDK_DISABLED=true" in said, said


def main():
    twtrace = os.path.abspath(sys.argv[1])
    check_mistake(twtrace)
    check_password(twtrace)
    check_switch(twtrace)
    check_instance(twtrace)
    series = check_pushes(twtrace)
    check_dead_receiver(twtrace)
    check_last_push(twtrace)
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        check_last_push(twtrace, ("--textfile", os.path.join(directory, "twtrace.prom")))
    check_dead_pusher(twtrace)
    print(f"ok: {series} series pushed as served; a dead receiver delays nothing")


main()
