# SPDX-License-Identifier: Apache-2.0
"""Replays recorded scenes of real services (tests/scenes) at several sizes of the terminal. In every view each number on
the screen must be the one that batch JSON has for the same sample.

usage: scenes.py TWTRACE [CAPTURE]...      (default: some of tests/scenes)
"""
import json
import os
import re
import subprocess
import sys
import time

from screen import Screen, wait_for

SCENES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenes")
SIZES = ((80, 24), (120, 40), (200, 50))
VIEWS = {"1": "process", "2": "service", "3": "port", "4": "peer", "5": "netns"}
COUNTS = {"CREATED": "created", "OVERFLOW": "overflow", "LIVE": "live", "NO_PORT": "no_port", "RESETS": "resets_received",
          "FELT": "resets_felt"}
TITLES = re.compile(r"IN USE/LIMIT|PORTS TAKEN|\S+")
LEFT = ("COMMAND", "SERVICE", "KIND", "ROLE", "PEER", "NAME", "NETNS")


def rate(per_s):
    """As the screen rounds it."""
    if per_s == 0:
        return "0"
    if per_s < 0.1:
        return "<0.1"
    return f"{per_s:.1f}" if per_s < 99.95 else str(int(per_s + 0.5))


def known(value):
    return "-" if value is None or value == "" else str(value)


def share(use):
    return f"{use[0] * 100 // use[1]}%"


def expected(title, row, group, sample):
    """What a cell must show; None if JSON does not say."""
    table = next((netns for netns in sample["namespaces"] if netns["netns_id"] == row["netns_id"]), None)
    process = row["process"] or {}
    if title in COUNTS:
        return known(row[COUNTS[title]])
    if title in ("CREATED/s", "OVERFLOW/s"):
        return rate(row["created_per_s" if title == "CREATED/s" else "overflow_per_s"])
    if title == "PID":
        pids = process.get("pids")
        return known(process.get("pid") or (f"{pids} pids" if pids else None))
    if title == "COMMAND":
        if row["kind"] == "before_start":
            return "(before start)" if group == "process" else "-"
        return process.get("comm") or "-" if row["kind"] == "normal" else None
    if title in ("SERVICE", "KIND"):
        service = row["service"] or {}
        return known(service.get("name" if title == "SERVICE" else "kind")) if row["kind"] == "normal" else None
    if title == "ROLE":
        before = row["kind"] == "before_start" and group == "port"
        return known(row["role"]) + (" (before start)" if before else "")
    if title == "PORT":
        peer = row.get("peer") or {}
        ports = (row["port"], peer.get("port"), "*" if row["role"] else None)
        return known(next((port for port in ports if port is not None), None))
    if title == "PEER":
        return row["peer"]["address"] if row["peer"] else "(before start)" if row["kind"] == "before_start" else None
    if title == "NETNS":
        return known(row["netns"] if group == "netns" else row["netns_name"] or row["netns"])
    if title == "IN USE/LIMIT":
        return f"{share((table['in_use'], table['limit']))} {table['in_use']}/{table['limit']}"
    if title == "TABLE" and table and row["live"] is not None:
        return share((row["live"], table["limit"]))
    return None


def cells(titles, line):
    """The text below each title. Numbers end where their title ends, words begin where it begins."""
    places = [(found.group(), found.start(), found.end()) for found in TITLES.finditer(titles)]
    for index, (title, start, end) in enumerate(places):
        if title in LEFT and not (title == "NETNS" and titles.index("NETNS") < 12):
            to = places[index + 1][1] if index + 1 < len(places) else len(line)
            # The next column may have wider cells than its title.
            yield title, re.split(r" {2,}| (?=[\d*-]+ )| (?=\d+%?$)", line[start:to].strip())[0]
        else:
            begin = places[index - 1][2] if index else 2
            words = line[begin:end].split()
            many = 2 if title == "IN USE/LIMIT" or words[-1:] == ["pids"] else 1
            yield title, " ".join(words[-many:])


def same(cell, wanted):
    """Names may be cut."""
    return cell == wanted or (cell.endswith(("~", "\u2026")) and wanted.startswith(cell[:-1]))


def has_something(row):
    return any(row[name] for name in ("created", "overflow", "no_memory", "live", "no_port", "resets_felt"))


