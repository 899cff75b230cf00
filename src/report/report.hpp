// SPDX-License-Identifier: Apache-2.0
// The summary of a capture. Built once, then only read. Strings may hold any bytes; the sinks escape them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/recording.hpp"
#include "report/budget.hpp"
#include "report/logs.hpp"
#include "report/timeline.hpp"

namespace twtrace::report {

/// Without a command, the whole capture is kWhole.
enum class PhaseKind { kBefore, kDuring, kAfter, kWhole };

/// What happened in a part of the capture, in one namespace or in all.
struct Amounts {
  model::Counters counts;
  std::optional<std::uint64_t> in_use_peak;  ///< empty: the gauge could not be read
  std::optional<double> peak_percent;        ///< of the limit at that moment; empty for the sum of several namespaces
};

/// A part of the capture. An interval that shares any time with the command belongs to kDuring.
struct Phase {
  PhaseKind kind = PhaseKind::kWhole;
  double seconds = 0;  ///< sum of its intervals
  Amounts total;
  Amounts fullest;  ///< of Report::namespaces.front()
};

/// Some intervals of a namespace, merged to bound memory.
struct TimelinePoint {
  std::int64_t begin_unix_ms = 0;
  std::int64_t end_unix_ms = 0;
  std::optional<std::uint64_t> in_use;  ///< largest
  std::optional<std::uint64_t> limit;   ///< last
  std::uint64_t created = 0;
  std::uint64_t refused = 0;  ///< overflow and no_memory
};

/// Most places of the table that were wanted within the lifetime of a bucket (kBucketLifetimeS), or within the whole
/// capture if that is shorter.
struct Demand {
  std::uint64_t arrivals = 0;  ///< created and refused
  std::uint64_t older = 0;     ///< buckets that were there when the capture began

  std::uint64_t wanted() const { return arrivals + older; }
};

/// What the capture says of one namespace.
struct NetnsReport {
  model::NetnsRow last;         ///< its last state; counts are those of the capture
  model::Counters without_row;  ///< what it counted and no row did
  std::optional<model::NetnsSettings> at_start;
  std::optional<model::NetnsSettings> at_end;
  std::vector<Amounts> phases;  ///< as Report::phases
  std::optional<std::uint64_t> in_use_peak;
  std::optional<double> peak_percent;
  std::uint64_t percent_in_use = 0;                ///< when `peak_percent` was reached
  std::int64_t peak_unix_ms = 0;                   ///< end of the interval with the peak
  std::uint64_t peak_sample = 0;                   ///< the last one with the peak, from 0 on
  std::optional<std::uint64_t> peak_limit;         ///< then
  std::optional<std::uint64_t> peak_pre_existing;  ///< NetnsRow::pre_existing then
  std::optional<std::int64_t> gone_unix_ms;        ///< end of the interval in which it went away
  bool began_later = false;                        ///< it is in none of the first sample's rows
  std::optional<std::uint64_t> known_limit;        ///< the last one that was read
  /// Buckets at the last reading, and what was created since: it had no more at its end.
  std::optional<std::uint64_t> most_at_end;
  /// How many buckets it had at least when it refused one: its limit then. Empty: it refused none, or no limit is
  /// known.
  std::optional<std::uint64_t> refused_at;
  double created_per_s_peak = 0;  ///< of the busiest interval; one that ended early counts with another
  std::size_t busiest_phase = 0;  ///< index of the phase with that interval
  Demand demand;
  std::uint64_t busiest_arrivals = 0;   ///< most that were created and refused within kForecastRateS
  std::vector<TimelinePoint> timeline;  ///< ascending, at most kMaxTimelinePoints

