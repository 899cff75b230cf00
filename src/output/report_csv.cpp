// SPDX-License-Identifier: Apache-2.0
#include "output/report_csv.hpp"

#include <fmt/format.h>

#include "output/csv.hpp"
#include "view/columns.hpp"

namespace twtrace::output {
namespace {

template <class T>
std::string number(const std::optional<T>& value) {
  return value ? std::to_string(*value) : std::string();
}

std::string role_and_port(const model::Row& row) {
  return fmt::format("{},{}", row.role ? model::to_string(*row.role) : "", number(row.port));
}

std::string service(const model::Row& row) { return csv_text(row.shown_service()); }
std::string comm(const model::Row& row) { return row.process ? csv_text(row.process->comm) : std::string(); }

/// If one of the captures does not have the row, its counts are empty.
std::string pair(const report::DiffRow& row, model::CountOf count) {
  return fmt::format("{},{}", row.before ? std::to_string(count(*row.before)) : "",
                     row.after ? std::to_string(count(*row.after)) : "");
}

/// A row of kind `file` or `journal`: who wrote the log is not known, so only its name and its lines are filled in.
std::string log_row(const report::LogReport& part, bool resets_known) {
  constexpr std::size_t kAfterService = 5 + model::kCountNames.size() + 1;  // comm to port, counts and share
  std::string out = fmt::format(",{},,,,{}", to_string(part.log.kind), csv_text(part.log.name));
  out += std::string(kAfterService, ',') + fmt::format(",{}", report::sum(part.lines));
  for (const std::uint64_t lines : part.lines) out += resets_known ? fmt::format(",{}", lines) : ",";
  return out + "\n";
}

}  // namespace

std::string report_csv(const report::Report& report) {
  std::string out = "rank,kind,netns,netns_id,netns_name,service,comm,pid,role,port";
  for (const model::CountName& count : model::kCountNames) {
    (out += ',') += count.name;
    if (count.name == "created") out += ",share";
  }
  out += ",before_start,lines,lines_beside_avoidable_reset,lines_beside_other_reset,lines_beside_no_reset\n";
  std::size_t rank = 0;
  for (const report::Owner& owner : report.owners) {
    const model::Row& row = owner.row;
    out += fmt::format("{},{},{},{},{},{},{},{},{}", ++rank, view::row_kind(row.kind), number(row.netns), row.netns_id,
                       csv_text(row.netns_name), service(row), comm(row), row.process ? number(row.process->pid) : "",
                       role_and_port(row));
    for (const model::CountName& count : model::kCountNames) {
      out += ',';
      if (count.is_known(report.info.probe.sees)) out += std::to_string(count.of(row.counts));
      if (count.name == "created") out += fmt::format(",{:.4f}", owner.share);
    }
    out += row.kind == model::RowKind::kBeforeStart ? fmt::format(",{}", owner.before_start) : ",";
    out += ",,,,\n";
  }
  for (const report::LogReport& part : report.logs.logs) out += log_row(part, report.logs.resets_known);
  return out;
}

std::string diff_csv(const report::Diff& diff) {
  std::string out =
      "kind,service,comm,role,port,created_before,created_after,created_per_s_before,created_per_s_after,"
      "overflow_before,overflow_after,no_memory_before,no_memory_after\n";
  for (const report::DiffRow& row : diff.rows) {
    out += fmt::format("{},{},{},{},{},{:.3f},{:.3f},{},{}\n", view::row_kind(row.key.kind), service(row.row),
                       comm(row.row), role_and_port(row.row), pair(row, model::count_of<&model::Counters::created>),
                       row.before_per_s, row.after_per_s, pair(row, model::count_of<&model::Counters::overflow>),
                       pair(row, model::count_of<&model::Counters::no_memory>));
  }
  return out;
}

}  // namespace twtrace::output
