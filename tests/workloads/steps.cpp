// SPDX-License-Identifier: Apache-2.0
#include "steps.hpp"

#include <unistd.h>

#include "tcp.hpp"

namespace twtrace::workload {

int start_server(Context& context) {
  const int listener = listen_on(context.options.family, context.options.port);
  context.link.tell();
  return listener;
}

std::vector<int> accept_all(Context& context) {
  const int listener = start_server(context);
  std::vector<int> fds;
  fds.reserve(static_cast<std::size_t>(context.options.count));
  for (int i = 0; i < context.options.count; ++i) fds.push_back(accept_one(listener));
  return fds;
}

int connect_one(Context& context) { return connect_one(context.options.family, context.options.port); }

std::vector<int> connect_all(Context& context) {
  context.link.wait();
  std::vector<int> fds;
  fds.reserve(static_cast<std::size_t>(context.options.count));
  for (int i = 0; i < context.options.count; ++i) fds.push_back(connect_one(context));
  return fds;
}

void close_all(const std::vector<int>& fds) {
  for (const int fd : fds) close(fd);
}

void accept_all_and_follow(Context& context) {
  const std::vector<int> fds = accept_all(context);
  context.link.tell();
  for (std::size_t i = 0; i < fds.size(); ++i) end_passively_in_turn(fds[i], static_cast<int>(i));
}

void connect_and_follow(Context& context) {
  context.link.wait();
  for (int i = 0; i < context.options.count; ++i) end_passively_in_turn(connect_one(context), i);
}

void accept_and_follow(Context& context) {
  const int listener = start_server(context);
  for (int i = 0; i < context.options.count; ++i) end_passively_in_turn(accept_one(listener), i);
}

void leave_to_child(const std::vector<int>& fds, const std::function<pid_t()>& fork_child) {
  int pipe_fds[2];
  if (pipe(pipe_fds) != 0) die("pipe");
  const pid_t child = fork_child();
  if (child == 0) {
    Link(pipe_fds[0]).wait();
    close_all(fds);
    _exit(0);
  }
  close_all(fds);
  Link(pipe_fds[1]).tell();
  if (!wait_for(child)) _exit(1);
}

}  // namespace twtrace::workload
