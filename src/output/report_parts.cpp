// SPDX-License-Identifier: Apache-2.0
#include "output/report_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/escape.hpp"
#include "base/format.hpp"
#include "model/gone.hpp"
#include "phrases/endpoint.hpp"
#include "phrases/losses.hpp"
#include "phrases/namespace.hpp"
#include "phrases/trouble.hpp"
#include "view/columns.hpp"

namespace twtrace::output {
namespace {

using base::grouped;
using report::NetnsReport;
using report::Report;

constexpr std::size_t kNamespacesShown = 5;
constexpr std::size_t kMarksShown = 20;

std::string command_end(const model::CapturedCommand& command) {
  if (!command.started_unix_ms) return "it was never started";
  if (command.signal) return fmt::format("killed by signal {}", *command.signal);
  if (command.exit_code) return fmt::format("exit code {}", *command.exit_code);
  return "still running when the capture ended";
}

std::string limits_words(const NetnsReport& netns) {
  const auto limit = [](const std::optional<model::NetnsSettings>& settings) {
    return settings ? count_words(settings->limit) : "-";
  };
  std::string words = netns.at_start ? limit(netns.at_start) : count_words(netns.last.limit);
  if (netns.at_end && limit(netns.at_end) != words) words += " at the start, " + limit(netns.at_end) + " at the end";
  return words;
}

void append_limits(const Report& report, std::vector<Property>& facts) {
  std::size_t told = 0;
  std::size_t more = 0;
  std::size_t gone = 0;
  for (const NetnsReport& netns : report.namespaces) {
    const bool first = &netns == report.namespaces.data();
    if (!first && netns.last.gone && model::nothing_counted(netns.last)) {
      ++gone;
    } else if (told == kNamespacesShown) {
      ++more;
    } else {
      ++told;
      facts.push_back({first ? "limit" : "", fmt::format("{} in netns {}{}", limits_words(netns),
                                                         phrases::netns_words(netns.last.netns, netns.last.name),
                                                         netns.last.gone ? " (gone)" : "")});
    }
  }
  const auto add = [&facts](std::size_t count, const char* one, const char* several) {
    if (count != 0) facts.push_back({"", fmt::format("and {} {}", grouped(count), count == 1 ? one : several)});
  };
  add(more, "more namespace", "more namespaces");
  add(gone, "namespace that is gone, with nothing counted", "namespaces that are gone, with nothing counted");
}

std::string cross_check(const NetnsReport& netns) {
  const auto& kernel = netns.last.kernel;
  if (!kernel.created && !kernel.overflow) return "the kernel's own counters cannot be compared here";
  const auto line = [](const char* what, std::uint64_t all, std::uint64_t unattributed, std::uint64_t missed,
                       const std::optional<std::uint64_t>& counted) {
    std::string words = fmt::format("{}: kernel {} = {} attributed + {} unattributed", what, count_words(counted),
                                    grouped(all - std::min(all, unattributed)), grouped(unattributed));
    if (missed != 0) words += fmt::format(" + {} missed", grouped(missed));
    return words;
  };
  const model::NetnsRow& last = netns.last;
  std::string words;
  if (kernel.created) {
    words = line("created", last.counts.created(), last.unattributed.created(), last.missed.created.value_or(0),
                 kernel.created);
  }
  if (kernel.overflow) {
    words += (words.empty() ? "" : "; ") + line("refused", last.counts.refused(), last.unattributed.refused(),
                                                last.missed.overflow.value_or(0), kernel.overflow);
  }
  return words;
}

void append_marks(const Report& report, std::vector<Property>& facts) {
  const std::vector<model::Mark>& marks = report.info.marks;
  const std::size_t shown = std::min(marks.size(), kMarksShown);
  for (std::size_t i = 0; i < shown; ++i) {
    facts.push_back({i == 0 ? "marks" : "", offset_words(report, marks[i].time_unix_ms) + " " + marks[i].name});
  }
  if (shown < marks.size()) facts.push_back({"", fmt::format("and {} more", grouped(marks.size() - shown))});
}

/// The lines about a phase, in this order.
struct Measure {
  const char* name;
  std::string (*cell)(const Report& report, const report::Phase& phase, const report::Amounts& amounts);
};

template <std::uint64_t model::Counters::*kMember>
std::string member(const Report&, const report::Phase&, const report::Amounts& amounts) {
  return grouped(amounts.counts.*kMember);
}

template <std::uint64_t model::Counters::*kMember>
std::string removed(const Report& report, const report::Phase&, const report::Amounts& amounts) {
  return report.info.probe.sees.removal ? grouped(amounts.counts.*kMember) : "-";
}

std::string created_rate(const Report&, const report::Phase& phase, const report::Amounts& amounts) {
  return phase.seconds > 0 ? base::rate(static_cast<double>(amounts.counts.created()) / phase.seconds) : "-";
}

constexpr Measure kMeasures[] = {
    {"time",
     [](const Report&, const report::Phase& phase, const report::Amounts&) { return base::duration(phase.seconds); }},
    {"created", [](const Report&, const report::Phase&,
                   const report::Amounts& amounts) { return grouped(amounts.counts.created()); }},
    {"created/s", created_rate},
    {"overflow, TIME_WAIT", member<&model::Counters::overflow_time_wait>},
    {"overflow, FIN_WAIT2", member<&model::Counters::overflow_fin_wait2>},
    {"no_memory", member<&model::Counters::no_memory>},
    {"expired", removed<&model::Counters::expired>},
    {"reused", removed<&model::Counters::reused>},
    {"recycled", removed<&model::Counters::recycled>},
    {"purged", removed<&model::Counters::purged>},
    {"in use, peak", [](const Report&, const report::Phase&, const report::Amounts& amounts) {
       return count_words(amounts.in_use_peak);
     }}};

constexpr HarmColumn kHarmColumns[] = {
    {"NO_MEM", "no memory", &model::Counters::no_memory, nullptr},
    {"FELT", "resets felt", &model::Counters::resets_felt, &model::Sight::resets_received},
    {"NO_PORT", "no port", &model::Counters::no_port, &model::Sight::no_port},
    {"Q_DROPS", "queue drops", &model::Counters::queue_drops, &model::Sight::queue_drops}};

/// The sum of all rows except those of `shown`, which ascends.
std::vector<std::string> sum_row(const Report& report, const std::vector<HarmColumn>& harm,
                                 const std::vector<std::size_t>& shown, const std::string& name) {
  model::Counters counts;
  double share = 0;
  for (std::size_t i = 0; i < report.owners.size(); ++i) {
    if (std::binary_search(shown.begin(), shown.end(), i)) continue;
    counts += report.owners[i].row.counts;
    share += report.owners[i].share;
  }
  std::vector<std::string> cells = {
      "", name, "", "", "", "", grouped(counts.created()), grouped(counts.overflow()), percent_words(100 * share)};
  append_harm(cells, harm, counts);
  return cells;
}

/// True if every row would say the same.
void drop_netns(Grid& grid) {
  constexpr std::ptrdiff_t kNetns = 5;
  grid.columns.erase(grid.columns.begin() + kNetns);
  for (std::vector<std::string>& row : grid.rows) row.erase(row.begin() + kNetns);
}

std::string process_words(const model::Row& row) {
  return row.process && !row.process->comm.empty() ? row.process->comm : "-";
}

std::string service_words(const model::Row& row) {
  if (row.kind == model::RowKind::kBeforeStart) {
    const std::string name = row.shown_service();
    return fmt::format("{}({} before start)", name.empty() ? "" : name + " ", grouped(row.live.value_or(0)));
  }
  if (row.kind != model::RowKind::kNormal) return std::string(view::row_label(row.kind));
  return row.shown_service().empty() ? "-" : row.shown_service();
}

/// "redis-server of redis.service".
std::string program_words(const model::Row& row) {
  const std::string& service = row.shown_service();
  if (service.empty()) return process_words(row);
  return row.process && !row.process->comm.empty() ? row.process->comm + " of " + service : service;
}

}  // namespace

std::vector<HarmColumn> harm_columns(const model::Counters& sum) {
  std::vector<HarmColumn> some;
  std::copy_if(std::begin(kHarmColumns), std::end(kHarmColumns), std::back_inserter(some),
               [&](const HarmColumn& column) { return sum.*column.count != 0; });
  return some;
}

void append_harm(std::vector<std::string>& cells, const std::vector<HarmColumn>& columns,
                 const model::Counters& counts) {
  for (const HarmColumn& column : columns) cells.push_back(grouped(counts.*column.count));
}

bool is_known(const HarmColumn& column, const model::Sight& sees) {
  return column.needs == nullptr || sees.*column.needs;
}

std::string time_words(std::int64_t unix_ms) {
  std::string text = base::iso8601_ms(unix_ms).substr(0, 19) + "Z";
  text[10] = ' ';
  return text;
}

std::string percent_words(const std::optional<double>& percent) {
  return percent ? fmt::format("{:.1f}%", *percent) : "-";
}

std::string count_words(const std::optional<std::uint64_t>& count) { return count ? grouped(*count) : "-"; }

std::string offset_words(const Report& report, std::int64_t time_unix_ms) {
  return fmt::format("{:+.1f}s", static_cast<double>(time_unix_ms - report.begin_unix_ms) / 1000);
}

std::string command_words(const std::vector<std::string>& argv) {
  std::string words;
  for (const std::string& word : argv) words += (words.empty() ? "" : " ") + base::shell_word(word);
  return words;
}

std::string report_title(const Report& report) {
  std::string title = report.info.host.name.empty() ? "this host" : report.info.host.name;
  title += ", " + time_words(report.begin_unix_ms);
  return title;
}

std::string fullest_name(const Report& report) {
  if (report.namespaces.empty()) return "no network namespace";
  const model::NetnsRow& row = report.namespaces.front().last;
  return "netns " + phrases::netns_words(row.netns, row.name);
}

std::string fullest_of(const Report& report) {
  if (report.namespaces.size() < 2) return {};
  const NetnsReport& front = report.namespaces.front();
  const bool fuller = std::any_of(report.namespaces.begin(), report.namespaces.end(), [&](const NetnsReport& netns) {
    return netns.peak_percent.value_or(0) > front.peak_percent.value_or(0);
  });
  if (!fuller) return ", the fullest";
  return front.last.counts.refused() != 0 ? ", the fullest of those that refused" : ", the fullest of those in use";
}

std::vector<Property> header_properties(const Report& report) {
  const model::CaptureInfo& info = report.info;
  std::vector<Property> facts;
  facts.push_back({"host", info.host.name + ", kernel " + info.host.kernel});
  if (!report.selection.empty()) facts.push_back({"only", report.selection});
  if (info.command) {
    facts.push_back({"command", command_words(info.command->argv)});
    facts.push_back({"", command_end(*info.command)});
  }
  facts.push_back(
      {"time", fmt::format("{} to {}, {} in {} samples", time_words(report.begin_unix_ms),
                           time_words(report.end_unix_ms), base::duration(report.seconds), grouped(report.samples))});
  if (const std::string gone = report::missing(report); !gone.empty()) facts.push_back({"complete", "no: " + gone});
  if (const std::string clock = report::clock_words(report); !clock.empty()) facts.push_back({"clock", clock});
  append_limits(report, facts);
  append_marks(report, facts);
  return facts;
}

std::vector<Property> trust_properties(const Report& report) {
  std::vector<Property> facts;
  std::size_t shown = 0;
  for (const NetnsReport& netns : report.namespaces) {
    // A namespace that counted nothing always agrees. It gets a line only if something differs.
    const bool idle = netns.last.counts == model::Counters{} && netns.last.reconciled.value_or(true);
    if (shown != 0 && (idle || shown >= kNamespacesShown)) continue;
    const std::string words = phrases::netns_words(netns.last.netns, netns.last.name) + ": " + cross_check(netns);
    facts.push_back({++shown == 1 ? "kernel" : "", words});
  }
  const std::string lost = phrases::loss_words(report.lost, ", ");
  facts.push_back({"lost", lost.empty() ? "nothing: no event, no count" : lost});
  facts.push_back({"backend", report.info.probe.backend});
  for (const std::string& fallback : report.info.probe.fallbacks) facts.push_back({"", fallback});
  std::string cost =
      fmt::format("{:.1f}% of one core, {} of memory", report.cpu_percent_mean, base::bytes(report.rss_bytes_peak));
  if (report.bpf_run_ns_per_event)
    cost += fmt::format(", {:.0f} ns per event in the kernel", *report.bpf_run_ns_per_event);
  facts.push_back({"cost", cost});
  facts.push_back({"twtrace", report.info.twtrace_version});
  return facts;
}

Grid phases_grid(const Report& report, bool fullest) {
  Grid grid;
  grid.columns.push_back({"", base::Align::kLeft});
  for (const report::Phase& phase : report.phases) grid.columns.push_back({to_string(phase.kind)});
  const auto add = [&](const char* name, const auto& cell) {
    std::vector<std::string> row = {name};
    for (const report::Phase& phase : report.phases) row.push_back(cell(phase, fullest ? phase.fullest : phase.total));
    grid.rows.push_back(std::move(row));
  };
  for (const Measure& measure : kMeasures) {
    add(measure.name, [&](const report::Phase& phase, const report::Amounts& amounts) {
      return measure.cell(report, phase, amounts);
    });
  }
  if (fullest) {
    add("of the limit",
        [](const report::Phase&, const report::Amounts& amounts) { return percent_words(amounts.peak_percent); });
  }
  return grid;
}

Grid peers_grid(const Report& report, std::size_t most) {
  Grid grid;
  grid.columns = {{"PEER", base::Align::kLeft},
                  {"SERVICE", base::Align::kLeft},
                  {"PROCESS", base::Align::kLeft},
                  {"ROLE", base::Align::kLeft},
                  {"PORT"},
                  {"CREATED"},
                  {"OVERFLOW"}};
  model::Counters sum;
  for (const report::PeerPart& part : report.peers) sum += part.counts;
  const std::vector<HarmColumn> harm = harm_columns(sum);
  for (const HarmColumn& column : harm) grid.columns.push_back({column.title});
  const bool any_here = std::any_of(report.peers.begin(), report.peers.end(),
                                    [](const report::PeerPart& part) { return part.other_end.has_value(); });
  if (any_here) grid.columns.push_back({"OTHER END", base::Align::kLeft});
  const std::vector<std::size_t> shown =
      shown_rows(report.peers.size(), most, harm.size(),
                 [&](std::size_t row, std::size_t column) { return report.peers[row].counts.*harm[column].count; });
  for (const std::size_t i : shown) {
    const report::PeerPart& part = report.peers[i];
    const model::Row& row = report.owners[part.owner].row;
    const bool port_is_of_peer = row.role == model::Role::kClient;
    grid.rows.push_back(
        {part.peer.port ? phrases::endpoint_words(part.peer.address, *part.peer.port) : part.peer.address,
         service_words(row), process_words(row), row.role ? model::to_string(*row.role) : "-",
         port_is_of_peer ? "-" : view::shown_port(row.role, row.port), grouped(part.counts.created()),
         grouped(part.counts.overflow())});
    append_harm(grid.rows.back(), harm, part.counts);
    if (any_here) grid.rows.back().push_back(part.other_end ? program_words(*part.other_end) : "-");
  }
  if (shown.size() < report.peers.size()) {
    const char* const least = report.peers.size() == report::kMaxPeers ? "or " : "";
    add_words(grid, 0, fmt::format("+{} {}more", report.peers.size() - shown.size(), least));
  }
  return grid;
}

Grid owners_grid(const Report& report, std::size_t most) {
  Grid grid;
  grid.columns = {{"#"},
                  {"SERVICE", base::Align::kLeft},
                  {"PROCESS", base::Align::kLeft},
                  {"ROLE", base::Align::kLeft},
                  {"PORT"},
                  {"NETNS", base::Align::kLeft},
                  {"CREATED"},
                  {"OVERFLOW"},
                  {"OF ALL"}};
  model::Counters sum;
  for (const report::Owner& owner : report.owners) sum += owner.row.counts;
  const std::vector<HarmColumn> harm = harm_columns(sum);
  for (const HarmColumn& column : harm) grid.columns.push_back({column.title});
  // The others, which come last, have nothing that these columns show: resets that nobody noticed.
  const auto all = static_cast<std::size_t>(std::count_if(
      report.owners.begin(), report.owners.end(),
      [](const report::Owner& owner) { return owner.share > 0 || !harm_columns(owner.row.counts).empty(); }));
  const std::vector<std::size_t> shown = shown_rows(all, most, harm.size(), [&](std::size_t row, std::size_t column) {
    return report.owners[row].row.counts.*harm[column].count;
  });
  for (const std::size_t i : shown) {
    const report::Owner& owner = report.owners[i];
    const model::Row& row = owner.row;
    grid.rows.push_back(
        {std::to_string(i + 1), service_words(row), process_words(row), row.role ? model::to_string(*row.role) : "-",
         row.role ? view::shown_port(row.role, row.port) : "-",
         row.netns ? phrases::netns_words(*row.netns, row.netns_name) : "-", grouped(row.counts.created()),
         grouped(row.counts.overflow()), percent_words(100 * owner.share)});
    append_harm(grid.rows.back(), harm, row.counts);
  }
  if (shown.size() < all) {
    grid.rows.push_back(sum_row(report, harm, shown, fmt::format("+{} more rows", all - shown.size())));
  }
  if (all != 0) grid.rows.push_back(sum_row(report, harm, {}, "all"));
  if (report.namespaces.size() < 2) drop_netns(grid);
  return grid;
}

std::vector<std::string> trouble_lines(const Report& report) {
  constexpr std::size_t kTroubleLines = 5;
  const std::size_t shown = std::min(report.troubles.size(), kTroubleLines);
  std::vector<std::string> lines;
  if (report.totals.no_memory != 0) lines.emplace_back(phrases::kNoMemory);
  for (std::size_t i = 0; i < shown; ++i) {
    std::string& line = lines.emplace_back();
    for (const phrases::Remark& remark : phrases::trouble_remarks(report.troubles[i], phrases::Tense::kPast)) {
      line += (line.empty() ? "" : "; ") + remark.text;
    }
  }
  if (shown < report.troubles.size()) lines.push_back(phrases::more_troubles_words(report.troubles.size() - shown));
  return lines;
}

bool has_timeline(const Report& report) {
  return !report.namespaces.empty() && !report.namespaces.front().timeline.empty() &&
         report.begin_unix_ms < report.end_unix_ms && report::clock_words(report).empty();
}

std::string measured_words(const report::Verdict& verdict) {
  const std::string culprit = report::culprit_words(verdict);
  const bool unknown = verdict.state == report::Verdict::State::kNotMeasurable;
  return (unknown ? "not measurable: " : "") + verdict.words + (culprit.empty() ? "" : "; " + culprit);
}

void add_words(Grid& grid, std::size_t column, std::string words) {
  std::vector<std::string> cells(grid.columns.size());
  cells[column] = std::move(words);
  grid.rows.push_back(std::move(cells));
}

std::vector<VerdictLine> verdict_lines(const Report& report) {
  std::vector<VerdictLine> lines;
  for (const report::Verdict& verdict : report.verdicts) {
    lines.push_back({verdict.fails(), verdict.budget.text, measured_words(verdict)});
  }
  return lines;
}

std::vector<Marker> markers(const Report& report) {
  std::vector<Marker> all;
  if (report.info.command) {
    const model::CapturedCommand& command = *report.info.command;
    if (command.started_unix_ms) all.push_back({*command.started_unix_ms, "command starts"});
    if (command.ended_unix_ms) all.push_back({*command.ended_unix_ms, "command ends"});
  }
  for (const model::Mark& mark : report.info.marks) all.push_back({mark.time_unix_ms, mark.name});
  std::stable_sort(all.begin(), all.end(),
                   [](const Marker& left, const Marker& right) { return left.time_unix_ms < right.time_unix_ms; });
  return all;
}

}  // namespace twtrace::output
