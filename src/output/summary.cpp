// SPDX-License-Identifier: Apache-2.0
#include "output/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "base/escape.hpp"
#include "base/format.hpp"

namespace twtrace::output {
namespace {

constexpr std::size_t kNamespacesShown = 3;
constexpr std::size_t kNameColumns = 24;  // a name may be 15 bytes of escapes or a path: never let it fill the line

struct Piece {
  std::string text;
  bool alarming = false;
};

// Pieces two spaces apart; what does not fit goes to an indented line of its own.
std::string flow(const std::vector<Piece>& pieces, std::size_t width, Color color) {
  std::string out;
  std::size_t used = 0;
  for (const Piece& piece : pieces) {
    const std::string text = width == 0 ? piece.text : base::fit(piece.text, std::max<std::size_t>(width, 3) - 2);
    const std::size_t columns = base::display_width(text);
    if (used != 0 && width != 0 && used + 2 + columns > width) {
      out += "\n  ";
      used = 2;
    } else if (used != 0) {
      out += "  ";
      used += 2;
    }
    out += piece.alarming ? alarm(text, color) : text;
    used += columns;
  }
  return out += '\n';
}

std::string name_text(const std::string& bytes, std::size_t width) {
  const std::string safe = base::sanitize_terminal(bytes);
  return width == 0 ? safe : base::fit(safe, kNameColumns);
}

std::string moment(std::int64_t unix_ms) { return base::iso8601_ms(unix_ms).substr(0, 19) + "Z"; }

std::vector<Piece> snapshot_pieces(const model::Snapshot& snapshot, std::size_t width) {
  std::vector<Piece> pieces{{moment(snapshot.time_unix_ms)}};
  if (!snapshot.host.name.empty()) pieces.push_back({name_text(snapshot.host.name, width)});
  pieces.push_back({snapshot.probe.backend});
  pieces.push_back({"interval " + base::duration(snapshot.interval_s)});
  if (snapshot.live_age_s.value_or(0) > 0) {
    pieces.push_back({"live counted " + base::duration(*snapshot.live_age_s) + " ago"});
  }
  return pieces;
}

std::string fill(const model::NetnsRow& row) {
  const auto number = [](const std::optional<std::uint64_t>& value) { return value ? base::grouped(*value) : "-"; };
  std::string text = fmt::format("TIME_WAIT {}/{}", number(row.in_use), number(row.limit));
  if (row.in_use && row.limit.value_or(0) > 0) {
    const double percent = 100.0 * static_cast<double>(*row.in_use) / static_cast<double>(*row.limit);
    text += fmt::format(" ({}%)", static_cast<std::uint64_t>(percent));  // truncated: 100% means full
  }
  return text;
}

Piece overflow_piece(const model::Counters& counts, double per_s) {
  if (counts.overflow() == 0) return {"overflow 0"};
  return {fmt::format("! overflow {}/s total {}", base::rate(per_s), base::grouped(counts.overflow())), true};
}

void append_missed(std::vector<Piece>& pieces, const model::MissedCounts& missed) {
  if (missed.created.value_or(0) != 0) pieces.push_back({"missed " + base::grouped(*missed.created) + " created"});
  if (missed.overflow.value_or(0) != 0) pieces.push_back({"missed " + base::grouped(*missed.overflow) + " overflow"});
}

void append_cross_check(std::vector<Piece>& pieces, const model::NetnsRow& row) {
  const std::size_t before = pieces.size();
  append_missed(pieces, row.missed);
  if (pieces.size() != before) return;
  if (!row.reconciled) {
    pieces.push_back({"kernel n/a"});
  } else {
    pieces.push_back({*row.reconciled ? "= kernel" : "!= kernel"});
  }
}

std::vector<Piece> netns_pieces(const model::NetnsRow& row, std::size_t width) {
  const std::string name = row.name.empty() ? fmt::format("{}", row.netns) : name_text(row.name, width);
  std::vector<Piece> pieces{{fill(row)}, {"netns " + name + (row.gone ? " (gone)" : "")}};
  pieces.push_back({"created " + base::rate(row.created_per_s) + "/s"});
  pieces.push_back(overflow_piece(row.counts, row.overflow_per_s));
  if (row.counts.no_memory != 0) pieces.push_back({"! no_memory " + base::grouped(row.counts.no_memory), true});
  append_cross_check(pieces, row);
  return pieces;
}

// The namespaces from `first` on, as one line.
std::vector<Piece> remainder_pieces(const std::vector<model::NetnsRow>& rows, std::size_t first) {
  model::NetnsRow sum;
  sum.missed = {0, 0};
  std::size_t unequal = 0;
  for (std::size_t i = first; i < rows.size(); ++i) {
    sum.counts += rows[i].counts;
    sum.created_per_s += rows[i].created_per_s;
    sum.overflow_per_s += rows[i].overflow_per_s;
    *sum.missed.created += rows[i].missed.created.value_or(0);
    *sum.missed.overflow += rows[i].missed.overflow.value_or(0);
    if (rows[i].reconciled == false) ++unequal;
  }
  const std::size_t more = rows.size() - first;
  std::vector<Piece> pieces{{fmt::format("+{} more namespace{}", more, more == 1 ? "" : "s")}};
  pieces.push_back({"created " + base::rate(sum.created_per_s) + "/s"});
  pieces.push_back(overflow_piece(sum.counts, sum.overflow_per_s));
  if (sum.counts.no_memory != 0) pieces.push_back({"! no_memory " + base::grouped(sum.counts.no_memory), true});
  append_missed(pieces, sum.missed);
  if (unequal != 0) pieces.push_back({fmt::format("{} != kernel", unequal)});
  return pieces;
}

std::vector<Piece> loss_pieces(const model::Losses& lost) {
  std::vector<Piece> pieces;
  const auto add = [&](const char* what, std::uint64_t count) {
    if (count != 0) pieces.push_back({fmt::format("{} {}", what, base::grouped(count))});
  };
  add("counts", lost.counts);
  add("events", lost.events);
  add("rows_full", lost.rows_full);
  add("rows_busy", lost.rows_busy);
  add("netns_full", lost.netns_full);
  add("sockets_full", lost.sockets_full);
  add("buckets_full", lost.buckets_full);
  add("cgroups_full", lost.cgroups_full);
  add("listeners_full", lost.listeners_full);
  add("pairs_lost", lost.pairs_lost);
  add("recursion_misses", lost.recursion_misses.value_or(0));
  if (!pieces.empty()) pieces.front().text.insert(0, "lost: ");
  return pieces;
}

}  // namespace

std::string summary(const model::Snapshot& snapshot, std::size_t width, Color color) {
  std::string out = flow(snapshot_pieces(snapshot, width), width, color);
  const std::size_t shown = std::min(snapshot.namespaces.size(), kNamespacesShown);
  for (std::size_t i = 0; i < shown; ++i) out += flow(netns_pieces(snapshot.namespaces[i], width), width, color);
  if (shown < snapshot.namespaces.size()) out += flow(remainder_pieces(snapshot.namespaces, shown), width, color);
  if (const std::vector<Piece> losses = loss_pieces(snapshot.lost); !losses.empty()) out += flow(losses, width, color);
  return out;
}

}  // namespace twtrace::output
