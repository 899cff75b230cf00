# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154  # sourced by ../host
# lockdown=confidentiality before Linux 5.11: without bpf_get_current_task_btf, nothing can name the owner.

mount -t securityfs securityfs /sys/kernel/security
check "the mode is on" says "[confidentiality]" cat /sys/kernel/security/lockdown
check "refused, with the reason" \
  refuses "fentry: needs bpf_probe_read_kernel, which this kernel forbids (lockdown=confidentiality) before Linux 5.11" \
  twtrace -b
check "refused, with the remedy" refuses "boot with lockdown=integrity" twtrace -b
check "doctor agrees" doctor_says 77 "none: twtrace cannot run here" twtrace doctor
