// SPDX-License-Identifier: Apache-2.0
// Steps that many modes have in common. A server role tells the client over the link once it listens.
#pragma once

#include <sys/types.h>

#include <functional>
#include <vector>

#include "role.hpp"

namespace twtrace::workload {

/// Listens on the workload's port and lets the client start; returns the listener.
int start_server(Context& context);

/// Starts the server and accepts every connection before the first one ends.
std::vector<int> accept_all(Context& context);

/// Connects once to the workload's server.
int connect_one(Context& context);

/// Waits for the server, then opens every connection before the first one ends.
std::vector<int> connect_all(Context& context);

void close_all(const std::vector<int>& fds);

/// Has a child, which `fork_child` makes (0 in it), close what both hold, after this process has.
void leave_to_child(const std::vector<int>& fds, const std::function<pid_t()>& fork_child);

/// A whole server role: accepts one after the other, ending each when the client closes it.
void accept_and_follow(Context& context);

/// A whole server role: accepts all, lets the client go on, then ends each connection that the client closes.
void accept_all_and_follow(Context& context);

/// A whole client role: connects again and again, ending each connection that the server closes.
void connect_and_follow(Context& context);

}  // namespace twtrace::workload
