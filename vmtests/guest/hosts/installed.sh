# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2329  # sourced by ../host
# A fresh system with systemd, and a new user's first minutes: install, look around, start the exporter, trust it, purge.

unit=twtrace-exporter.service
url=localhost:9476
export MANPAGER=cat PAGER=cat SYSTEMD_COLORS=0

apt_get() { DEBIAN_FRONTEND=noninteractive apt-get -y -q "$@"; }

# until_true COMMAND...: waits for it.
until_true() {
  local waited=0
  until "$@" >/dev/null 2>&1; do
    if [ "$waited" -ge 600 ]; then
      echo "waited in vain for: $*"
      "$@"
      systemctl status --no-pager "$unit"
      return 1
    fi
    sleep 0.2
    waited=$((waited + 1))
  done
}

property() { systemctl show --property="$1" --value "$unit"; }

is_ready() { curl -sS --fail "$url/-/ready"; }

scrape() { curl -sS --fail "$url/metrics" >"$RESULTS/metrics"; }

# total METRIC [LABEL]: the sum of its samples of the namespace that have this label, in the last scrape.
total() {
  grep -F "$1{" "$RESULTS/metrics" | grep -F "netns=\"$netns\"" | grep -F -- "${2-}" | awk '{ sum += $NF } END { print sum + 0 }'
}

# --- the program -----------------------------------------------------------------------------------------------------

not_started() { same enabled "$(systemctl is-enabled "$unit")" disabled && same active "$(systemctl is-active "$unit")" inactive; }

reads_the_page() { says "TIME_WAIT" man "$1"; }

# As a person does it: an interactive shell on a terminal, and the Tab key.
completes() {
  printf 'source /usr/share/bash-completion/bash_completion\ntwtrace expo\t--hel\t | head -n 3\nexit\n' |
    script -qec "bash --norc -i" /dev/null >"$RESULTS/terminal"
  says "Serve metrics" cat "$RESULTS/terminal"
}

