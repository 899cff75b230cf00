# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154  # sourced by ../host
# twtrace sees no cgroup file system. Everything works, and services have the kernel's names.

cgroup_root=
without_cgroups=(unshare -m sh -c 'umount /run/cgroups; exec "$0" "$@"')

check "nothing is mounted" bash -c '! grep -q cgroup /proc/mounts'
check "no cgroups: counts exactly" counts no-cgroups fentry twtrace -b --json
check "no cgroups: there is only the root" service_is no-cgroups /
check "no cgroups: nothing to warn of" same "lines" "$(grep -vc ready "$RESULTS/no-cgroups.log")" 0
check "no cgroups: doctor says so" doctor_says 0 "cgroup hierarchy none is mounted" twtrace doctor

# As in a container that does not see the one of the host.
mkdir -p /run/cgroups
mount -t cgroup2 cgroup2 /run/cgroups
cgroup_root=/run/cgroups
use_cgroup2
check "cgroups out of sight: counts exactly" counts hidden fentry "${without_cgroups[@]}" twtrace -b --json
check "cgroups out of sight: the service is named" service_is hidden web.service