  /// The latest that are known.
  const std::optional<model::NetnsSettings>& settings() const { return at_end ? at_end : at_start; }
};

/// Points of all namespaces together: of many, each has fewer.
inline constexpr std::size_t kMaxAllTimelinePoints = 100 * kMaxTimelinePoints;

/// Looks before the end of a capture, in seconds. Who closed nothing in the longest one no longer connects for every
/// request. In the others this is so if at least kExpectedInQuiet would have been expected, at the rate before.
inline constexpr std::array<std::int64_t, 3> kQuietS = {10, 5, 2};
inline constexpr double kExpectedInQuiet = 5;

/// One row of the capture with its counts in each phase.
struct Owner {
  model::Row row;                       ///< counts are those of the capture
  std::vector<model::Counters> phases;  ///< as Report::phases
  std::uint64_t before_start = 0;       ///< buckets from before the start; such an owner has no counts
  double share = 0;                     ///< of all created, refused, and from before the start; 0 to 1
  std::uint64_t busiest_arrivals = 0;   ///< NetnsReport::busiest_arrivals of its namespace; 0: there is none
  /// It closed connections, but none in so many last seconds of the capture (kQuietS); 0: it did until the end.
  std::int64_t quiet_s = 0;
};

/// The most ephemeral ports that were taken towards one destination at one time.
struct PortPeak {
  model::PortUse use;
  std::string netns_name;
  bool netns_gone = false;
  std::uint64_t most_taken = 0;      ///< largest count that connect() found taken; `use` has the largest share
  std::optional<std::size_t> owner;  ///< index into Report::owners: who created most buckets towards it
  std::uint64_t created = 0;         ///< by that owner
};

/// What an owner had with one remote end. Counted from events, so it may lack some.
struct PeerPart {
  std::size_t owner = 0;  ///< index into Report::owners
  model::Peer peer;
  model::Counters counts;
  std::optional<model::Row> other_end;  ///< who is at the other end, if that is an owner of this host and known
};

/// As many peers as a report has at most.
inline constexpr std::size_t kMaxPeers = 100;

/// How a budget came out.
struct Verdict {
  enum class State { kKept, kBreached, kNotMeasurable };
  Budget budget;
  State state = State::kKept;
  std::optional<double> measured;  ///< in the unit of the budget: a count, a rate, a ratio, percent; may be infinite
  std::string words;               ///< the measured value in words, or why there is none
  std::optional<model::Row>
      culprit;                      ///< who has the largest part of it; an owner, also of those that a selection hides
  std::uint64_t culprit_count = 0;  ///< that part
  double culprit_share = 0;         ///< 0 to 1

  bool fails() const { return state != State::kKept; }
};

/// How bad a finding is, the worst first.
enum class Severity { kCritical, kWarning, kNotice };

/// A problem that the numbers show, and what to do about it.
struct Finding {
  std::string id;  ///< stable: "table-too-small", ...
  Severity severity = Severity::kNotice;
  std::string text;                   ///< one sentence
  std::vector<std::string> evidence;  ///< numbers
  std::string command;                ///< shows them again on the host
  std::string change;                 ///< exact: a sysctl line and its file, or what to change in which program
  std::string risk;
  std::string avoid;  ///< what not to do
};

/// What a report is limited to.
struct Selection {
  view::Selector selector;
  std::string text;  ///< as it was typed, any bytes; empty: to nothing
};

/// Everything that a capture comes to. Plain data.
struct Report {
  model::CaptureInfo info;
  std::string selection;       ///< Selection::text
  bool by_netns = false;       ///< it leaves out namespaces: nothing here is about all of the host
  bool none_selected = false;  ///< no row is as the selection says
  bool none_ran = false;       ///< nor is any process of the selected names known to have run
  std::int64_t begin_unix_ms = 0;
  std::int64_t end_unix_ms = 0;
  double seconds = 0;                     ///< sum of all intervals
  std::uint64_t samples = 0;              ///< 0: it ended within its first interval
  std::optional<std::string> read_error;  ///< why reading ended early; the report has what was read before
  std::vector<Phase> phases;
  model::Counters totals;
  model::Counters unattributed;
  std::vector<NetnsReport> namespaces;  ///< first those that refused, then those in use; fullest first
  std::vector<Owner> owners;            ///< most arrivals (created and refused) first; they sum to `totals`
  /// In each phase: what rows counted that became part of others later, because processes or namespaces were gone, and
  /// what came to others in that way, as if it had been counted then.
  std::vector<model::Counters> merged;
  std::vector<PortPeak> ports;       ///< fullest first; of destinations
  std::vector<PortPeak> port_pools;  ///< fullest first; of namespaces (PortUse::is_pool()) where it was nearly full
  bool ports_counted = false;        ///< false: `ports` says nothing of how many were taken
  std::size_t ports_kept = 0;        ///< destinations and pools of the capture, of all namespaces
  bool ports_of_unknown = false;     ///< some are left out because an old capture does not say whose they are
  LogsReport logs;                   ///< lines of application logs
  std::vector<model::ListenQueue>
      queues;                   ///< those that dropped something, each as long as it was seen; most drops first
  std::vector<PeerPart> peers;  ///< most arrivals first, then most harm; at most kMaxPeers
  model::Losses lost;
  double cpu_percent_mean = 0;  ///< of one core
  std::uint64_t rss_bytes_peak = 0;
  std::optional<double> bpf_run_ns_per_event;
  std::vector<model::Trouble> troubles;  ///< the worst first: who held a table when it was fullest, who was refused
  std::vector<Verdict> verdicts;
  std::vector<Finding> findings;  ///< worst first

