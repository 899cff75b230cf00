// SPDX-License-Identifier: Apache-2.0
// What a process and its helper say to each other: lists of byte strings on a stream socket.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace twtrace::base {

using Fields = std::vector<std::string>;

/// Sends a whole list. False if the other side is gone.
bool send_fields(int fd, const Fields& fields);
/// Waits for a whole list. Empty if the other side is gone, or sends what is no list of at most 64 MiB.
std::optional<Fields> receive_fields(int fd);

}  // namespace twtrace::base
