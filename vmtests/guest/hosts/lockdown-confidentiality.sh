# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154  # sourced by ../host
# lockdown=confidentiality: bpf_probe_read_kernel and kprobes are forbidden, BTF-typed loads are not.

use_cgroup2
forbidden="needs bpf_probe_read_kernel, which this kernel forbids (lockdown=confidentiality)"

# These were closed before the start, so only the socket can name the service.
counts_what_was_closed_before() {
  local status=0 label=before
  make_namespace || return 1
  inside sysctl -qw net.ipv4.tcp_fin_timeout=120
  mkfifo /run/go
  inside tw_workload closed-before-start --count 61 --port "$port" \
    --cgroup-client "$cgroup_root/system.slice/web.service" </run/go >/run/held &
  local workload=$!
  exec 9>/run/go
  until grep -q held /run/held; do sleep 0.1; done
  start_trace "$label" twtrace -b --json && echo >&9 && wait $workload && stop_trace "$label" || status=1
  exec 9>&-
  rm /run/go
  drop_namespace
  [ $status -eq 0 ] || return 1
  same "created" "$(row_entry "$RESULTS/$label.json" '"attribution":"cgroup"' | field created)" 61 &&
    same "role" "$(row_entry "$RESULTS/$label.json" '"attribution":"cgroup"' | field role)" client &&
    same "service" "$(row_entry "$RESULTS/$label.json" '"attribution":"cgroup"' | grep -o '"service":{[^}]*}' | field name)" \
      web.service || { tail -n 1 "$RESULTS/$label.json"; return 1; }
}

# The mode cannot be read here: securityfs is not mounted yet, as in many containers.
check "fentry counts exactly" counts blind fentry twtrace -b --json
check "the service is named" service_is blind web.service
mount -t securityfs securityfs /sys/kernel/security
check "the mode is on" says "[confidentiality]" cat /sys/kernel/security/lockdown
check "fentry counts exactly" counts fentry fentry twtrace -b --json
check "a connection closed before the start: counted, with service and role" counts_what_was_closed_before
check "kprobe: refused" refuses "kprobe: $forbidden" twtrace --probe kprobe -b
check "tracepoint: refused" refuses "tracepoint: $forbidden" twtrace --probe tracepoint -b
check "without fentry: refused" refuses "boot with lockdown=integrity" twtrace --no-feature fentry -b
check "doctor: fentry works" doctor_says 0 "lockdown confidentiality" twtrace doctor
check "doctor: says why kprobe does not" doctor_says 0 "kprobe no $forbidden" twtrace doctor
check "doctor: without fentry nothing works" doctor_says 77 "none: twtrace cannot run here" twtrace doctor --no-feature fentry