  /// True if the end is missing: the process was killed, or the disk was full.
  bool cut() const { return !info.ended_unix_ms || read_error; }
};

/// Whether a budget may be judged by a capture that lacks its end, or has a hole.
enum class Partial { kFails, kAllowed };

/// What a report is made for. A diff compares counts: it needs neither verdicts on the budgets that the recording has,
/// nor troubles, remote ends and findings.
enum class Purpose { kReport, kDiff };

/// Reads the recording twice: once for its samples, once for its rows at the end of each phase. Fails only if nothing
/// can be read at all. A selection by namespace leaves the others out of everything. One by owner leaves other owners
/// out of rows, ports and findings; totals and tables stay those of the namespaces.
///
/// Judges `budgets` by the chosen namespaces: narrowed() limits them to a selection. The budgets that the recording has
/// are always judged by everything that was recorded: a selection hides no failure.
base::Result<Report> build_report(model::Recording& recording, const std::vector<Budget>& budgets,
                                  Partial partial = Partial::kFails, const Selection& selection = {},
                                  Purpose purpose = Purpose::kReport);

/// True if a budget is breached or cannot be measured. The exit code is then 99.
bool breached(const Report& report);
/// Buckets that the kernel created, or refused, and no BPF program saw, as far as that is known.
std::uint64_t missed_created(const Report& report);
std::uint64_t missed_refused(const Report& report);
/// Refusals, those included that only the kernel counted.
std::uint64_t all_refused(const Report& report);
/// Connection attempts that listening sockets dropped, as the kernel counted them.
std::uint64_t dropped_attempts(const Report& report);
/// True if something went wrong, or if nothing can be said.
bool troubled(const Report& report);

/// The phase of that kind; null if there is none.
const Phase* phase(const Report& report, PhaseKind kind);
/// "before", "during", "after", "capture".
const char* to_string(PhaseKind kind);
/// "kept", "breached", "not measurable".
const char* to_string(Verdict::State state);
/// "critical", "warning", "notice".
const char* to_string(Severity severity);

/// What the capture does not know, in a few words: its end, its command if that never ran, or a while in which no
/// sample was taken or the host slept. Empty when it has everything.
std::string missing(const Report& report);
/// What cannot be trusted because the clock was set during the capture; empty if it was not. Counts, seconds and rates
/// can be, so it is no reason to fail a budget that compares no phases.
std::string clock_words(const Report& report);
/// The most important fact, in one sentence. What is missing is part of it.
std::string headline(const Report& report);
/// "812 (95% of all) by scheduler of scheduler.service (server :9000)"; empty when the verdict has no culprit.
std::string culprit_words(const Verdict& verdict);

}  // namespace twtrace::report
