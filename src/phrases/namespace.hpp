// SPDX-License-Identifier: Apache-2.0
// A namespace's numbers in words, the same for every text that shows them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "model/snapshot.hpp"
#include "view/selector.hpp"

namespace twtrace::phrases {

/// The name of a namespace, or its inode number.
std::string netns_words(std::uint32_t netns, const std::string& name);

/// The tone of a remark. A sink may show it by colour. The words carry it too.
enum class Tone { kPlain, kQuiet, kGood, kWarning, kAlarm };

/// A few words, ASCII.
struct Remark {
  std::string text;
  Tone tone = Tone::kPlain;
};

/// "4,985/5,000"; unknown is "-".
std::string fill_words(const model::NetnsRow& netns);
/// "level at 14,100", "! full in ~12 s", "draining, empty in ~40 s"; without text if nothing is known.
Remark forecast_remark(const model::Forecast& forecast);
/// "created 97/s", "overflow 0", refusals for lack of memory, and the cross-check with the kernel: "= kernel", or what
/// differs.
std::vector<Remark> traffic_remarks(const model::NetnsRow& netns);

/// The same for the namespaces from `first` on, taken together. It includes everything refused or missed, and how many
/// of them differ from the kernel.
std::vector<Remark> remainder_remarks(const std::vector<model::NetnsRow>& namespaces, std::size_t first);
/// "+3 more namespaces, 2 of them gone": those from `first` on.
std::string remainder_words(const std::vector<model::NetnsRow>& namespaces, std::size_t first);

/// "no network namespace matches 'blue*' yet": that `namespaces` has none of those that the selector asks for. Empty if
/// it has one, or if it may be any.
std::string no_netns_words(const view::Selector& selector, const std::vector<model::NetnsRow>& namespaces);

}  // namespace twtrace::phrases
