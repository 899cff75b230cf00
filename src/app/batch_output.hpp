// SPDX-License-Identifier: Apache-2.0
// Turns snapshots into the text of batch output, one after another.
#pragma once

#include <string>

#include "app/option_groups.hpp"
#include "model/snapshot.hpp"
#include "model/source.hpp"
#include "model/trend.hpp"
#include "output/metric_fold.hpp"
#include "view/view.hpp"

namespace twtrace::app {

/// One run of output. Not thread-safe.
class BatchOutput {
 public:
  /// Keeps a reference to the options.
  BatchOutput(const TableOptions& options, view::View shown);

  /// What comes before the first snapshot: the titles of CSV.
  std::string header() const;
  /// The next snapshot, in the format that was asked for: `head` with the rows of `source`.
  std::string text(model::Snapshot head, const model::Source& source);

 private:
  /// Whoever reads a single output wants names.
  static constexpr output::MetricLimits kNobodyYoung{.min_age_s = 0};

  void leave_out_others(model::Snapshot& head) const;
  std::string metrics(const model::Snapshot& head, const model::Source& source);
  /// `no_netns`: TableOptions::no_netns of output.
  std::string render(const model::Snapshot& snapshot, const std::string& no_netns) const;

  const TableOptions& options_;
  view::View shown_;
  model::Trends trends_;
  output::MetricFold metrics_;
  output::Color color_;
  bool terminal_;
};

}  // namespace twtrace::app
