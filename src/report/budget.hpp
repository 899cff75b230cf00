// SPDX-License-Identifier: Apache-2.0
// Budgets: conditions that make a capture fail, as `--fail-if` takes them.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/counters.hpp"
#include "view/selector.hpp"

namespace twtrace::report {

/// What a budget can limit; MetricInfo::help explains each.
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
  kNoPort,
  kNoPortBind,
  kResetsReceived,
  kResetsFelt,
  kPeerResets,
  kPeerResetsAvoidable,
  kResetsSent,
  kResetsLate,
  kResetsAborted,
  kResetsClosedPort,
  kResetsOther,
  kQueueDrops,
  kUnattributed,
  kInUsePeak,
  kPortsTakenPeak,
  kCreatedRatio,
  kCreatedPerSPeak,
  kMissed,
  kLostEvents,
  kLostCounts,
};

/// The labels that can narrow down a metric.
enum class Labels { kNone, kNetns, kAll };

/// The metrics of budgets.
struct MetricInfo {
  Metric metric;
  std::string_view name;
  Labels labels = Labels::kNone;
  const char* percent_of = nullptr;     ///< what `%` refers to; null: a percentage makes no sense
  model::CountOf count = nullptr;       ///< for metrics that every row has
  bool model::Sight::*needs = nullptr;  ///< what a backend has to see; null: all see it
  const char* help = "";
};

/// All of them, in the order of help. They live for the whole run.
std::span<const MetricInfo> metrics();
const MetricInfo& info(Metric metric);

/// Of one command, and of one capture.
inline constexpr std::size_t kMostBudgets = 100;

/// A condition that must not become true.
struct Budget {
  std::string text;  ///< as typed; any bytes
  Metric metric = Metric::kOverflow;
  view::Selector selector;
  view::Op op = view::Op::kGreater;  ///< never kMatch
  double value = 0;
  bool percent = false;
};

/// METRIC [ "{" LABELS "}" ] OP NUMBER [ "%" ], blanks allowed between them; LABELS as in view::parse_selector().
/// kUsage names the position (from 1 on) of what is wrong, and its hint lists what is known.
base::Result<Budget> parse_budget(std::string_view text);

/// A label to add to budgets.
struct Label {
  view::Key key = view::Key::kService;
  std::string text;  ///< "service=web"
};
/// The budgets with those of these labels that their metrics take. Their texts say so.
base::Result<std::vector<Budget>> narrowed(const std::vector<Budget>& budgets, const std::vector<Label>& labels);

}  // namespace twtrace::report
