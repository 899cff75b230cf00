# SPDX-License-Identifier: Apache-2.0
"""The terminal is always given back, and what cannot be painted over gets batches.

usage: terminal.py TWTRACE
"""
import os
import re
import signal
import subprocess
import sys
import time

from screen import Screen, wait_for

LIVE = r"^TIME_WAIT .*netns"


def check_ends(twtrace):
    """Keys and signals that end it: exit code 0, the terminal as it was."""
    for key in ("q", "F10", "C-c"):
        with Screen(twtrace) as screen:
            screen.wait(LIVE)
            screen.keys(key)
            assert screen.exit_code() == 0
            screen.check_restored()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        with Screen(twtrace) as screen:
            screen.wait(LIVE)
            os.kill(screen.pid(), number)
            assert screen.exit_code() == 0, number
            screen.check_restored()


def check_iterations(twtrace):
    with Screen(f"{twtrace} -n 2 -d 0.2") as screen:
        assert screen.exit_code() == 0
        screen.check_restored()


def check_crash(twtrace):
    """A fault anywhere in the process: it still dies of it, with the terminal as it was."""
    for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS):
        with Screen(f"bash -c \"ulimit -c 0; exec {twtrace}\"") as screen:
            screen.wait(LIVE)
            os.kill(screen.pid(), number)
            code = screen.exit_code()
            assert code == 128 + number or code == 1, code  # a sanitizer's handler exits with 1
            screen.check_restored()


def check_suspend(twtrace):
    """^Z and fg, under a shell with job control."""
    with Screen("bash --norc --noprofile -i 2> /dev/tty") as screen:
        screen.type(f"PS1='prompt> '; clear; {twtrace}")
        screen.keys("Enter")
        screen.wait(LIVE)
        screen.keys("C-z")
        screen.wait(r"Stopped")
        screen.type("stty -a; clear; echo back in the sh\"\"ell")
        screen.keys("Enter")
        screen.wait(r"back in the shell")
        screen.type("fg")
        screen.keys("Enter")
        screen.wait(LIVE)
        screen.keys("2")
        screen.wait(r"\[2 ?Services\]")
        screen.keys("q")
        screen.wait(r"^prompt> ?$")
        screen.type("exit")
        screen.keys("Enter")
        screen.exit_code()
        screen.check_restored()


def check_lost_terminal(twtrace):
    screen = Screen(twtrace)
    screen.wait(LIVE)
    pid = screen.pid()
    screen.tmux("kill-server")
    wait_for("the process to end without its terminal", lambda: not os.path.exists(f"/proc/{pid}"))
    screen.directory.cleanup()


def check_fallbacks(twtrace):
    for term in ("dumb", "no-such-terminal"):
        with Screen(f"{twtrace} -n 1 -d 0.2", environment={"TERM": term}) as screen:
            screen.wait(r"TIME_WAIT [0-9,]+/[0-9,]+ .*netns")
            assert screen.exit_code() == 0
            lines = [line for line in screen.stderr().splitlines() if "batches" in line]
            assert len(lines) == 1 and term in lines[0], screen.stderr()
    with Screen(f"{twtrace} -n 1 -d 0.2 < /dev/null") as screen:
        screen.wait(r"TIME_WAIT [0-9,]+/[0-9,]+ .*netns")
        assert screen.exit_code() == 0
        assert "no key can be read" in screen.stderr()


def check_colors_and_charset(twtrace):
    with Screen(twtrace) as screen:
        screen.wait(LIVE)
        assert re.search(r"\x1b\[[0-9;]*3[1-6]", screen.raw()), "no colour at all"
    with Screen(twtrace, environment={"NO_COLOR": "1"}) as screen:
        screen.wait(LIVE)
        assert not re.search(r"\x1b\[(?:[0-9]+;)*[34][0-7](?:;[0-9]+)*m", screen.raw()), "colour in spite of NO_COLOR"
    with Screen(twtrace, environment={"LC_ALL": "C"}) as screen:
        screen.wait(LIVE)
        wait_for("two samples", lambda: "up 0" not in screen.text())
        assert screen.text().isascii(), screen.text()


def check_small(twtrace):
    for columns, rows in ((20, 5), (1, 1), (3, 2), (400, 3)):
        with Screen(twtrace, columns, rows) as screen:
            wait_for("the screen", lambda: screen.tmux("display-message", "-p", "#{alternate_on}").strip() == "1")
            if columns * rows >= 6:
                wait_for("a frame", lambda: screen.text().strip())
            screen.keys("Down", "2", "Enter", "h", "q")
            screen.keys("q")
            assert screen.exit_code() == 0


def check_log_lines_are_held(twtrace):
    """What is logged while the screen is shown comes after it."""
    with Screen(f"{twtrace} -vv -n 2 -d 0.2") as screen:
        assert screen.exit_code() == 0
        screen.check_restored()


def main():
    twtrace = sys.argv[1]
    for check in (check_ends, check_iterations, check_crash, check_suspend, check_lost_terminal, check_fallbacks,
                  check_colors_and_charset, check_small, check_log_lines_are_held):
        started = time.monotonic()
        check(twtrace)
        print(f"ok: {check.__name__} ({time.monotonic() - started:.1f} s)", flush=True)


if __name__ == "__main__":
    if subprocess.run(["id", "-u"], capture_output=True, text=True, check=True).stdout.strip() != "0":
        print("TWTRACE_SKIPPED: needs root")
        sys.exit(0)
    main()
