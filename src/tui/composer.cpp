// SPDX-License-Identifier: Apache-2.0
#include "tui/composer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <unordered_map>
#include <utility>

#include "model/find_netns.hpp"
#include "model/trend.hpp"
#include "phrases/namespace.hpp"
#include "view/row_id.hpp"
#include "view/row_list.hpp"
#include "view/rows.hpp"
#include "view/selector.hpp"
#include "view/troubles.hpp"

namespace twtrace::tui {
namespace {

using model::Group;
using model::Row;
using model::Snapshot;

double seconds_between(std::int64_t earlier_ms, std::int64_t later_ms) {
  return static_cast<double>(later_ms - earlier_ms) / 1000;
}

bool is_idle(const view::SortItem& row) {
  return row.created_per_s == 0 && row.overflow_per_s == 0 && row.no_port_per_s == 0 && row.no_port_bind_per_s == 0 &&
         row.live.value_or(0) == 0;
}

/// The namespace of a row.
template <class RowOrItem>
const model::NetnsRow* netns_of(const Snapshot& snapshot, const RowOrItem& row) {
  return model::find_netns(snapshot.namespaces, row.netns_id, row.netns.value_or(0));
}

using UseByDestination = std::map<std::pair<std::uint32_t, model::Peer>, model::Use>;  ///< by NetnsRow::id

UseByDestination use_by_destination(const Snapshot& snapshot) {
  UseByDestination known;
  if (!snapshot.port_use) return known;
  for (const model::PortUse& use : *snapshot.port_use) {
    if (use.netns_id) known.emplace(std::pair(*use.netns_id, use.destination), use.ports);
  }
  return known;
}

/// The limits of the namespaces that have one, by NetnsRow::id.
std::unordered_map<std::uint32_t, std::uint64_t> limits_of(const Snapshot& snapshot) {
  std::unordered_map<std::uint32_t, std::uint64_t> limits;
  for (const model::NetnsRow& netns : snapshot.namespaces) {
    if (netns.limit && !netns.gone) limits.emplace(netns.id, *netns.limit);
  }
  return limits;
}

/// How full a row's table is, how much of it the row takes, or the range of ports towards its peer.
void add_use(view::RowList& rows, Group group, const Snapshot& snapshot) {
  if (group == Group::kNetns) {
    rows.set_use([&](const view::SortItem& row) -> std::optional<model::Use> {
      const model::NetnsRow* netns = row.netns ? netns_of(snapshot, row) : nullptr;
      if (netns == nullptr || !netns->in_use || !netns->limit) return std::nullopt;
      return model::Use{*netns->in_use, *netns->limit};
    });
  }
  if (group != Group::kNetns && group != Group::kPeer) {
    rows.set_use([limits = limits_of(snapshot)](const view::SortItem& row) -> std::optional<model::Use> {
      const auto limit = limits.find(row.netns_id);
      if (limit == limits.end() || !row.live) return std::nullopt;
      return model::Use{*row.live, limit->second};
    });
  }
  if (group != Group::kPeer || !snapshot.port_use) return;
  rows.set_use([&, known = use_by_destination(snapshot)](const view::SortItem& row) -> std::optional<model::Use> {
    if (row.peer == nullptr || row.role != model::Role::kClient) return std::nullopt;
    const auto found = known.find({row.netns_id, *row.peer});
    return found == known.end() ? std::nullopt : std::optional(found->second);
  });
}

constexpr std::int64_t kMinuteMs = 60'000;

/// Why a view cannot answer a selector; empty when it can.
std::string why_unanswerable(const view::Selector& selector, Tab tab, Group group) {
  if (tab == Tab::kEvents) {
    return selector.asks(view::Key::kAmount) ? "events have no amounts: filter them by words, as in /overflow" : "";
  }
  return group == Group::kPeer && selector.asks(view::Key::kPid)
             ? "peers are counted per service and process name: filter by comm= or service=, not by pid"
             : "";
}

}  // namespace

Composer::Inputs Composer::inputs_of(const ViewState& state) const {
  Inputs inputs;
  inputs.newest = history_.newest();
  inputs.sample = history_.clamp(state.paused_at.value_or(inputs.newest));
  inputs.zero = history_.zero();
  inputs.events = state.tab == Tab::kEvents ? log_.added() : 0;
  inputs.tab = state.tab;
  inputs.group = group_of(state);
  inputs.sort = state.current().sort;
  inputs.reverse = state.current().reverse;
  inputs.hide_idle = state.hide_idle;
  inputs.filter = state.filter;
  if (state.open) {
    inputs.open_group = state.open->group;
    inputs.open_id = state.open->id;
  }
  return inputs;
}

const Picture& Composer::compose(const ViewState& state) {
  Inputs inputs = inputs_of(state);
  if (inputs == inputs_) return picture_;
  const bool same_moment = inputs.sample == inputs_.sample && inputs.zero == inputs_.zero;
  if (!same_moment) {
    build_head(inputs.sample);
    const model::History::SampleSource moment = history_.at(inputs.sample);
    picture_.snapshot.troubles = view::find_troubles(moment, picture_.snapshot, base_.selector);
  }
  picture_.newest = inputs.newest;
  picture_.oldest = history_.oldest();
  const std::int64_t shown_unix_ms = history_.head(inputs.sample)->time_unix_ms;
  picture_.minute_earlier = history_.sample_at(shown_unix_ms - kMinuteMs);
  picture_.minute_later = history_.sample_at(shown_unix_ms + kMinuteMs);
  picture_.behind_s = seconds_between(picture_.snapshot.time_unix_ms, history_.head(inputs.newest)->time_unix_ms);
  fill_table(inputs);
  build_detail(inputs);
  inputs_ = std::move(inputs);
  return picture_;
}

void Composer::build_head(std::uint64_t sample) {
  const Snapshot& head = *history_.head(sample);
  const Snapshot* zero = history_.zero_head(sample);
  picture_.sample = sample;
  picture_.zero = history_.zero();
  picture_.zeroed_s.reset();
  if (zero != nullptr) picture_.zeroed_s = seconds_between(zero->time_unix_ms, head.time_unix_ms);
  picture_.snapshot = zero != nullptr ? model::counted_since(head, *zero) : head;
  picture_.no_netns = phrases::no_netns_words(base_.selector, head.namespaces);
  // The requested namespace comes first, otherwise the fullest one.
  std::vector<model::NetnsRow>& namespaces = picture_.snapshot.namespaces;
  const view::Selector asked_for = base_.selector.only(view::Key::kNetns);
  std::stable_partition(namespaces.begin(), namespaces.end(),
                        [&](const model::NetnsRow& netns) { return asked_for.accepts(view::subject_of(netns)); });
  picture_.trend.clear();
  if (!namespaces.empty()) picture_.trend = model::trend(history_, sample, namespaces.front());
  picture_.forecast = model::forecast(picture_.trend);
  picture_.marks.clear();
  for (const model::Mark& mark : marks_) {
    if (mark.time_unix_ms > head.time_unix_ms) break;
    picture_.marks.push_back({seconds_between(mark.time_unix_ms, head.time_unix_ms), mark.name});
  }
}

/// The rows or events that the command line and the filter ask for, or why there are none.
void Composer::fill_table(const Inputs& inputs) {
  picture_.rows = {};
  picture_.events.clear();
  picture_.no_rows.clear();
  const auto typed = view::parse_selector(inputs.filter, view::Grammar::kFilter);
  if (!typed) {
    picture_.no_rows = typed.error().what + ": " + typed.error().hint;
    return;
  }
  view::Selector selector = base_.selector;
  selector.add(*typed);
  picture_.no_rows = why_unanswerable(selector, inputs.tab, inputs.group);
  if (!picture_.no_rows.empty()) return;
  const bool events = inputs.tab == Tab::kEvents;
  const bool selects = !selector.empty();
  const char* what = events ? "event" : "row";
  if (events) {
    collect_events(inputs, selector);
  } else {
    build_rows(inputs, std::move(selector));
  }
  if (!picture_.no_rows.empty() || !picture_.events.empty() || picture_.rows.size() != 0) return;
  if (!selects) {
    picture_.no_rows = fmt::format("no {} yet", what);
  } else {
    picture_.no_rows = fmt::format("no {} matches{}", what,
                                   inputs.filter.empty() ? " the command-line filters" : "; Esc clears the filter");
  }
}

void Composer::build_rows(const Inputs& inputs, view::Selector selector) {
  Snapshot& snapshot = picture_.snapshot;
  view::View view = base_;
  view.selector = std::move(selector);
  view.group = inputs.group;
  view.sort = inputs.sort;
  view.reverse = inputs.reverse;
  view.max_rows = 0;
  snapshot.group = inputs.group;
  view::RowList rows(history_.at(inputs.sample), view, snapshot.interval_s, snapshot.namespaces);
  add_use(rows, inputs.group, snapshot);
  const bool any = rows.size() != 0;
  if (inputs.hide_idle) rows.keep_if([](const view::SortItem& row) { return !is_idle(row); });
  if (any && rows.size() == 0) picture_.no_rows = "no row is busy; i shows the idle ones";
  picture_.rows = std::move(rows);
}

void Composer::collect_events(const Inputs& inputs, const view::Selector& selector) {
  const std::int64_t until_ms = picture_.snapshot.time_unix_ms;
  const bool paused = inputs.sample != inputs.newest;
  const auto& events = log_.events();
  for (std::size_t i = events.size(); i-- > 0;) {
    const model::Event& event = events[i];
    if (paused && event.time_unix_ms > until_ms) continue;
    if (selector.accepts(view::subject_of(event))) picture_.events.push_back({&event, nullptr, nullptr});
  }
  const std::vector<ListedEvent> lines = log_lines(inputs.sample, selector);
  if (lines.empty()) return;
  const auto is_newer = [](const ListedEvent& a, const ListedEvent& b) { return a.time_unix_ms() > b.time_unix_ms(); };
  std::vector<ListedEvent> all;
  all.reserve(picture_.events.size() + lines.size());
  std::merge(picture_.events.begin(), picture_.events.end(), lines.begin(), lines.end(), std::back_inserter(all),
             is_newer);
  picture_.events = std::move(all);
}

/// The newest lines of logs up to a sample, newest first: at most as many as there are events.
std::vector<ListedEvent> Composer::log_lines(std::uint64_t sample, const view::Selector& selector) const {
  std::vector<ListedEvent> found;
  if (!picture_.snapshot.logs) return found;
  for (std::uint64_t at = sample + 1; at-- > history_.oldest() && found.size() < EventLog::kEvents;) {
    const model::Snapshot& head = *history_.head(at);
    if (!head.log_lines || !head.logs) continue;
    for (const model::LogLine& line : *head.log_lines) {
      const model::Log& log = head.logs->at(line.log);
      if (selector.accepts(view::subject_of(log, line))) found.push_back({nullptr, &line, &log});
    }
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const ListedEvent& a, const ListedEvent& b) { return a.time_unix_ms() > b.time_unix_ms(); });
  if (found.size() > EventLog::kEvents) found.resize(EventLog::kEvents);
  return found;
}

