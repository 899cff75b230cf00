# SPDX-License-Identifier: Apache-2.0
"""Presses every key that help lists on `twtrace demo` and looks at what the screen says; then looks at the capture file
that one of them wrote.

usage: demo_keys.py TWTRACE COLUMNSxROWS
"""
import json
import re
import sqlite3
import subprocess
import sys
import tempfile

from screen import Screen, keys_of_help, wait_for


class KeyedScreen(Screen):
    """Remembers the keys that tests have pressed."""
    pressed = set()

    def keys(self, *names):
        self.pressed.update(names)
        super().keys(*names)


def number(text):
    return int(text.replace(",", ""))


def check_header(screen):
    """Checks the header: how full, how fast, when full, who holds it, and the comparison with the kernel."""
    filled = screen.wait(r"^TIME_WAIT ([0-9,]+)/5,000  (\d+)%  \[\|* *\]")
    assert number(filled.group(1)) * 100 // 5000 == int(filled.group(2)), filled.group(0)
    screen.wait(r"(level at|filling to|draining to) ~?[0-9,]+|full in ~\d+ s|draining, empty in ~\d+ s")
    screen.wait(r"created [0-9.]+/s  removed [0-9.<]+/s  (! )?overflow")
    screen.wait(r"= kernel|missed [0-9,]+")
    screen.wait(r"(fentry|kprobe|tracepoint)  events lost 0")


def check_views(screen):
    titles = {"1": ("Processes", "COMMAND"), "2": ("Services", "KIND"), "3": ("Ports", "ROLE"), "4": ("Peers", "PEER"),
              "5": ("Namespaces", "IN USE/LIMIT"), "6": ("Events", "EVENT")}
    for key, (name, title) in titles.items():
        screen.keys(key)
        screen.wait(rf"\[{key} ?{name}\]")
        screen.wait(rf"^ .*{title}")
    screen.keys("Tab")
    screen.wait(r"\[1 ?Processes\]")
    screen.keys("Tab")
    screen.wait(r"\[2 ?Services\]")
    screen.wait(r"web\.service")
    screen.keys("BTab")
    screen.wait(r"\[1 ?Processes\]")
    screen.keys("6")
    screen.wait(r"created .*(web|scheduler|queue-worker)\.service/")
    screen.keys("4")
    screen.wait(r"127\.0\.0\.1.*queue.* 6379 ")
    screen.wait(r"\d+% \d+/\d+")  # ephemeral ports taken towards the queue
    screen.keys("5")
    screen.wait(r"\d+% [0-9]+/5000")
    screen.keys("1")
    screen.wait(r"\[1 ?Processes\]")


def check_moving(screen):
    screen.keys("P")
    screen.wait(r"by pid ")
    screen.wait(r"queue-worker\.")
    screen.keys("g")

    def selected():
        """Pid and name of the row under the cursor."""
        row = screen.selected()
        found = row and re.match(r"[! ][x~ ] +(\d+) (\S+)", row)
        return found and (found.group(1), found.group(2))

    first = wait_for("a selected row", selected)
    name = first[1]
    for down, up in (("Down", "Up"), ("j", "k"), ("End", "Home"), ("G", "g"), ("NPage", "PPage")):
        screen.keys(down)
        wait_for(f"{down} to move", lambda: selected() and selected() != first)
        screen.keys(up)
        wait_for(f"{up} to move back", lambda: selected() == first)
    screen.type("\x1b[Ma%,")  # the wheel turned down, in the encoding of X10
    wait_for("the wheel to move down", lambda: selected() and selected() != first)
    screen.type("\x1b[M`%,")
    wait_for("the wheel to move up", lambda: selected() == first)

    screen.keys("Enter")
    screen.wait(rf"^{re.escape(name)} +.*netns")
    screen.wait(r"first seen \d{4}-")
    screen.wait(r"Timeline, \d+ samples")
    screen.keys("Down", "Up")
    screen.keys("Escape")
    screen.wait(r"by pid")
    sort_by_rate(screen)


