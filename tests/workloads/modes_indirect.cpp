// SPDX-License-Identifier: Apache-2.0
// Modes in which the process does not simply close: it was handed the listener, or MPTCP, io_uring or the kernel
// closes.
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "io_uring.hpp"
#include "modes.hpp"
#include "places.hpp"
#include "steps.hpp"
#include "tcp.hpp"

namespace twtrace::workload {
namespace {

// As in socket activation, a manager opens the listener, and a service in a cgroup of its own accepts and closes.
void listen_for_another_service(Context& context) {
  const int listener = start_server(context);
  const pid_t service = fork_owner(context, "tw-active");
  if (service == 0) {
    if (!context.options.cgroup_child.empty()) enter_cgroup(context.options.cgroup_child);
    for (int i = 0; i < context.options.count; ++i) close(accept_one(listener));
    _exit(0);
  }
  if (!wait_for(service)) _exit(1);
}

void connect_all_and_close_by_ring(Context& context) {
  const std::vector<int> fds = connect_all(context);
  context.link.wait();
  IoUring ring;
  for (const int fd : fds) ring.close(fd, false);
}

// Threads of this process since 5.12, kernel threads before.
void connect_all_and_close_in_ring_worker(Context& context) {
  const std::vector<int> fds = connect_all(context);
  context.link.wait();
  IoUring ring;
  for (const int fd : fds) ring.close(fd, true);
}

// The ring holds the last reference of each connection. It is torn down by a kworker after this process has ended.
void connect_all_and_leave_to_ring(Context& context) {
  const std::vector<int> fds = connect_all(context);
  context.link.wait();
  IoUring ring;
  ring.hold(fds);
  close_all(fds);
  _exit(0);
}

// Whoever finds the MPTCP connection finished sends the subflow's FIN: mostly a kworker, and at both ends at once. So
// either end may own a bucket, or both.
void accept_mptcp_and_follow(Context& context) {
  const int listener = listen_on(context.options.family, context.options.port, IPPROTO_MPTCP);
  context.link.tell();
  for (int i = 0; i < context.options.count; ++i) {
    const int fd = accept_one(listener, IPPROTO_MPTCP);
    read_eof(fd);
    close(fd);
  }
}

void connect_mptcp_and_close(Context& context) {
  context.link.wait();
  for (int i = 0; i < context.options.count; ++i) {
    close(connect_one(context.options.family, context.options.port, 0, IPPROTO_MPTCP));
  }
}

// The shutdown comes before the end of the handshake. The kernel sends the FIN at that end; before 6.9, at once.
void accept_early_and_shut_down(Context& context) {
  const int listener = listen_on(context.options.family, context.options.port);
  accept_early(listener);
  context.link.tell();
  std::vector<int> fds;
  for (int i = 0; i < context.options.count; ++i) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) die("accept");
    receive_byte(fd);
    send_fin(fd);
    fds.push_back(fd);
  }
  for (const int fd : fds) let_be_established(fd);
  for (const int fd : fds) {
    read_eof(fd);
    wait_closed(fd);
  }
  close_all(fds);
}

void connect_early_and_follow(Context& context) {
  context.link.wait();
  std::vector<int> fds;
  for (int i = 0; i < context.options.count; ++i)
    fds.push_back(connect_early(context.options.family, context.options.port));
  for (const int fd : fds) end_passively(fd);
}

}  // namespace

std::vector<Mode> indirect_modes() {
  return {
      {"activated", listen_for_another_service, connect_and_follow, Owner::kServerChild, Stage::kAny, "tw-active"},
      {"io-uring", accept_all_and_follow, connect_all_and_close_by_ring, Owner::kClient, Stage::kAny},
      {"io-uring-worker", accept_all_and_follow, connect_all_and_close_in_ring_worker, Owner::kClient, Stage::kAny},
      {"io-uring-exit", accept_all_and_follow, connect_all_and_leave_to_ring, Owner::kClientSocket, Stage::kAny},
      {"fast-open", accept_early_and_shut_down, connect_early_and_follow, Owner::kServer, Stage::kAny},
      {"mptcp", accept_mptcp_and_follow, connect_mptcp_and_close, Owner::kBoth, Stage::kAny},
  };
}

}  // namespace twtrace::workload
