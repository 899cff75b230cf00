# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154  # sourced by ../host
# An ordinary user with no capability, with one, and with the fewest that suffice.

use_cgroup2
with ""
check "no privileges: refused, naming them" refuses "CAP_BPF and CAP_PERFMON" "${as[@]}" twtrace -b
check "no privileges: with what grants them" refuses "--cap-add BPF --cap-add PERFMON" "${as[@]}" twtrace -b
check "no privileges: doctor agrees" doctor_says 77 "CAP_BPF no" "${as[@]}" twtrace doctor
with +bpf
check "one of the two: refused, naming the other" refuses "needs CAP_PERFMON," "${as[@]}" twtrace -b

# Before 5.11, maps count against RLIMIT_MEMLOCK. Raising it takes one more capability.
least=+bpf,+perfmon
with "$least"
if ! "${as[@]}" twtrace -b -d 0.1 -n 1 >/dev/null 2>&1; then
  check "locked memory: refused, naming CAP_SYS_RESOURCE" refuses "needs CAP_SYS_RESOURCE," "${as[@]}" twtrace -b
  check "locked memory: with what grants it" refuses "--cap-add SYS_RESOURCE" "${as[@]}" twtrace -b
  check "locked memory: doctor agrees" doctor_says 77 "CAP_SYS_RESOURCE no" "${as[@]}" twtrace doctor
  with "$least,+sys_resource"
fi

# The two suffice in every network namespace.
own=(nsenter --net="/run/netns/$netns" "${as[@]}")
for backend in fentry tracepoint; do
  check "the least: $backend counts its own namespace exactly" \
    counts "own-$backend" "$backend" "${own[@]}" twtrace -b --json --probe "$backend"
  check "the least: $backend names the service" service_is "own-$backend" web.service
  check "the least: $backend counts another namespace exactly" \
    counts "other-$backend" "$backend" "${as[@]}" twtrace -b --json --probe "$backend"
  check "the least: $backend has nothing to warn of" same "lines" "$(wc -l <"$RESULTS/other-$backend.log")" 1
done
check "the least: live of another namespace is known to scans" \
  same "live" "$(row_entry "$RESULTS/other-tracepoint.json" | field live)" "$created"
