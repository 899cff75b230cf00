// SPDX-License-Identifier: Apache-2.0
// Modes in which exactly one process closes first: by close(), shutdown(), exit or death.
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <csignal>
#include <fstream>
#include <thread>

#include "modes.hpp"
#include "steps.hpp"
#include "tcp.hpp"

namespace twtrace::workload {
namespace {

void accept_and_close(Context& context) {
  const int listener = start_server(context);
  for (int i = 0; i < context.options.count; ++i) close(accept_one(listener));
}

// As a pre-forking server: the parent opened the listener, a worker accepts and closes.
void accept_and_close_in_worker(Context& context) {
  const int listener = start_server(context);
  const pid_t worker = fork_owner(context, "tw-worker");
  if (worker == 0) {
    for (int i = 0; i < context.options.count; ++i) close(accept_one(listener));
    _exit(0);
  }
  if (!wait_for(worker)) _exit(1);
}

// As in a restart, the listener is gone before the connections end.
void stop_listening_then_close_all(Context& context) {
  const int listener = start_server(context);
  std::vector<int> fds;
  for (int i = 0; i < context.options.count; ++i) fds.push_back(accept_one(listener));
  close(listener);
  close_all(fds);
}

void connect_all_and_follow(Context& context) {
  const std::vector<int> fds = connect_all(context);
  for (std::size_t i = 0; i < fds.size(); ++i) end_passively_in_turn(fds[i], static_cast<int>(i));
}

void connect_and_close(Context& context) {
  context.link.wait();
  for (int i = 0; i < context.options.count; ++i) close(connect_one(context));
}

// The bucket is made while the descriptor is still open; close() comes long after.
void connect_and_shut_down(Context& context) {
  const std::vector<int> fds = connect_all(context);
  for (const int fd : fds) {
    send_fin(fd);
    read_eof(fd);
    wait_closed(fd);
  }
  close_all(fds);
}

// As many connections as twtrace has slots for under the limit of this namespace.
std::uint64_t as_many_as_slots() {
  std::uint64_t limit = 0;
  std::ifstream("/proc/sys/net/ipv4/tcp_max_tw_buckets") >> limit;
  return std::bit_ceil(std::max<std::uint64_t>(limit + limit / 4, 65536));
}

// All of them open at once, with cookies that end in the same bits.
void connect_with_like_cookies_and_close(Context& context) {
  context.link.wait();
  const std::uint64_t modulus = as_many_as_slots();
  std::vector<int> fds{connect_one(context)};
  const std::uint64_t remainder = cookie_of(fds.front()) % modulus;
  for (int i = 1; i < context.options.count; ++i) {
    fds.push_back(connect_with_cookie(context.options.family, context.options.port, remainder, modulus));
  }
  context.link.wait();
  close_all(fds);
}

void connect_all_and_be_killed(Context& context) {
  connect_all(context);
  context.link.wait();
  kill(getpid(), SIGKILL);
}

void connect_all_and_exit(Context& context) {
  connect_all(context);
  context.link.wait();
  _exit(0);
}

// The parent's close() sends nothing, because the child still holds the connection. So the child is the owner.
void connect_all_and_leave_to_child(Context& context) {
  const std::vector<int> fds = connect_all(context);
  context.link.wait();
  leave_to_child(fds, [&] { return fork_owner(context, "tw-child"); });
}

// The child closes before the parent's FIN is acknowledged, as happens on any network with a delay. That close ends
// nothing, so the parent is the owner.
void connect_all_shut_down_and_leave_to_child(Context& context) {
  const std::vector<int> fds = connect_all(context);
  context.link.wait();
  for (const int fd : fds) send_fin_behind_data(fd);
  leave_to_child(fds, [] { return fork_other("tw-heir"); });
  context.link.tell();
}

void accept_all_and_read_late(Context& context) {
  const std::vector<int> fds = accept_all(context);
  context.link.tell();
  context.link.wait();
  for (const int fd : fds) {
    read_all(fd);
    close(fd);
  }
}

// The owner is the process, so its row has the leader's name, not "tw-thread".
void connect_and_close_in_thread(Context& context) {
  const std::vector<int> fds = connect_all(context);
  context.link.wait();
  std::thread([&fds] {
    pthread_setname_np(pthread_self(), "tw-thread");
    close_all(fds);
  }).join();
}

// A process per connection, which exits without closing.
void connect_in_short_lived_children(Context& context) {
  context.link.wait();
  for (int i = 0; i < context.options.count; ++i) {
    const pid_t child = fork_owner(context, "tw-short");
    if (child == 0) {
      connect_one(context);
      _exit(0);
    }
    if (!wait_for(child)) _exit(1);
  }
}

// The peer acknowledges our FIN and closes much later. Meanwhile the bucket is in FIN_WAIT2, and the socket is gone.
void accept_all_and_linger(Context& context) {
  const std::vector<int> fds = accept_all(context);
  context.link.wait();
  for (const int fd : fds) {
    read_eof(fd);
    ack_now(fd);
  }
  context.link.tell();
  context.link.wait();
  for (const int fd : fds) end_passively(fd);
}

void connect_all_and_orphan(Context& context) {
  close_all(connect_all(context));
  context.link.tell();
  context.link.wait();
  context.link.tell();
}

}  // namespace

std::vector<Mode> closing_modes() {
  return {
      {"server-first", accept_and_close, connect_and_follow, Owner::kServer, Stage::kAny},
      {"worker", accept_and_close_in_worker, connect_and_follow, Owner::kServerChild, Stage::kAny, "tw-worker"},
      {"restart", stop_listening_then_close_all, connect_all_and_follow, Owner::kServer, Stage::kAny},
      {"client-first", accept_and_follow, connect_and_close, Owner::kClient, Stage::kAny},
      {"half-close", accept_all_and_follow, connect_and_shut_down, Owner::kClient, Stage::kTimeWait},
      {"like-cookies", accept_all_and_follow, connect_with_like_cookies_and_close, Owner::kClient, Stage::kAny},
      {"killed", accept_all_and_follow, connect_all_and_be_killed, Owner::kClient, Stage::kAny, nullptr, SIGKILL},
      {"exited", accept_all_and_follow, connect_all_and_exit, Owner::kClient, Stage::kAny},
      {"forked", accept_all_and_follow, connect_all_and_leave_to_child, Owner::kClientChild, Stage::kAny, "tw-child"},
      {"shut-down-early", accept_all_and_read_late, connect_all_shut_down_and_leave_to_child, Owner::kClient,
       Stage::kAny},
      {"thread", accept_all_and_follow, connect_and_close_in_thread, Owner::kClient, Stage::kAny},
      {"short-lived", accept_and_follow, connect_in_short_lived_children, Owner::kClientChild, Stage::kAny, "tw-short"},
      {"orphan-fin-wait2", accept_all_and_linger, connect_all_and_orphan, Owner::kClient, Stage::kFinWait2},
  };
}

}  // namespace twtrace::workload
