# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154  # sourced by ../host
# An ordinary user with none, one or the least of the capabilities.

use_cgroup2
with ""
check "no privileges: refused, naming them" refuses "CAP_BPF and CAP_PERFMON" "${as[@]}" twtrace -b
check "no privileges: with the command" refuses "setcap cap_bpf,cap_perfmon" "${as[@]}" twtrace -b
check "no privileges: doctor agrees" doctor_says 77 "CAP_BPF no" "${as[@]}" twtrace doctor
with +bpf
check "one of the two: refused, naming the other" refuses "needs CAP_PERFMON," "${as[@]}" twtrace -b

# Before 5.11 the memory of maps is RLIMIT_MEMLOCK's, and raising it takes one more.
least=+bpf,+perfmon,+net_admin,+sys_ptrace
with "$least"
if ! "${as[@]}" twtrace -b -d 0.1 -n 1 >/dev/null 2>&1; then
  check "locked memory: refused, naming CAP_SYS_RESOURCE" refuses "needs CAP_SYS_RESOURCE," "${as[@]}" twtrace -b
  check "locked memory: with the command" refuses ",cap_sys_resource+ep" "${as[@]}" twtrace -b
  check "locked memory: doctor agrees" doctor_says 77 "CAP_SYS_RESOURCE no" "${as[@]}" twtrace doctor
  with "$least,+sys_resource"
fi

# Entering another namespace takes CAP_SYS_ADMIN: what is in the own one has to be exact without it.
own=(nsenter --net="/run/netns/$netns" "${as[@]}")
for backend in fentry tracepoint; do
  check "without CAP_SYS_ADMIN: $backend counts its own namespace exactly" \
    counts "own-$backend" "$backend" "${own[@]}" twtrace -b --json --probe "$backend"
  check "without CAP_SYS_ADMIN: $backend names the service" service_is "own-$backend" web.service
  check "without CAP_SYS_ADMIN: $backend says what it cannot see" \
    same "lines" "$(grep -c CAP_SYS_ADMIN "$RESULTS/own-$backend.log")" 1
  check "without CAP_SYS_ADMIN: $backend says nothing else" same "lines" "$(wc -l <"$RESULTS/own-$backend.log")" 2
  check "without CAP_SYS_ADMIN: $backend counts another namespace" \
    counts "other-$backend" "$backend" "${as[@]}" twtrace -b --json --probe "$backend"
done
check "without CAP_SYS_ADMIN: live of another namespace is unknown to scans" \
  same "live" "$(row_entry "$RESULTS/other-tracepoint.json" | field live)" null
check "without CAP_SYS_ADMIN: doctor agrees" doctor_says 0 "CAP_SYS_ADMIN no other network namespaces" \
  "${as[@]}" twtrace doctor
