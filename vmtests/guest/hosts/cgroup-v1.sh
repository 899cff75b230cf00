# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154  # sourced by ../host
# cgroup v1 only: the services are in systemd's named hierarchy.

cgroup_root=/run/cgroup-v1
mkdir -p "$cgroup_root"
check "name=systemd can be mounted" mount -t cgroup -o none,name=systemd systemd "$cgroup_root"
use_cgroup2 # the same directories
for backend in $VM_BACKENDS; do
  check "$backend counts exactly" counts "$backend" "$backend" twtrace -b --json --probe "$backend"
  check "$backend names the unit" service_is "$backend" web.service
done
check "doctor names the hierarchy" doctor_says 0 "cgroup hierarchy v1 name=systemd at $cgroup_root" twtrace doctor