def check_view(screen, group, sample):
    """Compares the rows on the screen with those of the sample, which are in the same order. Returns how many cells."""
    lines = screen.lines()
    top = next(i for i, line in enumerate(lines) if re.search(r"\[\d ?\w+\]", line)) + 1
    titles = lines[top]
    rows = [row for row in sample["rows"] if group == "netns" or has_something(row)]
    shown = [line for line in lines[top + 1:] if line.strip() and not line.startswith("REPLAY")]
    compared = 0
    assert shown or not rows, f"no row of {len(rows)}"
    for line, row in zip(shown, rows):
        for title, cell in cells(titles, line):
            wanted = expected(title, row, group, sample)
            if wanted is None:
                continue
            assert same(cell, wanted), f"{title} is {cell!r}, expected {wanted!r}, in\n{titles}\n{line}\n{row}"
            compared += 1
    return compared


def check_header(screen, sample):
    text = screen.text()
    table = sample["namespaces"][0]
    wanted = f"TIME_WAIT {table['in_use']:,}/{table['limit']:,}  {share((table['in_use'], table['limit']))}"
    assert text.startswith(wanted), (wanted, text)
    assert f"created {rate(table['created_per_s'])}/s" in text, text
    total = re.search(r"created total ([\d,]+)", text)  # where there is room
    assert total is None or total.group(1) == f"{table['created']:,}", text
    for trouble in sample["troubles"][:1]:
        for party in ("holder", "refused", "unconnected"):
            if trouble[party] and trouble[party]["name"]:
                assert trouble[party]["name"] in text, (party, text)


def replay(twtrace, capture, group):
    out = subprocess.run([twtrace, "replay", "-b", "--json", "-g", group, capture], check=True, stdout=subprocess.PIPE)
    return [json.loads(line) for line in out.stdout.splitlines()]


def check_scene(twtrace, capture):
    samples = {group: replay(twtrace, capture, group) for group in VIEWS.values()}
    count = len(samples["process"])
    compared = 0
    with Screen(f"{twtrace} replay {capture}", *SIZES[0]) as screen:
        screen.wait(rf"^REPLAY .* 1/{count}\b")
        for index in sorted({1, count // 2, count - 1}):
            at = int(screen.wait(r"^REPLAY \S+ (\d+)/").group(1)) - 1
            for _ in range(index - at):
                screen.keys("T")
            screen.wait(rf"^REPLAY \S+ {index + 1}/{count}\b")
            for columns, rows in SIZES:
                screen.resize(columns, rows)
                wait_for("the new size", lambda: max(map(len, screen.lines())) <= columns and
                         len(screen.lines()) in (rows, rows + 1))
                for key, group in VIEWS.items():
                    screen.keys(key)
                    screen.wait(rf"\[{key} ?\w+\]")
                    compared += settled(lambda: check_view(screen, group, samples[group][index]))
                settled(lambda: check_header(screen, samples["process"][index]))
        screen.keys("q")
        assert screen.exit_code() == 0
    print(f"ok: {os.path.basename(capture)}: {compared} cells equal JSON")


def check_cut_off_mouse(twtrace, capture):
    """A report of the mouse that is cut off does not stop the view, and swallows no key that is typed later."""
    for begun in ("\x1b[M", "\x1b[M %", "\x1b[<", "\x1b[<0;12"):
        with Screen(f"{twtrace} replay {capture}", *SIZES[0]) as screen:
            screen.wait(r"^REPLAY .* 1/")
            screen.keys("Space")
            screen.type(begun)
            for _ in range(4):  # after three seconds at least, one for each sample
                before = screen.wait(r" up \S+").group()
                wait_for("the view to go on", lambda: before not in screen.text())
            screen.keys("2")
            screen.wait(r"\[2 ?Services\]")
            screen.type("\x1b[<0;3;" + str(1 + screen.find("Services")[0][0]) + "M")
            screen.wait(r"\[1 ?Processes\]")
            screen.keys("q")
            assert screen.exit_code() == 0
            screen.check_restored()
    print("ok: a report of the mouse that is cut off")


def settled(check, seconds=20):
    """The screen may be drawn half-way for as long as the machine takes, with the titles of the view before."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return check()
        except (AssertionError, LookupError, StopIteration):
            if time.monotonic() > deadline:
                raise
        time.sleep(0.02)


def main():
    twtrace, *captures = sys.argv[1:]
    for capture in captures or [os.path.join(SCENES, f"{name}.db") for name in ("held", "late", "ports")]:
        check_scene(twtrace, capture)
    check_cut_off_mouse(twtrace, os.path.join(SCENES, "draining.db"))


main()
