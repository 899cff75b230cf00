// SPDX-License-Identifier: Apache-2.0
// Budgets: conditions that make a capture fail, as `--fail-if` takes them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "model/counters.hpp"
#include "model/snapshot.hpp"

namespace twtrace::report {

enum class Metric {
  kCreated,
  kTimeWait,
  kFinWait2,
  kOverflow,
  kOverflowTimeWait,
  kOverflowFinWait2,
  kNoMemory,
  kReused,
  kRecycled,
  kExpired,
  kPurged,
  kUnattributed,
  kInUsePeak,
  kCreatedRatio,
  kCreatedPerSPeak,
  kMissed,
  kLostEvents,
  kLostCounts,
};

/// By what a metric can be narrowed down.
enum class Labels { kNone, kNetns, kAll };

/// What a budget can be about.
struct MetricInfo {
  Metric metric;
  std::string_view name;
  Labels labels = Labels::kNone;
  const char* percent_of = nullptr;                          ///< what `%` is a share of; null: there is no such share
  std::uint64_t (*count)(const model::Counters&) = nullptr;  ///< of metrics that every row has
  bool removal = false;                                      ///< unknown to backends that do not see the end of buckets
  const char* help = "";
};

std::span<const MetricInfo> metrics();
const MetricInfo& info(Metric metric);

enum class Op { kGreater, kGreaterEqual, kLess, kLessEqual, kEqual, kNotEqual };

/// Which rows a budget is about; empty members take all.
struct Selector {
  std::optional<std::string> service;  ///< view::service_matches()
  std::optional<std::string> comm;     ///< view::glob()
  std::optional<model::Role> role;
  std::optional<std::uint16_t> port;
  std::optional<std::string> netns;  ///< a name, or an inode number

  /// Something other than the namespace is asked for.
  bool by_owner() const { return service || comm || role || port; }
};

/// A condition that must not come true.
struct Budget {
  std::string text;  ///< as it was typed; any bytes
  Metric metric = Metric::kOverflow;
  Selector selector;
  Op op = Op::kGreater;
  double value = 0;
  bool percent = false;
};

/// METRIC [ "{" LABEL "=" VALUE { "," LABEL "=" VALUE } "}" ] OP NUMBER [ "%" ], blanks allowed between them. kUsage
/// names the position (from 1 on) of what is wrong, and its hint lists what is known.
base::Result<Budget> parse_budget(std::string_view text);

/// Whether `left OP right` holds.
bool holds(double left, Op op, double right);
bool selects(const Selector& selector, const model::Row& row);
bool selects_netns(const Selector& selector, std::uint32_t netns, const std::string& name);

}  // namespace twtrace::report
