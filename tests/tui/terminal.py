# SPDX-License-Identifier: Apache-2.0
"""The terminal is always given back, and what cannot be painted over gets batches.

usage: terminal.py TWTRACE
"""
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

from screen import Screen, wait_for

LIVE = r"^TIME_WAIT .*netns"


def check_ends(twtrace):
    """After keys and signals that end twtrace, the exit code is 0 and the terminal is restored."""
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
    """Other signals kill twtrace, but the terminal is restored."""
    for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGQUIT, signal.SIGUSR1,
                   signal.SIGPROF, signal.SIGRTMIN):
        with Screen(f"bash -c \"ulimit -c 0; exec {twtrace}\"") as screen:
            screen.wait(LIVE)
            os.kill(screen.pid(), number)
            code = screen.exit_code()
            assert code == 128 + number or code == 1, code  # a sanitizer's handler exits with 1
            screen.check_restored()


def check_suspend(twtrace):
    """Ctrl-Z and fg under a shell with job control."""
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


def job_shell(twtrace):
    """An interactive shell in which twtrace runs in the foreground."""
    screen = Screen("bash --norc --noprofile -i 2> /dev/tty")
    screen.type(f"PS1='prompt> '; clear; {twtrace} -d 0.2")
    screen.keys("Enter")
    screen.wait(LIVE)
    return screen


def leave(screen):
    screen.type("exit")
    screen.keys("Enter")
    screen.exit_code()
    screen.check_restored()


def child_of(screen):
    """The pid of the only child of the shell."""
    with open(f"/proc/{screen.pid()}/task/{screen.pid()}/children") as file:
        return int(file.read())


