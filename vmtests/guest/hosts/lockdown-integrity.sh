# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154  # sourced by ../host
# lockdown=integrity, as on a host with secure boot. It forbids nothing that twtrace does.

mount -t securityfs securityfs /sys/kernel/security
use_cgroup2
check "the mode is on" says "[integrity]" cat /sys/kernel/security/lockdown
for backend in $VM_BACKENDS; do
  check "$backend counts exactly" counts "$backend" "$backend" twtrace -b --json --probe "$backend"
  check "$backend names the service" service_is "$backend" web.service
done
check "doctor: all backends" doctor_says 0 "lockdown integrity" twtrace doctor
