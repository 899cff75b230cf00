// SPDX-License-Identifier: Apache-2.0
#include "output/report_json.hpp"

#include "base/format.hpp"
#include "output/report_fields.hpp"

namespace twtrace::output {
namespace {

using report::Report;

Json amounts_json(const Report& report, const report::Amounts& amounts, double seconds) {
  Json object;
  put_counts(object, amounts.counts, report.info.probe.sees_removal);
  const bool known = seconds > 0;
  object["created_per_s"] =
      known ? Json(rounded(static_cast<double>(amounts.counts.created()) / seconds)) : Json(nullptr);
  object["in_use_peak"] = nullable(amounts.in_use_peak);
  object["peak_percent"] = finite(amounts.peak_percent);
  return object;
}

Json phases_json(const Report& report) {
  Json array = Json::array();
  for (const report::Phase& phase : report.phases) {
    Json object{{"phase", to_string(phase.kind)}, {"seconds", rounded(phase.seconds)}};
    object["total"] = amounts_json(report, phase.total, phase.seconds);
    object["fullest"] = amounts_json(report, phase.fullest, phase.seconds);
    array.push_back(std::move(object));
  }
  return array;
}

Json settings_json(const std::optional<model::NetnsSettings>& settings) {
  if (!settings) return nullptr;
  return {{"limit", nullable(settings->limit)},
          {"default_limit", nullable(settings->default_limit)},
          {"tcp_fin_timeout_s", nullable(settings->fin_timeout_s)},
          {"tcp_tw_reuse", nullable(settings->tw_reuse)},
          {"tcp_max_syn_backlog", nullable(settings->syn_backlog)},
          {"somaxconn", nullable(settings->somaxconn)},
          {"ephemeral_ports", nullable(settings->ephemeral_ports)}};
}

Json timeline_json(const report::NetnsReport& netns) {
  Json array = Json::array();
  for (const report::TimelinePoint& point : netns.timeline) {
    array.push_back({{"begin_unix_ms", point.begin_unix_ms},
                     {"end_unix_ms", point.end_unix_ms},
                     {"in_use", nullable(point.in_use)},
                     {"limit", nullable(point.limit)},
                     {"created", point.created},
                     {"refused", point.refused}});
  }
  return array;
}

Json netns_json(const Report& report, const report::NetnsReport& netns) {
  const model::NetnsRow& row = netns.last;
  Json object{{"netns", row.netns}};
  put_text(object, "name", row.name);
  object["gone"] = row.gone;
  object["limit"] = nullable(row.limit);
  object["in_use_peak"] = nullable(netns.in_use_peak);
  object["peak_percent"] = finite(netns.peak_percent);
  object["peak_time"] = netns.in_use_peak ? Json(base::iso8601_ms(netns.peak_unix_ms)) : Json(nullptr);
  object["created_per_s_peak"] = rounded(netns.created_per_s_peak);
  put_counts(object, row.counts, report.info.probe.sees_removal);
  object["unattributed"] = row.unattributed.created();
  object["unattributed_overflow"] = row.unattributed.overflow();
  object["kernel"] = {{"created", nullable(row.kernel.created)},
                      {"overflow", nullable(row.kernel.overflow)},
                      {"reused", nullable(row.kernel.reused)},
                      {"listen_overflows", nullable(row.kernel.listen_overflows)},
                      {"listen_drops", nullable(row.kernel.listen_drops)}};
  object["missed"] = {{"created", nullable(row.missed.created)}, {"overflow", nullable(row.missed.overflow)}};
  object["reconciled"] = nullable(row.reconciled);
  object["settings_at_start"] = settings_json(netns.at_start);
  object["settings_at_end"] = settings_json(netns.at_end);
  object["timeline"] = timeline_json(netns);
  return object;
}

Json owners_json(const Report& report) {
  Json array = Json::array();
  std::uint64_t rank = 0;
  for (const report::Owner& owner : report.owners) {
    Json object{{"rank", ++rank}};
    put_owner(object, owner.row);
    put_counts(object, owner.row.counts, report.info.probe.sees_removal);
    object["share"] = rounded(owner.share);
    object["phases"] = Json::object();
    for (std::size_t i = 0; i < owner.phases.size(); ++i) {
      object["phases"][to_string(report.phases[i].kind)] = {{"created", owner.phases[i].created()},
                                                            {"overflow", owner.phases[i].overflow()}};
    }
    array.push_back(std::move(object));
  }
  return array;
}

Json ports_json(const Report& report) {
  Json array = Json::array();
  for (const report::PortPeak& peak : report.ports) {
    Json object{{"netns", peak.use.netns}};
    put_text(object, "address", peak.use.destination.address);
    object["port"] = nullable(peak.use.destination.port);
    object["ports_taken"] = peak.use.ports.taken;
    object["ports"] = peak.use.ports.of;
    object["owner"] = Json(nullptr);
    if (peak.owner) {
      object["owner"] = Json::object();
      put_owner(object["owner"], report.owners[*peak.owner].row);
      object["owner"]["created"] = peak.created;
    }
    array.push_back(std::move(object));
  }
  return array;
}

Json findings_json(const Report& report) {
  Json array = Json::array();
  for (const report::Finding& finding : report.findings) {
    Json object{{"id", finding.id}, {"severity", to_string(finding.severity)}};
    put_text(object, "text", finding.text);
    object["evidence"] = Json::array();
    for (const std::string& line : finding.evidence) object["evidence"].push_back(base::replace_invalid_utf8(line));
    put_text(object, "check", finding.command);
    put_text(object, "change", finding.change);
    put_text(object, "risk", finding.risk);
    put_text(object, "not", finding.avoid);
    array.push_back(std::move(object));
  }
  return array;
}

}  // namespace

std::string report_json(const Report& report) {
  Json object{{"schema", "twtrace.report/1"}, {"breached", report::breached(report)}};
  put_text(object, "headline", report::headline(report));
  object["verdicts"] = verdicts_json(report);
  object["capture"] = capture_json(report);
  object["capture"]["bucket_bytes"] = nullable(report.info.bucket_bytes);
  object["marks"] = Json::array();
  for (const model::Mark& mark : report.info.marks) {
    Json entry{{"time", base::iso8601_ms(mark.time_unix_ms)}, {"time_unix_ms", mark.time_unix_ms}};
    put_text(entry, "name", mark.name);
    object["marks"].push_back(std::move(entry));
  }
  object["phases"] = phases_json(report);
  object["namespaces"] = Json::array();
  for (const report::NetnsReport& netns : report.namespaces) object["namespaces"].push_back(netns_json(report, netns));
  object["offenders"] = owners_json(report);
  object["ports"] = ports_json(report);
  object["findings"] = findings_json(report);
  object["lost"] = lost_json(report.lost);
  object["cost"] = {{"bpf_run_ns_per_event", nullable(report.bpf_run_ns_per_event)},
                    {"cpu_percent", rounded(report.cpu_percent_mean)},
                    {"rss_bytes", report.rss_bytes_peak}};
  return to_line(object);
}

}  // namespace twtrace::output
