// SPDX-License-Identifier: Apache-2.0
// An event in words, for `twtrace events` and the live view. Names are safe for a terminal (sanitize_terminal). `-`
// means unknown.
#pragma once

#include <string>

#include "model/snapshot.hpp"

namespace twtrace::phrases {

/// "worker.service/redis-worker[812]"; `~` in front when the owner is known by cgroup only.
std::string owner_words(const model::Event& event);
/// "client:6379".
std::string role_words(const model::Event& event);
/// "10.0.0.1:4242 -> 10.0.0.2:6379".
std::string connection_words(const model::Event& event);
/// "host", or the inode number.
std::string netns_words(const model::Event& event);
/// "time_wait"; "-" for an event that is of no bucket.
std::string stage_words(const model::Event& event);
/// A removal's reason and age, "expired 60.0s"; a reset's reason, "avoidable"; "31 dropped" for queue drops. Empty for
/// other events.
std::string detail_words(const model::Event& event);

}  // namespace twtrace::phrases
