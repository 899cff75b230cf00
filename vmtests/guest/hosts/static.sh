# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154  # sourced by ../host
# The static program in a root directory with nothing else: no library, no terminfo, no user database.

bare=/tmp/bare
console=5
alone=(chroot "$bare" /twtrace)

make_bare() {
  mkdir -p "$bare/proc" "$bare/sys" "$bare/dev" && cp bare/twtrace "$bare" &&
    mount -o rbind /proc "$bare/proc" && mount -o rbind /sys "$bare/sys" && mount -o rbind /dev "$bare/dev"
}

# A virtual console of the kernel is the terminal. /dev/vcs has its text.
screen() { fold -w 80 "/dev/vcs$console"; }

# shows TEXT: waits until the console shows it.
shows() {
  local waited=0
  until screen | grep -q -- "$1"; do
    if [ "$waited" -ge 600 ]; then
      echo "the screen does not show: $1"
      screen
      return 1
    fi
    sleep 0.1
    waited=$((waited + 1))
  done
}

# The live view shows a known workload, and ends well.
live_view() {
  local status=0 tty=/dev/tty$console
  make_namespace || return 1
  setsid -c env TERM=linux "${alone[@]}" <"$tty" >"$tty" 2>"$RESULTS/live.log" &
  shows "^TIME_WAIT" && run_workload "$created" && shows "tw-client .* $port .* $created " || status=1
  screen >"$RESULTS/screen"
  kill -INT $!
  wait $! || { echo "twtrace exited with $?"; cat "$RESULTS/live.log"; status=1; }
  drop_namespace
  return $status
}

use_cgroup2
check "nothing else is there" make_bare
for backend in $VM_BACKENDS; do
  check "$backend: exact" counts "static-$backend" "$backend" "${alone[@]}" -b --json --probe "$backend"
done
check "the live view" live_view
