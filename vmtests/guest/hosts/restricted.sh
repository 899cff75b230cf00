# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154  # sourced by ../host
# An ordinary kernel, first without its BTF, then without one backend after the other.

use_cgroup2

# --- no kernel BTF ---------------------------------------------------------------------------------------------------
cp /sys/kernel/btf/vmlinux /tmp/vmlinux.btf
mount -t tmpfs tmpfs /sys/kernel/btf
check "no BTF: refused, with the remedy" refuses "--btf FILE" twtrace -b -n 1
check "no BTF: doctor says so" doctor_says 77 "kernel BTF no" twtrace doctor
check "BTF from a file: kprobe counts exactly" counts btf-file kprobe twtrace -b --json --btf /tmp/vmlinux.btf
check "BTF from a file: the service is named" service_is btf-file web.service
check "BTF from a file: nothing to warn of" same "lines" "$(grep -vc ready "$RESULTS/btf-file.log")" 0
check "BTF from a file: says why not fentry" fallback_says btf-file "fentry: needs the running kernel's own BTF"
check "BTF from a file: doctor agrees" doctor_says 0 "backend in use kprobe" twtrace doctor --btf /tmp/vmlinux.btf
check "no such BTF file: a failure" says "cannot read BTF from /tmp/none" twtrace -b -n 1 --btf /tmp/none
umount /sys/kernel/btf

# --- backends switched off -------------------------------------------------------------------------------------------
check "without fentry: kprobe counts exactly" counts no-fentry kprobe twtrace -b --json --no-feature fentry
check "without fentry: the reason is shown" fallback_says no-fentry "fentry: switched off"
check "without both: tracepoint counts exactly" counts no-kprobe tracepoint \
  twtrace -b --json --no-feature fentry --no-feature kprobe
check "without both: both reasons are shown" fallback_says no-kprobe '"fentry: switched off","kprobe: switched off"'
none=(--no-feature fentry --no-feature kprobe --no-feature tracepoint)
check "without any: refused" refuses "tracepoint: switched off" twtrace -b "${none[@]}"
check "without any: doctor agrees" doctor_says 77 "none: twtrace cannot run here" twtrace doctor "${none[@]}"
