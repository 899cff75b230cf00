# SPDX-License-Identifier: Apache-2.0
"""Downloads packages of any suite and architecture, without touching this system.

apt does the fetching with a private configuration, so the system's package lists stay as they are while its mirror,
proxy and keys are used, and every file is checked against the signed index.
"""

import os
import re
import shutil
import subprocess
import time

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
INDEX_AGE_S = 6 * 3600  # an index younger than this is not fetched again


class Unavailable(Exception):
    """The suite, or a package in it, is not available."""


class Apt:
    """apt with its own lists for one suite and architecture, kept in `root`."""

    def __init__(self, root, suite, architecture):
        self.root = root
        self.suite = suite
        for directory in ("lists/partial", "archives/partial"):
            (root / directory).mkdir(parents=True, exist_ok=True)
        (root / "status").touch()
        source = f"deb [arch={architecture} signed-by={KEYRING}] {_archive('SITE')} {suite} main\n"
        (root / "sources.list").write_text(source)
        self.options = [
            f"-oDir::State={root}", f"-oDir::State::status={root}/status", f"-oDir::Cache={root}",
            f"-oDir::Etc::sourcelist={root}/sources.list", "-oDir::Etc::sourceparts=/dev/null",
            "-oAcquire::Languages=none", "-oAcquire::Retries=3",
            f"-oAPT::Architecture={architecture}", f"-oAPT::Architectures={architecture}",
            *(["-oAPT::Sandbox::User=root"] if os.geteuid() == 0 else []),
        ]  # yapf: disable
        self._update()

    def package_names(self, prefix):
        return set(run(["apt-cache", *self.options, "pkgnames", prefix]).split())

    def version(self, package):
        shown = run(["apt-cache", *self.options, "show", "--no-all-versions", package])
        return re.search(r"^Version: (.*)$", shown, re.M)[1]

    def unpack(self, packages, tree):
        """Unpacks just these packages. `tree` appears when it is complete."""
        debs = self.root / "debs"
        shutil.rmtree(debs, ignore_errors=True)
        debs.mkdir()
        self._fetch(["download", *packages], debs)
        _unpack(debs, tree)

    def unpack_with_dependencies(self, packages, tree):
        """Resolves packages as on a system where nothing is installed."""
        debs = self.root / "archives"
        self._fetch([f"-oDir::Cache::archives={debs}", "--yes", "--no-install-recommends", "--download-only", "install",
                     *packages], debs)
        _unpack(debs, tree)
        (debs / "partial").mkdir(parents=True)

    def _fetch(self, command, directory):
        try:
            run(["apt-get", *self.options, "-q", *command], cwd=directory)
        except subprocess.CalledProcessError as error:
            (self.root / "updated").unlink()  # the index may be older than the mirror's files
            raise Unavailable(f"cannot fetch from {self.suite}: {error.stderr.strip()}") from error

    def _update(self):
        stamp = self.root / "updated"
        if stamp.exists() and time.time() - stamp.stat().st_mtime < INDEX_AGE_S:
            return
        try:
            # Without Error-Mode, apt-get update exits with 0 even if a suite is gone.
            run(["apt-get", *self.options, "-q", "-oAPT::Update::Error-Mode=any", "update"])
        except subprocess.CalledProcessError as error:
            raise Unavailable(f"suite {self.suite}: {error.stderr.strip()}") from error
        stamp.touch()


def host_suite():
    """The suite that this system is installed from, for example "bookworm"."""
    return _archive("CODENAME")


def _archive(field):
    """The fields of the first Debian archive in apt's configuration."""
    targets = run(["apt-get", "indextargets", "--format", f"$(LABEL)|$({field})", "Created-By: Packages"])
    for line in targets.splitlines():
        label, _, value = line.partition("|")
        if label == "Debian":
            return value
    raise Unavailable("apt knows no Debian archive; run 'apt-get update' once")


def _unpack(debs, tree):
    partial = tree.with_name(f"{tree.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for deb in sorted(debs.glob("*.deb")):
        run(["dpkg-deb", "-x", deb, partial])
    partial.rename(tree)
    shutil.rmtree(debs)


def run(command, cwd=None):
    """Returns its standard output. Raises CalledProcessError."""
    return subprocess.run(command, cwd=cwd, check=True, text=True, capture_output=True, stdin=subprocess.DEVNULL).stdout
