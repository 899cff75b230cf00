// SPDX-License-Identifier: Apache-2.0
// Modes with a reset, with both ends closing, with an outcome long after the FIN, and early ends of buckets.
#include <unistd.h>

#include <cstdio>

#include "modes.hpp"
#include "steps.hpp"
#include "tcp.hpp"

namespace twtrace::workload {
namespace {

constexpr int kSourcePortOffset = 1000;

// tcp_twsk_unique wants a newer second than that of the bucket's last timestamp.
constexpr unsigned kReuseDelaySeconds = 2;

std::uint16_t source_port(const Options& options, int i) {
  return static_cast<std::uint16_t>(options.port + kSourcePortOffset + i);
}

int connect_from(Context& context, int i) {
  return connect_one(context.options.family, context.options.port, source_port(context.options, i));
}

void accept_and_read_reset(Context& context) {
  const int listener = start_server(context);
  for (int i = 0; i < context.options.count; ++i) {
    const int fd = accept_one(listener);
    read_reset(fd);
    close(fd);
  }
}

void connect_and_reset(Context& context) {
  context.link.wait();
  for (int i = 0; i < context.options.count; ++i) close_with_reset(connect_one(context));
}

// The peer acknowledges our FIN and then resets. So FIN_WAIT2 ends without a bucket.
void accept_and_reset(Context& context) {
  const int listener = start_server(context);
  for (int i = 0; i < context.options.count; ++i) {
    const int fd = accept_one(listener);
    read_eof(fd);
    ack_now(fd);
    close_with_reset(fd);
  }
}

void connect_and_shut_down_into_reset(Context& context) {
  context.link.wait();
  for (int i = 0; i < context.options.count; ++i) {
    const int fd = connect_one(context);
    send_fin(fd);
    read_reset(fd);
    close(fd);
  }
}

// One socket has one connection after another, so all its buckets have the same cookie.
void connect_again_and_shut_down(Context& context) {
  context.link.wait();
  const int fd = connect_one(context);
  for (int i = 0;; ++i) {
    send_fin(fd);
    read_eof(fd);
    wait_closed(fd);
    if (i + 1 == context.options.count) break;
    disconnect(fd);
    connect_again(fd, context.options.family, context.options.port);
  }
  close(fd);
}

// Each socket leaves a connection after sending its FIN. Another process ends the next connection of the socket.
void connect_abandon_and_leave_to_child(Context& context) {
  context.link.wait();
  std::vector<int> fds;
  for (int i = 0; i < context.options.count; ++i) {
    const int fd = connect_one(context);
    send_fin(fd);
    context.link.wait();
    disconnect(fd);
    context.link.tell();
    connect_again(fd, context.options.family, context.options.port);
    fds.push_back(fd);
  }
  context.link.wait();
  leave_to_child(fds, [&] { return fork_owner(context, "tw-child"); });
}

void accept_abandoned_and_follow(Context& context) {
  const int listener = start_server(context);
  std::vector<int> fds;
  for (int i = 0; i < context.options.count; ++i) {
    const int abandoned = accept_one(listener);
    read_eof(abandoned);
    ack_now(abandoned);
    context.link.tell();
    context.link.wait();
    close(abandoned);  // after the reset, so that it sends nothing
    fds.push_back(accept_one(listener));
  }
  context.link.tell();
  for (std::size_t i = 0; i < fds.size(); ++i) end_passively_in_turn(fds[i], static_cast<int>(i));
}

// Spins until both processes have arrived for the i-th time, so that their FINs leave as close together as they can.
void meet(Context& context, int i) {
  ++context.shared.arrived;
  while (context.shared.arrived < 2 * (i + 1)) {
  }
}

void end_together(Context& context, int fd, int i) {
  meet(context, i);
  send_fin(fd);
  read_eof(fd);
  wait_closed(fd);
  close(fd);
}

void accept_and_end_together(Context& context) {
  const int listener = start_server(context);
  for (int i = 0; i < context.options.count; ++i) end_together(context, accept_one(listener), i);
}

void connect_and_end_together(Context& context) {
  context.link.wait();
  for (int i = 0; i < context.options.count; ++i) {
    end_together(context, connect_one(context), i);
  }
}

// Prints {"held":true} once the FINs are sent, and goes on when a line arrives on stdin.
void hold() {
  std::puts("{\"held\":true}");
  std::fflush(stdout);
  if (std::getchar() == EOF) die("stdin ended while connections were held");
}

void accept_and_hold(Context& context) {
  const int listener = start_server(context);
  std::vector<int> fds;
  for (int i = 0; i < context.options.count; ++i) {
    fds.push_back(accept_one(listener));
    read_eof(fds.back());
    ack_now(fds.back());
  }
  context.link.wait();
  hold();
  for (const int fd : fds) end_passively(fd);
}

// The descriptors stay open until the peer has closed. So the sockets wait in FIN_WAIT2, and there is no bucket yet.
void connect_shut_down_and_stay(Context& context) {
  context.link.wait();
  std::vector<int> fds;
  for (int i = 0; i < context.options.count; ++i) {
    fds.push_back(connect_one(context));
    send_fin(fds.back());
  }
  context.link.tell();
  for (const int fd : fds) {
    read_eof(fd);
    wait_closed(fd);
  }
}

// With tcp_fin_timeout above 60 an orphan stays a full socket for a while: it has no bucket yet, and no process.
void connect_close_and_leave(Context& context) {
  context.link.wait();
  for (int i = 0; i < context.options.count; ++i) close(connect_one(context));
  context.link.tell();
}

// The first round makes the buckets. The second opens the same connections again and ends them by a reset, so that
// they leave no bucket.
void accept_follow_then_read_reset(Context& context) {
  const int listener = start_server(context);
  for (int i = 0; i < context.options.count; ++i) end_passively(accept_one(listener));
  context.link.tell();
  for (int i = 0; i < context.options.count; ++i) {
    const int fd = accept_one(listener);
    read_reset(fd);
    close(fd);
  }
}

// Between the two rounds each bucket gets an acceptable SYN. But nobody listens, so the bucket stays.
void accept_follow_send_syn_then_read_reset(Context& context) {
  const Options& options = context.options;
  const int listener = start_server(context);
  for (int i = 0; i < options.count; ++i) end_passively(accept_one(listener));
  close(listener);
  for (int i = 0; i < options.count; ++i) send_unheard_syn(options.family, source_port(options, i), options.port);
  accept_and_read_reset(context);
}

void connect_close_then_reuse(Context& context) {
  context.link.wait();
  for (int i = 0; i < context.options.count; ++i) close(connect_from(context, i));
  context.link.wait();
  sleep(kReuseDelaySeconds);
  for (int i = 0; i < context.options.count; ++i) close_with_reset(connect_from(context, i));
}

void accept_close_then_read_reset(Context& context) {
  const int listener = start_server(context);
  for (int i = 0; i < context.options.count; ++i) close(accept_one(listener));
  for (int i = 0; i < context.options.count; ++i) {
    const int fd = accept_one(listener);
    read_reset(fd);
    close(fd);
  }
}

void connect_follow_then_send_syn(Context& context) {
  context.link.wait();
  for (int i = 0; i < context.options.count; ++i) end_passively(connect_from(context, i));
  for (int i = 0; i < context.options.count; ++i) close_with_reset(connect_from(context, i));
}

Mode reused(Mode mode) {
  mode.reused = true;
  return mode;
}

Mode recycled(Mode mode) {
  mode.recycled = true;
  return mode;
}

}  // namespace

std::vector<Mode> special_modes() {
  return {
      {"rst", accept_and_read_reset, connect_and_reset, Owner::kNobody, Stage::kNone},
      {"peer-rst", accept_and_reset, connect_and_shut_down_into_reset, Owner::kNobody, Stage::kNone},
      {"reconnect", accept_and_follow, connect_again_and_shut_down, Owner::kClient, Stage::kTimeWait},
      {"abandoned", accept_abandoned_and_follow, connect_abandon_and_leave_to_child, Owner::kClientChild, Stage::kAny,
       "tw-child"},
      {"simultaneous", accept_and_end_together, connect_and_end_together, Owner::kBoth, Stage::kTimeWait},
      {"closed-before-start", accept_and_hold, connect_shut_down_and_stay, Owner::kClient, Stage::kTimeWait},
      {"orphaned-before-start", accept_and_hold, connect_close_and_leave, Owner::kClient, Stage::kTimeWait},
      reused({"reuse", accept_follow_then_read_reset, connect_close_then_reuse, Owner::kClient, Stage::kAny}),
      reused({"reuse-after-syn", accept_follow_send_syn_then_read_reset, connect_close_then_reuse, Owner::kClient,
              Stage::kAny}),
      recycled(
          {"syn-recycle", accept_close_then_read_reset, connect_follow_then_send_syn, Owner::kServer, Stage::kAny}),
  };
}

std::vector<Mode> all_modes() {
  std::vector<Mode> modes = closing_modes();
  for (Mode& mode : special_modes()) modes.push_back(mode);
  for (Mode& mode : indirect_modes()) modes.push_back(mode);
  return modes;
}

const Mode* find_mode(const std::string& name) {
  static const std::vector<Mode> kModes = all_modes();
  for (const Mode& mode : kModes) {
    if (name == mode.name) return &mode;
  }
  return nullptr;
}

}  // namespace twtrace::workload
