// SPDX-License-Identifier: Apache-2.0
// Every way a TCP connection can end, as a pair of functions for two processes, with what the kernel must make of it.
#pragma once

#include <string>
#include <vector>

#include "role.hpp"

namespace twtrace::workload {

/// Which process sends the first FIN. kClientSocket: a kernel thread does, so only what the socket remembers of the
/// client is known.
enum class Owner { kNobody, kServer, kClient, kServerChild, kClientChild, kBoth, kClientSocket };

/// The substate the bucket is allocated in. kAny: the kernel may acknowledge our FIN before the peer closes (then
/// FIN_WAIT2) or with the peer's FIN (then TIME_WAIT); with tcp_fin_timeout above 60 it is TIME_WAIT always.
enum class Stage { kNone, kAny, kTimeWait, kFinWait2 };

struct Mode {
  const char* name;
  RoleFunction server;
  RoleFunction client;
  Owner owner;
  Stage stage;
  const char* child_comm = nullptr;  ///< owner is a child: its name
  int client_signal = 0;             ///< the client is expected to die of it
  bool reused = false;               ///< every bucket is taken over by a later connect
  bool recycled = false;             ///< every bucket is killed by a later SYN
};

/// The tables: modes in which one process closes first, those in which both ends or a reset are involved, and those in
/// which somebody else acts for the process.
std::vector<Mode> closing_modes();
std::vector<Mode> special_modes();
std::vector<Mode> indirect_modes();

std::vector<Mode> all_modes();

/// nullptr when there is no such mode. The result lives as long as the program.
const Mode* find_mode(const std::string& name);

}  // namespace twtrace::workload
