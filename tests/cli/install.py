#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the files of `cmake --install`, and that they work: install.py CMAKE BUILD-DIRECTORY."""

import pathlib
import subprocess
import sys
import tempfile

TREE = pathlib.Path(__file__).resolve().parents[2]
COMPLETIONS = {"bash": "share/bash-completion/completions/twtrace", "zsh": "share/zsh/site-functions/_twtrace",
               "fish": "share/fish/vendor_completions.d/twtrace.fish"}


def expected():
    pages = {path.stem for path in (TREE / "docs" / "man").glob("*.scd")}
    beside = (path for folder in ("prometheus", "grafana", "kubernetes") for path in (TREE / "packaging" / folder).glob("*"))
    return {"bin/twtrace", "lib/systemd/system/twtrace-exporter.service", *COMPLETIONS.values(),
            *(f"share/man/man{page[-1]}/{page}" for page in pages),
            *(f"share/twtrace/{path.relative_to(TREE / 'packaging')}" for path in beside)}


def output_of(*command):
    return subprocess.run(command, check=True, text=True, capture_output=True).stdout


def main():
    cmake, build = sys.argv[1:]
    with tempfile.TemporaryDirectory() as directory:
        prefix = pathlib.Path(directory)
        output_of(cmake, "--install", build, "--prefix", prefix)
        found = {str(path.relative_to(prefix)) for path in prefix.rglob("*") if path.is_file()}
        assert found == expected(), f"missing {expected() - found}, unexpected {found - expected()}"
        program = prefix / "bin" / "twtrace"
        assert output_of(program, "--version").startswith("twtrace ")
        for shell, path in COMPLETIONS.items():
            assert output_of(program, "completion", shell) == (prefix / path).read_text(), shell
        page = output_of("man", "--warnings", "-l", prefix / "share/man/man8/twtrace.8")
        assert "TIME_WAIT" in page


if __name__ == "__main__":
    main()