def check_filter(screen):
    for key in ("/", "F3", "F4", "f"):
        screen.keys(key)
        screen.wait(r"^Filter: _")
        screen.type("role=client")
        screen.wait(r"1-([12])/\1\b")  # the queue worker, and browsers if a reset ended one of their connections
        screen.wait(r"6379")
        screen.wait_without(r"\b8080\b.*\bserver|server +8080")
        screen.keys("BSpace", "BSpace")
        screen.wait(r"^Filter: role=clie_")
        screen.keys("Escape")
        screen.wait_without(r"^Filter:")
        screen.wait(r"server +8080")
    screen.keys("/")
    screen.type("web")
    screen.keys("Enter")
    screen.wait(r"/web ")
    screen.wait_without(r"queue-worker\.")
    screen.keys("Escape")
    screen.wait(r"queue-worker\.")
    screen.keys("/")
    screen.type("PORT>8000")
    screen.wait_without(r"queue-worker\.")
    screen.wait(r"server +8080")
    screen.type(",comm=nobody")
    screen.wait(r"no row matches")
    screen.keys("Enter", "Escape")
    screen.wait(r"queue-worker\.")


def check_nothing_is_left(listed):
    left = set(listed) - KeyedScreen.pressed - {"wheel", "click"}  # see check_moving() and check_clicks()
    assert left == {"F10", "C-c"}, left  # terminal.py presses those


def sort_by_rate(screen):
    """The first line of the sort menu."""
    screen.keys("F6", "Home", "Enter")
    screen.wait(r"by created/s ")


def check_columns(screen, columns, rows):
    for key in ("C", "F2"):
        screen.keys(key)
        screen.wait(r"^ \[x\] COMMAND ")
        screen.keys("End", "Up")
        screen.keys(key)
        screen.wait_without(r"^ \[x\] COMMAND ")
    screen.keys("C", "Down", "Space")
    screen.wait(r"^ \[ \] COMMAND ")
    screen.keys("Escape")
    screen.wait_without(r"^ .*COMMAND")
    screen.keys("C", "Down", "Enter", "Escape")
    screen.wait(r"^ .*COMMAND")
    screen.resize(60, 24)
    screen.wait(r"^ +PID COMMAND")
    screen.keys("Right", "Right")
    screen.wait(r"^   COMMAND")
    screen.keys("Left", "Left")
    screen.wait(r"^ +PID COMMAND")
    screen.keys("Left")
    screen.wait(r"no column is hidden on the left")
    screen.keys("F5")  # any key removes the notice
    screen.resize(columns, rows)


def check_clicks(screen):
    def click(text, which=0, numbers=False):
        """Presses and releases the first button, as old terminals report it, or in numbers."""
        row, column = wait_for(text, lambda: screen.find(text))[which]
        place = f"{column + 1};{row + 1}" if numbers else f"{chr(33 + column)}{chr(33 + row)}"
        screen.type(f"\x1b[<0;{place}M\x1b[<0;{place}m" if numbers else f"\x1b[M {place}\x1b[M#{place}")

    click("Services")
    screen.wait(r"\[2 ?Services\]")
    click("CREATED ")
    screen.wait(r"by created ")
    click("CREATED ", numbers=True)
    screen.wait(r"by created reversed")
    click("web.service", -1)  # the first may be in the header
    screen.wait(r"Timeline, \d+ samples")
    click("Processes", numbers=True)
    screen.wait(r"\[1 ?Processes\]")
    screen.keys("u")
    screen.wait(r"^Filter: service=_")
    screen.keys("Escape")
    screen.wait_without(r"^Filter:")


def check_graph(screen, columns, rows):
    screen.resize(120, 30)
    screen.wait(r"buckets in use, limit 5,000")
    screen.wait(r"^ +5,000 ")
    screen.wait(r"^ +refused .*!")
    screen.resize(columns, rows)


def check_sorting(screen):
    screen.keys("F6")
    screen.wait(r"^ created/s +buckets created per second")
    screen.keys("Down", "Enter")
    screen.wait(r"by overflow/s")
    screen.keys("s")
    screen.wait(r"^ overflow/s +buckets refused")
    screen.keys("Escape")
    screen.wait(r"by overflow/s")
    for key, column in (("L", "live"), ("O", "overflow"), ("P", "pid")):
        screen.keys(key)
        screen.wait(rf"by {column} ")
    sort_by_rate(screen)
    screen.keys(">")
    screen.wait(r"by created ")
    screen.keys("<")
    screen.wait(r"by created/s ")
    screen.keys("I")
    screen.wait(r"by created/s reversed")
    screen.keys("R")
    screen.wait_without(r"reversed")
    screen.keys("3", "O")
    screen.wait(r"\[3 ?Ports\].*by overflow ")
    screen.keys("1")
    screen.wait(r"by created/s ")  # each view keeps its own order


