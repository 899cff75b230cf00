// SPDX-License-Identifier: Apache-2.0
// Writes snapshots to standard output, one after another.
#pragma once

#include <string>
#include <utility>

#include "app/option_groups.hpp"
#include "base/result.hpp"
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
  BatchOutput(const TableOptions& options, view::View shown)
      : options_(options), shown_(std::move(shown)), metrics_(kNobodyYoung) {}

  /// Writes what comes before the first snapshot: the titles of CSV.
  base::Result<void> begin() const;
  /// The next snapshot, in the format that was asked for: `head` with the rows of `source`.
  base::Result<void> write(model::Snapshot head, const model::Source& source);

 private:
  /// Whoever reads a single output wants names.
  static constexpr output::MetricLimits kNobodyYoung{.min_age_s = 0};

  std::string metrics(const model::Snapshot& head, const model::Source& source);

  const TableOptions& options_;
  view::View shown_;
  model::Trends trends_;
  output::MetricFold metrics_;
};

}  // namespace twtrace::app
