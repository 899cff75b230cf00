#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs redis-server with redis-benchmark, and nginx with ab. Each service has its own cgroup, and each pair its own
# network namespace. Every row must name the right process, service, role and port. The sums must equal what nstat says
# in the namespace. --show also prints the table; the output in the README comes from it.
# $TWTRACE_PROBE chooses the backend.
#
# usage: real_services.sh TWTRACE [--show]
set -euo pipefail

twtrace=$1
show=${2:-}
requests=1009
run=twreal$$
work=$(mktemp -d)
nginx_conf=$(realpath "$(dirname "$0")/../support/nginx.conf")
cgroup_root=$(findmnt -n -t cgroup2 -o TARGET | sed -n 1p)
pids=()

cleanup() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  for ns in redis web; do ip netns del "$run-$ns" 2>/dev/null || true; done
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    rmdir "$cgroup_root/$run"/*.service "$cgroup_root/$run" 2>/dev/null || true
    [ -d "$cgroup_root/$run" ] || break
    sleep 0.2
  done
  rm -rf "$work"
}
trap cleanup EXIT

# in_service NAMESPACE SERVICE COMMAND...: sets `command` to a command that runs COMMAND in the namespace and in the
# cgroup of the service. It replaces itself by COMMAND, so that $! is the right pid.
in_service() {
  command=(bash -c 'echo $$ > "$0/cgroup.procs" && ns=$1 && shift && exec ip netns exec "$ns" "$@"'
    "$cgroup_root/$run/$2" "$run-$1" "${@:3}")
}

wait_for() {
  for _ in $(seq 100); do
    if "$@" >/dev/null 2>&1; then return 0; fi
    sleep 0.1
  done
  echo "timed out: $*" >&2
  return 1
}

# counter NAMESPACE NAME: prints a TcpExt counter of the namespace.
counter() { ip netns exec "$run-$1" nstat -asz "$2" | awk -v name="$2" '$1 == name { print $2 }'; }

for ns in redis web; do
  ip netns add "$run-$ns"
  ip -n "$run-$ns" link set lo up
  # Else a connect may reuse the bucket of redis-cli below. It is from before the start, so no row counts its end.
  ip netns exec "$run-$ns" sh -c 'echo 0 > /proc/sys/net/ipv4/tcp_tw_reuse'
done
mkdir "$cgroup_root/$run"
for service in redis queue-worker nginx checkout; do mkdir "$cgroup_root/$run/$service.service"; done

in_service redis redis.service redis-server --port 6379 --save "" --dir "$work" --daemonize no
"${command[@]}" > /dev/null &
pids+=($!)
in_service web nginx.service nginx -p "$work" -c "$nginx_conf" -e /dev/null
"${command[@]}" &
pids+=($!)
wait_for ip netns exec "$run-redis" redis-cli ping
wait_for test -s "$work/nginx.pid"
wait_for ip netns exec "$run-web" sh -c 'ss -ltn | grep -q :8080'
wait_for ip netns exec "$run-redis" sh -c '! ss -Htn | grep -q .' # else redis-cli's bucket comes after the start

# start NAME OPTIONS...: starts a twtrace that writes NAME.out. Returns when it is attached.
start() {
  local name=$1
  shift
  "$twtrace" "$@" > "$work/$name.out" 2> "$work/$name.err" &
  pids+=($!)
  wait_for grep -q ready "$work/$name.err"
}
start json -b --json -d 1 --probe "${TWTRACE_PROBE:-auto}"
json_pid=${pids[-1]}
if [ "$show" = --show ]; then
  start table -b -d 2
  table_pid=${pids[-1]}
fi
before_redis=$(( $(counter redis TcpExtTW) + $(counter redis TcpExtTWKilled) ))
before_web=$(( $(counter web TcpExtTW) + $(counter web TcpExtTWKilled) ))

in_service redis queue-worker.service redis-benchmark -k 0 -n $requests -c 5 -t ping_inline -q
"${command[@]}" > /dev/null 2>&1
in_service web checkout.service ab -q -n $requests -c 5 http://127.0.0.1:8080/
"${command[@]}" > /dev/null 2>&1
sleep 1.5
stop() {
  kill -INT "$1"
  wait "$1"
}
stop "$json_pid"
[ "$show" = --show ] && { stop "$table_pid"; }

redis_inum=$(stat -Lc %i "/run/netns/$run-redis")
web_inum=$(stat -Lc %i "/run/netns/$run-web")
created_redis=$(( $(counter redis TcpExtTW) + $(counter redis TcpExtTWKilled) - before_redis ))
created_web=$(( $(counter web TcpExtTW) + $(counter web TcpExtTWKilled) - before_web ))

tail -n 1 "$work/json.out" > "$work/last.json"
check() {
  local what=$1
  shift
  if ! jq -e "$@" "$work/last.json" > /dev/null; then
    echo "FAILED: $what" >&2
    jq -c '.namespaces[], .rows[]' "$work/last.json" >&2
    exit 1
  fi
  echo "ok: $what"
}

check "redis-benchmark of queue-worker.service is a client of port 6379 and owns every bucket ($created_redis)" \
  --argjson ns "$redis_inum" --argjson n "$created_redis" --argjson least "$requests" \
  '[.rows[] | select(.netns == $ns and .kind == "normal")] | length == 1 and (.[0] |
     .process.comm == "redis-benchmark" and .service.name == "queue-worker.service" and .service.kind == "systemd" and
     .role == "client" and .port == 6379 and .attribution == "closer" and .created == $n and .created >= $least)'
# ab may open a connection that it no longer needs, and closes it. That adds a row, which is part of the sum.
check "nginx of nginx.service is the server of port 8080 and owns one bucket per request ($requests)" \
  --argjson ns "$web_inum" --argjson n "$created_web" --argjson requests "$requests" \
  '[.rows[] | select(.netns == $ns and .kind == "normal")] | (map(.created) | add) == $n and
   all(.[]; .port == 8080 and .attribution == "closer") and
   (map(select(.role == "server")) | length == 1 and (.[0] |
      .process.comm == "nginx" and .process.pids <= 2 and .service.name == "nginx.service" and .created == $requests)) and
   all(.[] | select(.role == "client"); .process.comm == "ab" and .service.name == "checkout.service")'
for ns in "$redis_inum:$created_redis" "$web_inum:$created_web"; do
  check "namespace ${ns%:*}: created equals nstat (${ns#*:}), reconciled, nothing missed" \
    --argjson ns "${ns%:*}" --argjson n "${ns#*:}" \
    '.namespaces[] | select(.netns == $ns) |
     .created == $n and .kernel.created == $n and .missed.created == 0 and .overflow == 0 and .reconciled == true'
done
check "no count was lost" '.lost.counts == 0'
if [ "$show" = --show ]; then cat "$work/table.out"; fi