check "apt installs the packages, without a network" apt_get install /packages/*.deb /packages/dependencies/*.deb
check "the exporter is neither enabled nor started" not_started
check "doctor is content" twtrace doctor
for page in twtrace twtrace-export twtrace-capture; do check "man $page" reads_the_page "$page"; done
check "bash completes" completes

# writes UNIT LINE...: systemd runs a unit that writes the lines to the journal.
writes() { systemd-run --quiet --wait --unit="$1" printf '%s\n' "${@:2}"; }

# What the unit wrote before the capture, what does not match, and what another unit wrote are no errors of it.
follows_the_journal() {
  local db=$RESULTS/journal.db wrong=0
  writes agent "Connection reset by peer before the capture" || return 1
  export -f writes
  twtrace capture -o "$db" --journal agent.service -- bash -c '
    writes agent "item 1 lost: Connection reset by peer" "item 2 popped" "item 3 lost: Connection reset by peer"
    writes other "Connection refused"
    writes agent "item 4: Connection timed out"' >"$RESULTS/journal.report" || wrong=1
  twtrace report -o json "$db" | grep -o '"application_errors":.*' >"$RESULTS/journal.json" &&
    says '"log":"agent.service"' cat "$RESULTS/journal.json" && says '"lines":3,' cat "$RESULTS/journal.json" &&
    says "item 1 lost: Connection reset by peer" twtrace report "$db" || wrong=1
  [ "$wrong" -eq 0 ] || cat "$RESULTS/journal.report" "$RESULTS/journal.json"
  return $wrong
}

check "a capture follows the journal of a unit" follows_the_journal

# --- the service -----------------------------------------------------------------------------------------------------

# At once: systemctl has waited until it is ready.
serves() {
  is_ready && scrape && says "twtrace_build_info{version=\"$(dpkg-query -W -f '${Version}' twtrace)\"" \
    cat "$RESULTS/metrics"
}

# A user that exists while the service runs, without a single capability, filtered.
is_nobody() {
  local pid status user
  pid=$(property MainPID) && status=$(cat "/proc/$pid/status") && user=$(awk '/^Uid:/ { print $2 }' <<<"$status")
  same dynamic "$(property DynamicUser)" yes && ! grep -q ":$user:" /etc/passwd && [ "$user" -ge 61184 ] &&
    same bounding "$(property CapabilityBoundingSet)" "cap_perfmon cap_bpf" &&
    same ambient "$(property AmbientCapabilities)" "cap_perfmon cap_bpf" &&
    same held "$(awk '/^Cap(Prm|Eff|Inh|Amb):/ { print $2 }' <<<"$status" | sort -u)" 0000000000000000 &&
    same NoNewPrivs "$(awk '/^NoNewPrivs:/ { print $2 }' <<<"$status")" 1 &&
    same Seccomp "$(awk '/^Seccomp:/ { print $2 }' <<<"$status")" 2 || { echo "$status"; return 1; }
}

# 20 is an exposure of 2.0.
is_confined() { systemd-analyze security --no-pager --threshold=20 "$unit"; }

status_is_useful() {
  systemctl status --no-pager "$unit" >"$RESULTS/unit_status" 2>&1
  says "active (running)" cat "$RESULTS/unit_status" &&
    says 'Status: "http://127.0.0.1:9476/metrics: no table is full, no bucket was refused"' cat "$RESULTS/unit_status" &&
    says "man:twtrace-export(8)" cat "$RESULTS/unit_status"
}

restarts_with_options() {
  local before after
  before=$(property MainPID)
  echo 'ARGS="-d 0.2 --metrics.min-age 0"' >/etc/default/twtrace-exporter
  systemctl restart "$unit" && is_ready && after=$(property MainPID) && [ "$before" != "$after" ] &&
    says "--metrics.min-age" tr '\0' ' ' <"/proc/$after/cmdline"
}

# load COUNT: connections in the namespace, by a service that systemd starts there.
load() {
  systemd-run --quiet --wait --unit=web -p NetworkNamespacePath="/run/netns/$netns" \
    "$(type -P tw_workload)" half-close --count "$1" --port "$port"
}

counted() { scrape && [ "$(total twtrace_netstat_tcp_time_wait_overflow_total)" = "$refused" ]; }

equals_nstat() {
  local wrong=0 kernel metric
  make_namespace || return 1
  load "$created" && inside sysctl -qw net.ipv4.tcp_max_tw_buckets="$created" && load "$refused" && until_true counted || wrong=1
  kernel=$(inside nstat -asz | awk '$1 == "TcpExtTW" || $1 == "TcpExtTWKilled" { sum += $2 } END { print sum }')
  same "kernel's created" "$kernel" "$created" || wrong=1
  same "kernel's refused" "$(inside nstat -asz | awk '$1 == "TcpExtTCPTimeWaitOverflow" { print $2 }')" "$refused" || wrong=1
  for metric in "time_wait_created_total $created" "time_wait_refused_total $refused" "netstat_time_wait_created_total $created" \
    "time_wait_buckets $created" "time_wait_buckets_limit $created" "missed_total 0"; do
    same "${metric% *}" "$(total "twtrace_${metric% *}")" "${metric#* }" || wrong=1
  done
  same "created by the service" "$(total twtrace_time_wait_created_total 'workload="web.service"')" "$created" || wrong=1
  same "refused to the service" "$(total twtrace_time_wait_refused_total 'workload="web.service"')" "$refused" || wrong=1
  [ "$wrong" -eq 0 ] || cat "$RESULTS/metrics"
  drop_namespace
  return $wrong
}

# Only a service that runs is restarted when its package is installed again.
is_restarted_by_apt() {
  local before
  before=$(property MainPID)
  apt_get reinstall /packages/twtrace-exporter_*.deb && is_ready && [ "$before" != "$(property MainPID)" ]
}

stops_clean() {
  systemctl stop "$unit" && same result "$(property Result)" success && same status "$(property ExecMainStatus)" 0 &&
    same code "$(property ExecMainCode)" 1 && ! curl -sS --max-time 5 "$url/-/healthy" 2>/dev/null &&
    same failed "$(systemctl list-units --failed --no-legend "twtrace*" | wc -l)" 0
}

in_journal() { journalctl --no-pager -u "$unit" | grep -F -- "$1"; }

# starts_in_vain REASON: systemctl start fails at once, and the status of the unit says why. The journal may take a moment.
starts_in_vain() {
  if systemctl start "$unit"; then
    echo "it started"
    return 1
  fi
  systemctl status --no-pager --lines=20 "$unit" >"$RESULTS/failed_status" 2>&1
  says "$1" grep -F "Status:" "$RESULTS/failed_status" && until_true in_journal "twtrace: $1" &&
    systemctl stop "$unit" && systemctl reset-failed "$unit"
}

fails_without_its_address() {
  echo 'ARGS="--web.listen-address 192.0.2.1:9476"' >/etc/default/twtrace-exporter
  starts_in_vain "cannot listen on 192.0.2.1:9476"
}

# The programs do not load: systemd takes the capabilities away.
fails_to_load() {
  local override=/run/systemd/system/$unit.d
  echo 'ARGS=""' >/etc/default/twtrace-exporter
  mkdir -p "$override" && printf '[Service]\nAmbientCapabilities=\n' >"$override/none.conf" && systemctl daemon-reload &&
    starts_in_vain "tracing needs CAP_BPF and CAP_PERFMON" && rm -r "$override" && systemctl daemon-reload
}

purges() {
  apt_get purge --autoremove 'twtrace*' && ! id twtrace-exporter 2>/dev/null && ! systemctl cat "$unit" 2>/dev/null &&
    same files "$(find / -xdev \( -path /packages -o -path /vm -o -path /var/log -o -path /var/lib/dpkg -o -path /results -o -path /var/cache \) -prune -o -name '*twtrace*' -print)" ""
}

check "systemctl enable --now" systemctl enable --now "$unit"
check "it serves as soon as systemctl returns" serves
check "it is a dynamic user without capabilities" is_nobody
check "systemd rates its exposure 2.0 or better" is_confined
check "systemctl status says where to look" status_is_useful
check "it restarts, with the options of /etc/default" restarts_with_options
check "its metrics equal nstat on a known load" equals_nstat
check "apt restarts it" is_restarted_by_apt
check "it stops clean" stops_clean
check "without its address, it does not start, and its status says why" fails_without_its_address
check "a load that fails is an error of systemctl start" fails_to_load
check "a purge leaves nothing" purges
