// SPDX-License-Identifier: Apache-2.0
#include "output/report_json.hpp"

#include "base/format.hpp"
#include "output/log_json.hpp"
#include "output/report_fields.hpp"

namespace twtrace::output {
namespace {

using report::Report;

/// About as long as one of them becomes.
constexpr std::size_t kNetnsBytes = 1024;
constexpr std::size_t kOwnerBytes = 512;

void put_amounts(JsonWriter& json, std::string_view key, const report::Amounts& amounts, double seconds,
                 const model::Sight& sees) {
  const auto created = static_cast<double>(amounts.counts.created());
  json.object(key, [&] {
    put_counts(json, amounts.counts, sees);
    json.field("created_per_s", seconds > 0 ? std::optional(rounded(created / seconds)) : std::nullopt);
    json.field("in_use_peak", amounts.in_use_peak);
    json.field("peak_percent", rounded(amounts.peak_percent));
  });
}

void put_phase(JsonWriter& json, const report::Phase& phase, const model::Sight& sees) {
  json.field("phase", to_string(phase.kind));
  json.field("seconds", rounded(phase.seconds));
  put_amounts(json, "total", phase.total, phase.seconds, sees);
  put_amounts(json, "fullest", phase.fullest, phase.seconds, sees);
}

void put_settings(JsonWriter& json, std::string_view key, const std::optional<model::NetnsSettings>& all) {
  json.object_if(key, all, [&](const model::NetnsSettings& settings) {
    json.field("limit", settings.limit);
    json.field("default_limit", settings.default_limit);
    json.field("tcp_fin_timeout_s", settings.fin_timeout_s);
    json.field("tcp_tw_reuse", settings.tw_reuse);
    json.field("tcp_timestamps", settings.timestamps);
    json.field("tcp_max_syn_backlog", settings.syn_backlog);
    json.field("somaxconn", settings.somaxconn);
    json.field("ephemeral_ports", settings.ephemeral_ports);
  });
}

void put_timeline(JsonWriter& json, const report::NetnsReport& netns) {
  json.objects("timeline", netns.timeline, [&](const report::TimelinePoint& point) {
    json.field("begin_unix_ms", point.begin_unix_ms);
    json.field("end_unix_ms", point.end_unix_ms);
    json.field("in_use", point.in_use);
    json.field("limit", point.limit);
    json.field("created", point.created);
    json.field("refused", point.refused);
  });
}

void put_netns(JsonWriter& json, const report::NetnsReport& netns, const model::Sight& sees) {
  const model::NetnsRow& row = netns.last;
  json.field("netns", row.netns);
  json.field("netns_id", row.id);
  json.text("name", row.name);
  json.field("gone", row.gone);
  json.field("limit", row.limit);
  json.field("in_use_peak", netns.in_use_peak);
  json.field("peak_percent", rounded(netns.peak_percent));
  json.field("peak_time", netns.in_use_peak ? std::optional(base::iso8601_ms(netns.peak_unix_ms)) : std::nullopt);
  json.field("created_per_s_peak", rounded(netns.created_per_s_peak));
  put_counts(json, row.counts, sees);
  json.field("unattributed", row.unattributed.created());
  json.field("unattributed_overflow", row.unattributed.overflow());
  put_cross_check(json, row);
  put_settings(json, "settings_at_start", netns.at_start);
  put_settings(json, "settings_at_end", netns.at_end);
  put_timeline(json, netns);
}

void put_owner_of(JsonWriter& json, const Report& report, const report::Owner& owner) {
  put_owner(json, owner.row);
  put_counts(json, owner.row.counts, report.info.probe.sees);
  if (owner.row.kind == model::RowKind::kBeforeStart) json.field("live", owner.before_start);
  json.field("share", rounded(owner.share));
  json.object("phases", [&] {
    for (std::size_t i = 0; i < owner.phases.size(); ++i) {
      json.object(to_string(report.phases[i].kind), [&] {
        json.field("created", owner.phases[i].created());
        json.field("overflow", owner.phases[i].overflow());
      });
    }
  });
}

void put_port(JsonWriter& json, const Report& report, const report::PortPeak& peak) {
  json.field("netns", peak.use.netns);
  json.field("netns_id", peak.use.netns_id);
  json.text("address", peak.use.destination.address);
  json.field("port", peak.use.destination.port);
  json.field("ports_taken", peak.use.ports.taken);
  json.field("ports", peak.use.ports.of);
  json.field("ports_bound", peak.use.bound);
  json.field("ports_bound_to", peak.use.bound_to);
  json.field("ports_outside", peak.use.outside);
  put_own_range(json, peak.use.own);
  json.object_if("owner", peak.owner, [&](std::size_t owner) {
    put_owner(json, report.owners[owner].row);
    json.field("created", peak.created);
  });
}

void put_peer(JsonWriter& json, const Report& report, const report::PeerPart& part) {
  json.text("address", part.peer.address);
  json.field("port", part.peer.port);
  json.object("owner", [&] { put_owner(json, report.owners[part.owner].row); });
  put_counts(json, part.counts, report.info.probe.sees);
  json.object_if("other_end", part.other_end, [&](const model::Row& row) { put_owner(json, row); });
}

void put_finding(JsonWriter& json, const report::Finding& finding) {
  json.field("id", finding.id);
  json.field("severity", to_string(finding.severity));
  json.text("text", finding.text);
  json.texts("evidence", finding.evidence);
  json.text("check", finding.command);
  json.text("change", finding.change);
  json.text("risk", finding.risk);
  json.text("not", finding.avoid);
}

void put_mark(JsonWriter& json, const model::Mark& mark) {
  json.field("time", base::iso8601_ms(mark.time_unix_ms));
  json.field("time_unix_ms", mark.time_unix_ms);
  json.text("name", mark.name);
}

}  // namespace

std::string report_json(const Report& report) {
  std::string line;
  // Of a hostile file it has more than 100 MB, which would be copied again and again.
  line.reserve(report.namespaces.size() * kNetnsBytes + report.owners.size() * kOwnerBytes);
  JsonWriter json(line);
  const model::Sight& sees = report.info.probe.sees;
  json.object([&] {
    json.field("schema", "twtrace.report/1");
    json.field("breached", report::breached(report));
    json.text("headline", report::headline(report));
    put_troubles(json, report.troubles);
    put_verdicts(json, report);
    json.object("capture", [&] {
      put_capture(json, report);
      json.field("bucket_bytes", report.info.bucket_bytes);
    });
    json.objects("marks", report.info.marks, [&](const model::Mark& mark) { put_mark(json, mark); });
    json.objects("phases", report.phases, [&](const report::Phase& phase) { put_phase(json, phase, sees); });
    put_namespaces(
        json, report.namespaces, [](const report::NetnsReport& netns) -> const model::NetnsRow& { return netns.last; },
        [&](const report::NetnsReport& netns) { put_netns(json, netns, sees); });
    std::uint64_t rank = 0;
    json.objects("offenders", report.owners, [&](const report::Owner& owner) {
      json.field("rank", ++rank);
      put_owner_of(json, report, owner);
    });
    json.objects("ports", report.ports, [&](const report::PortPeak& peak) { put_port(json, report, peak); });
    json.objects("port_pools", report.port_pools, [&](const report::PortPeak& pool) {
      json.field("netns", pool.use.netns);
      json.field("netns_id", pool.use.netns_id);
      json.field("ports_taken", pool.use.ports.taken);
      json.field("ports", pool.use.ports.of);
      json.field("ports_bound", pool.use.bound);
    });
    json.objects("peers", report.peers, [&](const report::PeerPart& part) { put_peer(json, report, part); });
    put_application_errors(json, report.logs);
    json.objects("queues", report.queues, [&](const model::ListenQueue& queue) { put_queue(json, queue); });
    json.objects("findings", report.findings, [&](const report::Finding& finding) { put_finding(json, finding); });
    put_lost(json, report.lost);
    put_cost(json, {report.bpf_run_ns_per_event, report.cpu_percent_mean, report.rss_bytes_peak, {}});
  });
  return line;
}

}  // namespace twtrace::output
