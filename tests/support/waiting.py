# SPDX-License-Identifier: Apache-2.0
"""Waits for what comes about by itself."""
import time

DEADLINE_S = 60


def wait_for(what, condition, deadline_s=DEADLINE_S):
    """Polls until condition() is true, and returns its value. Fails with the name of the condition."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("timed out waiting for " + what)
        time.sleep(0.05)