void Composer::build_detail(const Inputs& inputs) {
  picture_.detail.reset();
  if (inputs.open_id == 0) return;
  const Snapshot& snapshot = picture_.snapshot;
  const model::History::SampleSource moment = history_.at(inputs.sample);
  const view::RowSource source(moment, inputs.open_group, inputs.open_id);
  const auto rows_by = [&](Group group) {
    view::View view;
    view.group = group;
    view::RowList rows(source, view, snapshot.interval_s, snapshot.namespaces);
    add_use(rows, group, snapshot);
    return rows.rows(0, rows.size());
  };
  Detail detail;
  const std::vector<Row> self = rows_by(inputs.open_group);
  const auto found = std::find_if(self.begin(), self.end(), [&](const Row& row) { return row.id == inputs.open_id; });
  if (found == self.end()) return;
  detail.row = *found;
  detail.timeline = history_.timeline(view::goes_into(inputs.open_group, inputs.open_id), inputs.sample);
  detail.ports = rows_by(Group::kPort);
  detail.peers = inputs.open_group == Group::kPeer ? std::vector<Row>{detail.row} : rows_by(Group::kPeer);
  detail.pids = rows_by(Group::kPid);
  detail.findings = phrases::row_findings(detail.row, netns_of(snapshot, detail.row), detail.peers);
  picture_.detail = std::move(detail);
}

}  // namespace twtrace::tui