def check_pause(screen):
    for key in ("Space", "Z"):
        screen.keys(key)
        at = screen.wait(r"PAUSED [0-9.ms]+ ago, sample (\d+) of (\d+)")
        screen.keys("t")
        screen.wait(rf"sample {int(at.group(1)) - 1} of")
        screen.keys("t")
        screen.wait(rf"sample {int(at.group(1)) - 2} of")
        screen.keys("T")
        screen.wait(rf"sample {int(at.group(1)) - 1} of")
        frozen = screen.lines()[0]
        wait_for("counting to go on", lambda: int(screen.wait(r"sample \d+ of (\d+)").group(1)) > int(at.group(2)) + 2)
        assert screen.lines()[0] == frozen
        screen.keys(key)
        screen.wait_without("PAUSED")
    screen.keys("t")
    screen.wait(r"while paused")


def check_interval(screen):
    screen.keys("d")
    screen.wait(r"^Seconds between samples: _")
    screen.type("0.5")
    screen.keys("Enter")
    screen.wait(r"every 0\.5s")
    screen.keys("+")
    screen.wait(r"every 1s")
    screen.keys("-")
    screen.wait(r"every 0\.5s")
    screen.keys("d")
    screen.type("x")
    screen.keys("Enter")
    screen.wait(r'"x" is not a number')
    screen.wait(r"every 0\.5s")


def check_the_rest(screen):
    screen.keys("z")
    screen.wait(r"since [0-9.]+s")
    screen.keys("z")
    screen.wait_without(r" since [0-9.]+s")
    screen.keys("F")
    screen.wait(r"following")
    screen.keys("F")
    screen.wait(r"not following any more")
    screen.keys("i")
    screen.wait(r"no idle")
    screen.keys("i")
    screen.wait_without(r"no idle")
    screen.keys("c")
    screen.wait(r"command lines")
    screen.keys("c")
    screen.wait(r"process names")
    screen.keys("w")
    screen.wait(r"wrote \d+ samples to twtrace\.db")
    for key in ("F1", "h", "?"):
        screen.keys(key)
        screen.wait(r"^ Up Down k j +move$")
        screen.keys("Escape")
        screen.wait_without(r"^ Up Down k j")
    screen.keys("x")
    screen.wait(r"that key does nothing here")
    for key in ("F5", "C-l"):
        screen.keys(key)
        screen.wait(r"^TIME_WAIT")


def check_overflow(screen):
    """The wave fills the table. The screen must make that obvious, and name who holds it and who is refused."""
    screen.wait(r"! FULL, needs ~[0-9,]+")
    screen.wait(r"! overflow [0-9.k]+/s total [0-9,]+")
    screen.wait(r"^! FULL netns \d+: scheduler\.service holds [0-9,]+ of 5,000 \(\d+%\)")
    screen.wait(r"refused now: scheduler\.service [0-9.k]+/s, \d+%")
    screen.wait(r"^!.*scheduler\.service")
    wait_for("overflow to be red", lambda: re.search(r"\x1b\[[0-9;]*31[;m][^\n]*refused now", screen.raw()))


def check_sizes(screen, columns, rows):
    screen.resize(20, 5)
    screen.wait(r"^TIME_WAIT [0-9,]+/5,?0")
    screen.resize(400, 30)
    screen.wait(r"^TIME_WAIT .*netns")
    assert all(len(line) <= 400 for line in screen.lines())
    screen.resize(columns, rows)
    screen.wait(r"F1 help")


