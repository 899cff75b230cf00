# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154  # sourced by ../host
# Runs the bpf tier's test of real traffic (redis-server with redis-benchmark, nginx with ab) with every backend.

mkdir -p /var/lib/nginx /var/log/nginx
for backend in $VM_BACKENDS; do
  export TWTRACE_PROBE=$backend
  check "$backend: every row is the right service's, the sums are nstat's" bash /vm/bpf/real_services.sh /vm/twtrace
done
