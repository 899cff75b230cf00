# SPDX-License-Identifier: Apache-2.0
"""The shipped rules and the dashboard: promtool accepts them, the rules do what they say, every metric exists, and every
count of workloads has its panel.

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


def of_workloads():
    """The names of metrics that have a series for each workload, in the manual page."""
    section = read(MANUAL).split("These have the labels *netns*, *workload*")[1].split("These have the label *netns*:")[0]
    return set(re.findall(r"\*(twtrace_\w+)\*", section))


def used(text):
    """The names of metrics in expressions. What recording rules make has colons."""
    return set(re.findall(r"(?<![\w:])twtrace_\w+(?![\w:])", text))


def cells(panel):
    """The places of the grid that a panel takes."""
    at = panel["gridPos"]
    return {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}


def check_panel(panel):
    """Its words are about what its expressions select."""
    expressions = " ".join(target["expr"] for target in panel["targets"])
    def selectors(name):
        return re.findall(name + r"\{([^}]*)\}", expressions)
    if "full" in panel.get("description", "") and panel["type"] == "stat":
        assert all("reason=" in each for each in selectors("twtrace_time_wait_refused_total")), panel["title"]
    if selectors("twtrace_netstat_time_wait_created_total"):
        of_both = selectors("twtrace(?:_netstat)?_time_wait_created_total")
        assert len(of_both) == 2 and all('netns!="other"' in each for each in of_both), panel["title"]
    if selectors("twtrace_missed_total"):
        assert "by (what)" in expressions and panel["targets"][0]["legendFormat"] == "{{what}}", panel["title"]


def dashboard_expressions():
    dashboard = json.loads(read(DASHBOARD))
    taken = set()
    names = [variable["name"] for variable in dashboard["templating"]["list"]]
    assert names[0] == "datasource", names
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids)), ids
    for panel in dashboard["panels"]:
        assert panel["datasource"]["uid"] == "${datasource}", panel["title"]
        assert not taken & cells(panel) and all(x < 24 for x, _ in cells(panel)), panel["title"]
        taken |= cells(panel)
        check_panel(panel)
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
    assert len(of_workloads()) > 5, of_workloads()
    assert of_workloads() <= used(" ".join(expressions)), of_workloads() - used(" ".join(expressions))
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
