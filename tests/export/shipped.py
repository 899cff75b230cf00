# SPDX-License-Identifier: Apache-2.0
"""The shipped rules and the dashboard: promtool accepts them, the rules do what they say, and every metric exists.

usage: shipped.py
"""
import json
import os
import re
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
RULES = os.path.join(ROOT, "packaging", "prometheus", "twtrace.rules.yml")
DASHBOARD = os.path.join(ROOT, "packaging", "grafana", "twtrace.json")
TESTS = os.path.join(HERE, "rules_test.yml")
MANUAL = os.path.join(ROOT, "docs", "man", "twtrace-export.8.scd")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def promtool(*arguments):
    done = subprocess.run(["promtool", *arguments], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)
    assert done.returncode == 0, done.stdout


def documented():
    """The names of metrics in the manual page."""
    return set(re.findall(r"\*(twtrace_\w+)\*", read(MANUAL)))


def used(text):
    """The names of metrics in expressions. What recording rules make has colons."""
    return set(re.findall(r"(?<![\w:])twtrace_\w+(?![\w:])", text))


def dashboard_expressions():
    dashboard = json.loads(read(DASHBOARD))
    names = [variable["name"] for variable in dashboard["templating"]["list"]]
    assert names[0] == "datasource", names
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids)), ids
    for panel in dashboard["panels"]:
        assert panel["datasource"]["uid"] == "${datasource}", panel["title"]
        for target in panel["targets"]:
            yield re.sub(r"\$__(range|rate_interval)", "5m", target["expr"])


def main():
    promtool("check", "rules", RULES)
    promtool("test", "rules", TESTS)
    rules, tests, known = read(RULES), read(TESTS), documented()
    assert len(known) > 10, known
    for alert in re.findall(r"alert: (\w+)", rules):
        assert f"alertname: {alert}" in tests, f"{alert} has no test"
    recorded = set(re.findall(r"record: ([\w:]+)", rules))
    for name in recorded:
        assert name in tests, f"{name} has no test"
    expressions = list(dashboard_expressions())
    assert len(expressions) > 10
    for text in [rules, *expressions]:
        assert used(text) <= known, used(text) - known
        made = set(re.findall(r"\w+:twtrace_\w+:\w+", text))
        assert made <= recorded, made - recorded
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        group = {"name": "dashboard",
                 "rules": [{"record": f"dashboard:{i}", "expr": text} for i, text in enumerate(expressions)]}
        json.dump({"groups": [group]}, file)  # JSON is YAML
        file.flush()
        promtool("check", "rules", file.name)
    print(f"ok: {len(re.findall('alert:', rules))} alerts, {len(recorded)} recording rules, "
          f"{len(expressions)} expressions of the dashboard")


main()