def check_replay(twtrace, directory, columns, rows):
    """Plays a capture. Every sample must equal the batch output of the same file. Looks only at the namespace of the
    demo, because others may be busy, too."""
    batch = subprocess.run([twtrace, "replay", "-b", "--json", "-g", "pid"], cwd=directory, check=True,
                           stdout=subprocess.PIPE, text=True)
    samples = [json.loads(line) for line in batch.stdout.splitlines()]
    namespace = next(row for row in samples[-1]["namespaces"] if row["limit"] == 5000)
    demo = namespace["netns"]

    def shows(screen, index):
        """Checks that the screen shows this sample and its numbers."""
        screen.wait(rf"^(REPLAY|PLAYING) {samples[index]['time'][11:19]}Z {index + 1}/{len(samples)}\b")
        table = next(row for row in samples[index]["namespaces"] if row["netns"] == demo)
        screen.wait(rf"^TIME_WAIT {table['in_use']:,}/{table['limit']:,} ")
        for row in [row for row in samples[index]["rows"] if row["netns"] == demo]:
            if not (row["created"] or row["overflow"] or row["live"]):
                continue  # only a reset: JSON has such rows, the screen leaves them out
            screen.wait(rf" {row['process']['pid']} .* {row['created']} .*\b{row['overflow']} ")

    def sample_at(seconds):
        wanted = samples[0]["time_unix_ms"] + 1000 * seconds
        return max(i for i, sample in enumerate(samples) if sample["time_unix_ms"] <= wanted)

    add_events(f"{directory}/twtrace.db", samples, namespace)
    with KeyedScreen(f"env -C {directory} {twtrace} replay --netns {demo} -d 0.1", columns, rows) as screen:
        shows(screen, 0)
        screen.keys("t")
        screen.wait(r"this is the oldest sample")
        screen.keys("T")
        shows(screen, 1)
        screen.keys("B", "J")
        shows(screen, sample_at(60))
        screen.keys("K")
        shows(screen, 0)
        screen.keys("t", "E")
        shows(screen, len(samples) - 1)
        screen.wait(r" scheduler +scheduler\.s")
        screen.keys("w")
        screen.wait(r"this is a capture file already")
        screen.keys("t", "t", "t")
        shows(screen, len(samples) - 4)
        screen.keys("Space")
        screen.wait(r"this is the newest sample")  # played to the end
        screen.keys("t")
        shows(screen, len(samples) - 2)
        check_replayed_events(screen, len(samples))
        screen.keys("q")
        assert screen.exit_code() == 0
        screen.check_restored()


def add_events(file, samples, namespace):
    """Adds one event per sample to the capture, in the middle of its interval, as --events records them."""
    with sqlite3.connect(file) as database:
        for i, sample in enumerate(samples):
            database.execute("INSERT INTO event VALUES(NULL,?,'created','time_wait',NULL,NULL,1,NULL,?,?,?,'made-up',0,"
                             "1,'client',6379,'closer','10.0.0.1',?,'10.0.0.2',6379)",
                             (sample["time_unix_ms"] - 1, namespace["netns"], namespace["netns_id"], i + 1, 40001 + i))


def check_replayed_events(screen, samples):
    """The events view must show the events up to the current sample, newest first."""
    def newest(count):
        screen.wait(rf"\b1-[0-9]+/{count}$")
        screen.wait(rf" created .*made-up\[{count}\] ")

    screen.keys("B", "6")
    newest(1)
    screen.keys("T", "T")
    newest(3)
    screen.keys("E")
    newest(samples)


def main():
    twtrace, size = sys.argv[1:]
    columns, rows = (int(part) for part in size.split("x"))
    with tempfile.TemporaryDirectory(prefix="twtrace-") as directory:
        listed = check_demo(twtrace, directory, columns, rows)
        check_replay(twtrace, directory, columns, rows)
        print("ok: check_replay")
        check_nothing_is_left(listed)


def check_demo(twtrace, directory, columns, rows):
    with KeyedScreen(f"env -C {directory} {twtrace} demo -d 0.5", columns, rows) as screen:
        screen.wait(r"web\.service")
        check_header(screen)
        for check in (check_overflow, check_views, check_moving, check_filter, check_sorting, check_clicks,
                      check_pause,
                      check_interval, check_the_rest):
            check(screen)
            print("ok:", check.__name__, flush=True)
        check_columns(screen, columns, rows)
        check_graph(screen, columns, rows)
        check_sizes(screen, columns, rows)
        screen.resize(80, 50)
        screen.keys("h")
        listed = keys_of_help(screen)
        screen.keys("q")
        assert screen.exit_code() == 0
        screen.check_restored()
        assert "Sanitizer" not in screen.stderr(), screen.stderr()
    print("ok: quit")
    return listed


main()
