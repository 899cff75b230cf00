// SPDX-License-Identifier: Apache-2.0
// The floor of scripts/bench: what a program costs that does nothing, on the hook of the tracepoint backend and
// attached as that is. Says "ready" on standard error and stays until SIGINT.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

[[noreturn]] void die(const char* what, int error) {
  std::fprintf(stderr, "tw_floor: %s: %s\n", what, std::strerror(error < 0 ? -error : error));
  std::exit(1);
}

/// Attaches `r0 = 0; exit` to sock:inet_sock_set_state (tp_btf). Program and link stay open until this process ends.
void attach_empty_program() {
  bpf_insn code[2] = {};
  code[0].code = BPF_ALU64 | BPF_MOV | BPF_K;
  code[1].code = BPF_JMP | BPF_EXIT;
  const int type = libbpf_find_vmlinux_btf_id("inet_sock_set_state", BPF_TRACE_RAW_TP);
  if (type < 0) die("sock:inet_sock_set_state is not in the kernel's BTF", type);
  bpf_prog_load_opts options{};
  options.sz = sizeof(options);
  options.expected_attach_type = BPF_TRACE_RAW_TP;
  options.attach_btf_id = static_cast<__u32>(type);
  const int program = bpf_prog_load(BPF_PROG_TYPE_TRACING, "floor", "GPL", code, 2, &options);
  if (program < 0) die("loading", program);
  const int link = bpf_raw_tracepoint_open(nullptr, program);
  if (link < 0) die("attaching", link);
}

}  // namespace

int main(int argc, char** argv) {
  const int programs = argc == 2 ? std::atoi(argv[1]) : 1;
  if (argc > 2 || programs < 1 || programs > 16) {
    std::fputs("usage: tw_floor [PROGRAMS]  1 to 16, default 1\n", stderr);
    return 2;
  }
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGINT);
  sigaddset(&ending, SIGTERM);
  sigprocmask(SIG_BLOCK, &ending, nullptr);
  libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
  for (int i = 0; i < programs; ++i) attach_empty_program();
  std::fputs("ready\n", stderr);
  int signal = 0;
  sigwait(&ending, &signal);
  return 0;
}
