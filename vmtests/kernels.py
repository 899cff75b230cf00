# SPDX-License-Identifier: Apache-2.0
"""Downloads, unpacks and caches what machines boot: distribution kernels and system programs."""

import contextlib
import dataclasses
import fcntl
import json
import lzma
import os
import pathlib
import re
import subprocess

import apt
import architectures
from apt import Unavailable

# The packages that guest_files.py needs from a Debian system.
SYSTEM_PACKAGES = ("bash", "busybox-static", "iproute2", "libgcc-s1")


@dataclasses.dataclass(frozen=True)
class Kernel:
    """An unpacked kernel. `modules` is the directory with modules.builtin, `system` the root of the SYSTEM_PACKAGES."""

    release: str
    package_version: str
    image: pathlib.Path
    modules: pathlib.Path
    arch: architectures.Architecture
    system: pathlib.Path


def cache_dir():
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "twtrace" / "kernels"


def get(row, refresh=False):
    """The kernel of a matrix row, from the cache or the mirror. `refresh`: look for a newer one. Raises Unavailable."""
    cache = cache_dir()
    cache.mkdir(parents=True, exist_ok=True)
    with _locked(cache / "lock"):
        pin = _pin(row)
        if refresh or not cached_release(row):
            _fetch(cache, row, pin)
        arch = architectures.named(row.arch)
        return _describe(cache, json.loads(pin.read_text()), arch, _system(cache, arch))


def cached_release(row):
    """The release that get() would return without the network, or None."""
    if not _pin(row).exists():
        return None
    release = json.loads(_pin(row).read_text())["release"]
    return release if (cache_dir() / "trees" / release).exists() else None


def _pin(row):
    return cache_dir() / f"{row.suite}_{row.series or 'newest'}{_suffix(row.arch)}.json"


def _suffix(arch_name):
    return "" if arch_name == "amd64" else f"_{arch_name}"


def _apt(cache, suite, arch_name):
    return apt.Apt(cache / "apt" / f"{suite}{_suffix(arch_name)}", suite, arch_name)


@contextlib.contextmanager
def _locked(path):
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _system(cache, arch):
    """This system, or one of the same suite unpacked for another architecture."""
    if arch.is_native:
        return pathlib.Path("/")
    suite = apt.host_suite()
    tree = cache / "systems" / f"{suite}-{arch.name}"
    if not tree.exists():
        _apt(cache, suite, arch.name).unpack_with_dependencies(SYSTEM_PACKAGES, tree)
    return tree


def _describe(cache, pinned, arch, system):
    tree = cache / "trees" / pinned["release"]
    (image,) = [*tree.glob("boot/vmlinuz-*"), *tree.glob("usr/lib/modules/*/vmlinuz")]
    (builtin,) = [*tree.glob("lib/modules/*/modules.builtin"), *tree.glob("usr/lib/modules/*/modules.builtin")]
    return Kernel(pinned["release"], pinned["package_version"], image, builtin.parent, arch, system)


def _fetch(cache, row, pin):
    source = _apt(cache, row.suite, row.arch)
    release, packages = _choose(source.package_names("linux-"), row)
    tree = cache / "trees" / release
    if not tree.exists():
        source.unpack(packages, tree)
    pin.write_text(json.dumps({"release": release, "package_version": source.version(packages[0])}))


def _choose(names, row):
    """The newest release of the series, and the packages with its image and modules.

    linux-image-* holds all of it up to 6.18; from 6.19 on it is an empty shell around linux-binary-* (the image),
    linux-modules-* and linux-base-* (the list of what is built in).
    """
    series = re.escape(row.series) + r"\." if row.series else r"\d"
    pattern = re.compile(rf"linux-(?:image|binary)-({series}.*-cloud-{row.arch})$")
    releases = {match[1] for match in map(pattern.match, names) if match}
    if not releases:
        raise Unavailable(f"no linux-image-{row.series or '*'}-cloud-{row.arch} package in suite {row.suite}")
    release = max(releases, key=lambda text: [int(digits) for digits in re.findall(r"\d+", text)])
    packages = [name for kind in ("binary", "image", "modules", "base") if (name := f"linux-{kind}-{release}") in names]
    return release, packages


def module_files(kernel, wanted):
    """Modules to insert, in order: pairs (name, uncompressed bytes). Built-in ones are left out.

    Returns (modules, names that this kernel does not have). Dependencies come from each module's own .modinfo:
    the packages have no modules.dep before they are configured.
    """
    builtin = {_module_name(line) for line in (kernel.modules / "modules.builtin").read_text().split()}
    files = {_module_name(path.name): path for path in kernel.modules.rglob("*.ko*")}
    ordered, missing = {}, []

    def add(name):
        if name in builtin or name in ordered:
            return
        if name not in files:
            missing.append(name)
            return
        data = _module_bytes(files[name])
        depends = re.search(rb"\0depends=([^\0]*)\0", data)
        for dependency in filter(None, depends[1].decode().split(",") if depends else []):
            add(_module_name(dependency))
        ordered[name] = data

    for name in wanted:
        add(_module_name(name))
    return list(ordered.items()), missing


def _module_name(path):
    return path.rsplit("/", 1)[-1].split(".ko")[0].replace("-", "_")


def _module_bytes(path):
    data = path.read_bytes()
    if path.suffix == ".xz":
        return lzma.decompress(data)
    if path.suffix == ".zst":
        return subprocess.run(["zstd", "-dc"], input=data, stdout=subprocess.PIPE, check=True).stdout
    return data
