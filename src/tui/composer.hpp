// SPDX-License-Identifier: Apache-2.0
// Makes a picture from the samples and the user's choices.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/forecast.hpp"
#include "model/history.hpp"
#include "model/recording.hpp"
#include "model/snapshot.hpp"
#include "phrases/findings.hpp"
#include "tui/event_log.hpp"
#include "tui/view_state.hpp"
#include "view/row_list.hpp"
#include "view/view.hpp"

namespace twtrace::tui {

/// Everything about one row.
struct Detail {
  model::Row row;
  model::History::Timeline timeline;
  std::vector<model::Row> ports;
  std::vector<model::Row> peers;
  std::vector<model::Row> pids;
  std::vector<phrases::RowFinding> findings;
};

/// A mark of a capture.
struct MarkInView {
  double age_s = 0;  ///< relative to the sample shown
  std::string name;  ///< any bytes
};

/// A line of the events view: an event, or a line of a log that the capture followed.
struct ListedEvent {
  const model::Event* event = nullptr;   ///< null: it is a line of a log
  const model::LogLine* line = nullptr;  ///< not null if `event` is
  const model::Log* log = nullptr;       ///< the same

  std::int64_t time_unix_ms() const { return event != nullptr ? event->time_unix_ms : line->time_unix_ms; }
};

/// One moment, ready to be drawn.
struct Picture {
  model::Snapshot snapshot;              ///< without rows
  view::RowList rows;                    ///< all rows of the view, filtered and sorted
  std::vector<model::TablePoint> trend;  ///< of the fullest namespace
  model::Forecast forecast;              ///< the same
  std::vector<MarkInView> marks;         ///< until then, oldest first
  std::vector<ListedEvent> events;       ///< newest first, filtered; only in the events view
  std::optional<Detail> detail;
  std::string no_netns;      ///< that the command line selects no namespace of this sample; empty if it does
  std::string no_rows;       ///< why there are no rows or events; empty when there are some, or nothing hides them
  std::uint64_t sample = 0;  ///< the one shown
  std::uint64_t oldest = 0;
  std::uint64_t newest = 0;
  std::uint64_t minute_earlier = 0;  ///< the sample one minute before, or the nearest one
  std::uint64_t minute_later = 0;
  double behind_s = 0;             ///< age of the sample relative to the newest one
  std::uint64_t zero = 0;          ///< sample since which counts are shown; 0: start
  std::optional<double> zeroed_s;  ///< how long ago that was
};

/// Builds pictures and keeps the last one. If the inputs are the same again, it does nothing. Keeps references. Not
/// thread-safe.
class Composer {
 public:
  /// `base` comes from the command line. Its filter always applies.
  Composer(const model::History& history, const EventLog& log, view::View base)
      : history_(history), log_(log), base_(std::move(base)) {}

  /// The marks of a capture, ascending in time.
  void set_marks(std::vector<model::Mark> marks) { marks_ = std::move(marks); }

  /// Valid until the next call, or until history or log change. Not before the first sample.
  const Picture& compose(const ViewState& state);

 private:
  /// The inputs of a picture.
  struct Inputs {
    std::uint64_t sample = 0;
    std::uint64_t newest = 0;
    std::uint64_t zero = 0;
    std::uint64_t events = 0;
    Tab tab = Tab::kProcesses;
    model::Group group = model::Group::kProcess;
    view::SortColumn sort = view::SortColumn::kCreatedRate;
    bool reverse = false;
    bool hide_idle = false;
    std::string filter;
    model::Group open_group = model::Group::kProcess;
    std::uint64_t open_id = 0;
    bool operator==(const Inputs&) const = default;
  };

  Inputs inputs_of(const ViewState& state) const;
  void build_head(std::uint64_t sample);
  void fill_table(const Inputs& inputs);
  void build_rows(const Inputs& inputs, view::Selector selector);
  void collect_events(const Inputs& inputs, const view::Selector& selector);
  std::vector<ListedEvent> log_lines(std::uint64_t sample, const view::Selector& selector) const;
  void build_detail(const Inputs& inputs);

  const model::History& history_;
  const EventLog& log_;
  view::View base_;
  std::vector<model::Mark> marks_;
  Inputs inputs_;
  Picture picture_;
};

}  // namespace twtrace::tui