def state_of(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()[0]


def check_background(twtrace):
    """In the background twtrace paints nothing. It stops again, like a job that writes to its terminal (stty tostop)."""
    with job_shell(twtrace) as screen:
        pid = child_of(screen)
        # Ctrl-Z, and a stop that cannot be handled.
        for stop in (lambda: screen.keys("C-z"), lambda: os.kill(pid, signal.SIGSTOP)):
            stop()
            screen.wait(r"Stopped")
            wait_for("the stop", lambda: state_of(pid) == "T")
            screen.type("tput rmcup; clear; bg; echo in the back\"\"ground")
            screen.keys("Enter")
            screen.wait(r"in the background")
            wait_for("the stop", lambda: screen.keys("Enter") or "Stopped" in screen.text())
            assert state_of(pid) == "T"
            assert "TIME_WAIT" not in screen.text(), screen.text()
            screen.type("fg")
            screen.keys("Enter")
            screen.wait(LIVE)
            screen.keys("2")
            screen.wait(r"\[2 ?Services\]")
            screen.keys("1")
            screen.wait(r"\[1 ?Processes\]")
        screen.keys("q")
        screen.wait(r"^prompt> ?$")
        leave(screen)


def check_started_in_background(twtrace):
    with Screen("bash --norc --noprofile -i 2> /dev/tty") as screen:
        screen.type(f"PS1='prompt> '; clear; {twtrace} &")
        screen.keys("Enter")
        wait_for("the stop", lambda: screen.keys("Enter") or "Stopped" in screen.text())
        screen.type("clear; fg")
        screen.keys("Enter")
        screen.wait(LIVE)
        screen.keys("q")
        screen.wait(r"^prompt> ?$")
        leave(screen)


def check_ended_in_background(twtrace):
    """twtrace leaves the terminal of the shell alone."""
    with job_shell(twtrace) as screen:
        screen.keys("C-z")
        screen.wait(r"Stopped")
        screen.type("clear; kill %1; echo still the sh\"\"ell")
        screen.keys("Enter")
        screen.wait(r"still the shell")
        wait_for("the end", lambda: screen.keys("Enter") or re.search(r"Done|Exit|Terminated", screen.text()))
        assert screen.tmux("display-message", "-p", "#{alternate_on}").strip() == "0"
        leave(screen)


def check_stalled_terminal(twtrace):
    """A terminal that accepts no output, as after Ctrl-S. twtrace does not wait for it, and a signal ends twtrace, which
    restores the modes of the terminal."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        end, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 300, 0, 0))
        modes = termios.tcgetattr(terminal)
        process = subprocess.Popen([twtrace, "-d", "0.1"], stdin=terminal, stdout=terminal, stderr=subprocess.DEVNULL,
                                   env={**os.environ, "TERM": "xterm-256color"})
        wait_for("a frame", lambda: b"TIME_WAIT" in os.read(end, 4096))
        termios.tcflow(terminal, termios.TCOOFF)
        process.send_signal(number)
        assert process.wait(20) in (0, -number), process.returncode
        assert termios.tcgetattr(terminal) == modes
        termios.tcflow(terminal, termios.TCOON)
        os.close(terminal)
        os.close(end)


def check_lost_terminal(twtrace):
    screen = Screen(twtrace)
    screen.wait(LIVE)
    pid = screen.pid()
    screen.tmux("kill-server")
    wait_for("the process to end without its terminal", lambda: not os.path.exists(f"/proc/{pid}"))
    screen.directory.cleanup()


def check_fallbacks(twtrace):
    for term in ("dumb", "no-such-terminal"):
        with Screen(f"{twtrace} -n 1 -r 3 -d 0.2", environment={"TERM": term}) as screen:
            screen.wait(r"TIME_WAIT [0-9,]+/[0-9,]+ .*netns")
            assert screen.exit_code() == 0
            lines = [line for line in screen.stderr().splitlines() if "printing tables instead" in line]
            assert len(lines) == 1 and term in lines[0], screen.stderr()
    with Screen(f"{twtrace} -n 1 -r 3 -d 0.2 < /dev/null") as screen:
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
    """twtrace prints the log lines of the live view after its end."""
    with Screen(f"{twtrace} -vv -n 2 -d 0.2") as screen:
        assert screen.exit_code() == 0
        screen.check_restored()


def written(*argv):
    """All that a program writes to a terminal of its own, byte by byte, until it ends."""
    pid, end = pty.fork()
    if pid == 0:
        os.execvp(argv[0], argv)
    text = b""
    while True:
        try:
            part = os.read(end, 65536)
        except OSError:  # EIO: the last one has closed it
            part = b""
        if not part:
            os.waitpid(pid, 0)
            os.close(end)
            return text
        text += part


LEFT = r"\d+s left: "
STATUS = r"[\d,]+ of [\d,]+ in use"


def check_capture_progress(twtrace):
    """A capture has one line that is rewritten, but not while its command runs, and not in the background."""
    with tempfile.TemporaryDirectory() as directory:
        capture = f"{twtrace} capture -o {directory}/t.db -d 0.1"
        with Screen(f"bash -c \"{capture} --before 60 -- true 2> /dev/tty\"") as screen:
            screen.wait("^before the command, " + LEFT + STATUS)
            screen.keys("C-c")
            assert screen.exit_code() == 125
            said = screen.tmux("capture-pane", "-p", "-S", "-")
            assert not re.search(LEFT, said) and "was not run" in said, said
        command = "sh -c 'echo begun; read line; echo over'"
        script = os.path.join(directory, "capture.sh")
        with open(script, "w") as file:
            file.write(f"{capture} --before 0.5 --after 60 -- {command} 2> /dev/tty\n")
        with Screen(f"bash {script}") as screen:
            screen.wait(r"^begun$")
            assert not re.search(LEFT, screen.text()), screen.text()
            screen.keys("Enter")
            screen.wait("^after the command, " + LEFT + STATUS)
            screen.keys("C-c")
            assert screen.exit_code() == 0
            assert not re.search(LEFT, screen.text()), screen.text()
        alone = f"{capture} --duration 1"
        assert b"recording, 1s left" in written("bash", "-c", alone)
        assert b"recording" not in written("bash", "-c", f"{alone} 2> {directory}/err")
        # -m: as a shell with job control, which gives a job a process group of its own.
        assert b"recording" not in written("bash", "-m", "-c", f"{alone} & wait")


def main():
    twtrace = sys.argv[1]
    for check in (check_ends, check_iterations, check_crash, check_suspend, check_background,
                  check_started_in_background, check_ended_in_background, check_stalled_terminal, check_lost_terminal, check_fallbacks,
                  check_colors_and_charset, check_small, check_log_lines_are_held, check_capture_progress):
        started = time.monotonic()
        check(twtrace)
        print(f"ok: {check.__name__} ({time.monotonic() - started:.1f} s)", flush=True)


if __name__ == "__main__":
    if subprocess.run(["id", "-u"], capture_output=True, text=True, check=True).stdout.strip() != "0":
        print("TWTRACE_SKIPPED: needs root")
        sys.exit(0)
    main()
