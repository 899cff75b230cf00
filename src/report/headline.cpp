// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/format.hpp"
#include "phrases/endpoint.hpp"
#include "phrases/owner.hpp"
#include "phrases/trouble.hpp"
#include "report/finding_words.hpp"
#include "report/nobody.hpp"
#include "report/report.hpp"
#include "report/unseen.hpp"

namespace twtrace::report {
namespace {

/// Who has most of this count; nullptr if nobody has any.
const Owner* with_most(const Report& report, CountOf count) {
  const Owner* most = nullptr;
  for (const Owner& owner : report.owners) {
    const std::uint64_t part = count(owner.row.counts);
    if (part != 0 && (most == nullptr || part > count(most->row.counts))) most = &owner;
  }
  return most;
}

/// The namespace whose table was fullest, of those whose limit is known.
const NetnsReport* fullest(const Report& report) {
  const NetnsReport* most = nullptr;
  for (const NetnsReport& netns : report.namespaces) {
    if (netns.peak_percent && (most == nullptr || *netns.peak_percent > *most->peak_percent)) most = &netns;
  }
  return most;
}

void append(std::string& words, const std::string& more) {
  if (!more.empty()) words += (words.empty() ? "" : "; ") + more;
}

std::string resets(std::uint64_t count) {
  return fmt::format("{} {}", fmt::group_digits(count), count == 1 ? "reset" : "resets");
}

/// Resets to peers of refused connections, and what a larger table would have changed.
std::string peer_reset_words(std::uint64_t count, std::uint64_t avoidable) {
  if (count == 1) {
    return fmt::format(
        "1 reset went to the peer of a connection that the table had refused; a larger table would {}"
        "have avoided it",
        avoidable == 0 ? "not " : "");
  }
  return fmt::format("{} went to peers of connections that the table had refused; a larger table would have avoided {}",
                     resets(count),
                     avoidable == count ? "all of them"
                     : avoidable == 0   ? "none of them"
                                        : base::grouped(avoidable));
}

/// Who noticed resets.
std::string felt_words(const Report& report) {
  const std::uint64_t felt = report.totals.resets_felt;
  const CountOf count = model::count_of<&model::Counters::resets_felt>;
  const Owner* const owner = with_most(report, count);
  const std::uint64_t most = owner != nullptr && phrases::is_named(owner->row) ? count(owner->row.counts) : 0;
  const std::string who = most == felt ? phrases::owner_words(owner->row) : "processes on this host";
  std::string words = fmt::format("{} noticed {}", who, resets(felt));
  if (most != felt && most != 0) {
    words += fmt::format(", {} of them in {}", fmt::group_digits(most), phrases::owner_words(owner->row));
  }
  if (report.totals.peer_resets != 0 || !knows_peer_resets(report)) return words;
  if (report.by_netns) {
    return words + (felt == 1 ? "; no table in this report caused it" : "; no table in this report caused any of them");
  }
  return words + (felt == 1 ? "; this host's table did not cause it" : "; this host's table caused none of them");
}

/// "300 connect() calls found no free local port".
std::string failed_calls(const char* function, std::uint64_t count) {
  return fmt::format("{} {} {} found no free local port", fmt::group_digits(count), function,
                     count == 1 ? "call" : "calls");
}

bool is_used_up(const model::Use& ports) { return ports.of != 0 && ports.taken >= ports.of; }

std::string destination_words(const model::PortUse& use) {
  return phrases::endpoint_words(use.destination.address, use.destination.port.value_or(0));
}

/// Who was hurt, and what a larger table would have changed; empty if the numbers show nobody.
std::string harm_words(const Report& report) {
  const model::Counters& all = report.totals;
  std::string words;
  if (all.peer_resets != 0) {
    append(words, (knows_peer_resets(report) ? "" : "at least ") +
                      peer_reset_words(all.peer_resets, all.peer_resets_avoidable));
  }
  if (all.resets_felt != 0) append(words, felt_words(report));
  if (all.no_port_bind != 0) {
    append(words, failed_calls("bind()", all.no_port_bind));
  }
  if (all.no_port_connect() != 0) {
    append(words, failed_calls("connect()", all.no_port_connect()));
  } else if (!report.ports.empty() && is_used_up(report.ports.front().use.ports)) {
    append(words, fmt::format("no local port was left towards {}", destination_words(report.ports.front().use)));
  }
  if (const std::uint64_t drops = dropped_attempts(report); drops != 0) {
    append(words, fmt::format("{} connection attempts were dropped at a listening socket", fmt::group_digits(drops)));
    if (!report.queues.empty()) {
      const std::uint64_t most = report.queues.front().drops;
      words += fmt::format(", {} of {}", most == drops ? "all" : base::grouped(most),
                           phrases::queue_owner_words(report.queues.front()));
    }
  }
  return words;
}

/// ", all of web.service (server :80)": who has most of this count.
std::string most_words(const Report& report, CountOf count) {
  const Owner* const owner = with_most(report, count);
  if (owner == nullptr) return {};
  const std::uint64_t most = count(owner->row.counts);
  return fmt::format(", {} of {}", most == count(report.totals) ? "all" : base::grouped(most),
                     phrases::owner_words(owner->row));
}

/// Who was refused by the table, and who for want of memory; empty if nobody was.
std::string refused_words(const Report& report) {
  const model::Counters& all = report.totals;
  std::string words;
  if (all.overflow() != 0) {
    append(words,
           fmt::format("{} closed connections were refused a place in the table{}", fmt::group_digits(all.overflow()),
                       most_words(report, model::count_of<&model::Counters::overflow>)));
  }
  if (all.no_memory != 0) {
    append(words, fmt::format("the kernel had no memory for the buckets of {} closed connections{}",
                              fmt::group_digits(all.no_memory),
                              most_words(report, model::count_of<&model::Counters::no_memory>)));
  }
  return words;
}

std::string measured_words(const Report& report) {
  const std::uint64_t missed = missed_refused(report);
  if (std::string words = refused_words(report); !words.empty()) {
    if (missed != 0)
      words += fmt::format("; the kernel refused {} more, which no BPF program saw", fmt::group_digits(missed));
    return words;
  }
  if (missed != 0)
    return fmt::format("the kernel refused {} buckets, which no BPF program saw", fmt::group_digits(missed));
  const NetnsReport* const most = fullest(report);
  if (most == nullptr) return "nothing was refused";
  return fmt::format("nothing was refused; the {} was {} full at most",
                     report.namespaces.size() == 1 ? "table" : "fullest table, of " + title(most->last) + ",",
                     truncated_percent(*most->peak_percent));
}

}  // namespace

std::string headline(const Report& report) {
  if (report.samples == 0) return "the capture ended before its first sample: nothing can be said";
  std::string words = harm_words(report);
  append(words, measured_words(report));
  if (report.none_ran) {
    words = nobody_words(report.info, report.selection) + "; " + words;
  } else if (report.none_selected) {
    words = "no row matches " + report.selection + "; " + words;
  }
  if (const std::string gone = missing(report); !gone.empty()) {
    words = all_refused(report) != 0 ? words + "; " + gone : gone + "; in the rest, " + words;
  }
  append(words, clock_words(report));
  return words;
}

std::string culprit_words(const Verdict& verdict) {
  if (!verdict.culprit) return {};
  return fmt::format("{} ({} of all) by {}", fmt::group_digits(verdict.culprit_count), percent(verdict.culprit_share),
                     phrases::owner_words(*verdict.culprit));
}

}  // namespace twtrace::report
