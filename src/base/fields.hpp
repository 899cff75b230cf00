// SPDX-License-Identifier: Apache-2.0
// What a process and its helper say to each other: lists of byte strings on a stream socket.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace twtrace::base {

using Fields = std::vector<std::string>;

/// A list as it is sent. Empty if it is longer than 64 MiB.
std::optional<std::string> to_bytes(const Fields& fields);

/// Puts together a list that arrives in parts. Not thread-safe.
class FieldsInbox {
 public:
  void add(std::string_view bytes) { bytes_ += bytes; }
  /// The first list that is there as a whole; afterwards the next one. Empty: not yet, or is_broken().
  std::optional<Fields> take();
  /// What arrived is no list of at most 64 MiB. Nothing can be taken any more.
  bool is_broken() const { return is_broken_; }

 private:
  std::string bytes_;
  bool is_broken_ = false;
};

/// Sends a whole list. False if the other side is gone.
bool send_fields(int fd, const Fields& fields);
/// Waits for a whole list. Empty if the other side is gone, or sends what is no list of at most 64 MiB.
std::optional<Fields> receive_fields(int fd);

}  // namespace twtrace::base
