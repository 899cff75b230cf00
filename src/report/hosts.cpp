// SPDX-License-Identifier: Apache-2.0
#include "report/hosts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <tuple>
#include <utility>

namespace twtrace::report {
namespace {

std::uint64_t weight(const ServiceCounts& part) {
  return part.counts.created() + part.counts.refused() + part.before_start;
}

bool is_larger(const ServiceCounts& left, const ServiceCounts& right) {
  return std::pair(weight(left), left.counts.harm()) > std::pair(weight(right), right.counts.harm());
}

void add(ServiceCounts& to, const Owner& owner) {
  to.counts += owner.row.counts;
  to.before_start += owner.before_start;
}

/// Rows of no service go by their process, those of no owner by their kind.
std::pair<model::RowKind, std::string> key_of(const model::Row& row) {
  const std::string& service = row.shown_service();
  const std::string comm = row.process ? row.process->comm : std::string();
  // A service that listens where a bucket from before the start is has other rows, too.
  const bool has_name = row.kind == model::RowKind::kNormal || !service.empty();
  return {has_name ? model::RowKind::kNormal : row.kind, service.empty() ? comm : service};
}

void give_names(std::vector<Host>& hosts) {
  std::map<std::string, int> seen;
  for (const Host& host : hosts) ++seen[host.report.info.host.name];
  for (Host& host : hosts) {
    const std::string& name = host.report.info.host.name;
    host.name = name.empty() ? host.file : seen[name] == 1 ? name : fmt::format("{} ({})", name, host.file);
  }
}

bool is_same_capture(const model::CaptureInfo& left, const model::CaptureInfo& right) {
  return left.writer && left.writer == right.writer && left.started_unix_ms == right.started_unix_ms &&
         left.host.name == right.host.name && left.host.kernel == right.host.kernel;
}

/// A copy has another file's name, but what it counted is counted already.
void find_copies(std::vector<Host>& hosts) {
  for (auto host = hosts.begin(); host != hosts.end(); ++host) {
    const auto same = std::find_if(
        hosts.begin(), host, [&](const Host& known) { return is_same_capture(known.report.info, host->report.info); });
    if (same != host) host->copy_of = same->file;
  }
}

/// The reason that a capture could not be read names its file.
std::string unread_words(const Hosts& hosts) {
  const auto is_unread = [](const LeftOut& capture) { return capture.is_unread; };
  const auto first = std::find_if(hosts.left_out.begin(), hosts.left_out.end(), is_unread);
  if (first == hosts.left_out.end()) return {};
  const std::size_t more = unread(hosts) - 1;
  return fmt::format("not in this report: {}{}; ", first->why,
                     more == 0 ? std::string() : fmt::format(" ({} more could not be read)", more));
}

std::string copies_words(const Hosts& hosts) {
  const auto is_copy = [](const Host& host) { return !host.copy_of.empty(); };
  const auto copy = std::find_if(hosts.hosts.begin(), hosts.hosts.end(), is_copy);
  if (copy == hosts.hosts.end()) return {};
  const auto more = std::count_if(std::next(copy), hosts.hosts.end(), is_copy);
  return fmt::format("{} is a copy of {}, so what it counted is here twice{}; ", copy->file, copy->copy_of,
                     more == 0 ? std::string() : fmt::format(" ({} more of the files are copies, too)", more));
}

/// What somebody asked about comes first, then who was hurt, and last what may hurt soon.
bool is_worse(const Host& left, const Host& right) {
  const auto rank = [](const Host& host) {
    const model::Counters& all = host.report.totals;
    return std::tuple(breached(host.report), all_refused(host.report), all.peer_resets_avoidable, all.no_port,
                      dropped_attempts(host.report), all.resets_felt, peak_percent(host.report).value_or(0),
                      all.created());
  };
  return rank(left) > rank(right);
}

std::vector<ServicePart> services_of(const std::vector<Host>& hosts) {
  std::map<std::pair<model::RowKind, std::string>, std::map<std::size_t, ServiceCounts>> found;
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    for (const Owner& owner : hosts[i].report.owners) {
      ServiceCounts& part = found[key_of(owner.row)][i];
      all -= weight(part);
      add(part, owner);
      all += weight(part);
    }
  }
  const auto share = [all](ServiceCounts& part) {
    part.share = all == 0 ? 0 : static_cast<double>(weight(part)) / static_cast<double>(all);
  };
  std::vector<ServicePart> services;
  for (auto& [key, by_host] : found) {
    ServicePart& service = services.emplace_back();
    std::tie(service.kind, service.name) = key;
    for (auto& [host, part] : by_host) {
      service.all.counts += part.counts;
      service.all.before_start += part.before_start;
      share(part);
      service.hosts.push_back({host, part});
    }
    share(service.all);
    std::stable_sort(service.hosts.begin(), service.hosts.end(),
                     [](const auto& left, const auto& right) { return is_larger(left.counts, right.counts); });
  }
  std::stable_sort(services.begin(), services.end(),
                   [](const ServicePart& left, const ServicePart& right) { return is_larger(left.all, right.all); });
  return services;
}

}  // namespace

std::optional<double> peak_percent(const Report& report) {
  return report.namespaces.empty() ? std::nullopt : report.namespaces.front().peak_percent;
}

Hosts combine(std::vector<Host> captures, std::vector<LeftOut> left_out) {
  Hosts all;
  all.left_out = std::move(left_out);
  all.hosts = std::move(captures);
  find_copies(all.hosts);
  give_names(all.hosts);
  std::stable_sort(all.hosts.begin(), all.hosts.end(), is_worse);
  all.services = services_of(all.hosts);
  return all;
}

std::size_t unread(const Hosts& hosts) {
  return static_cast<std::size_t>(std::count_if(hosts.left_out.begin(), hosts.left_out.end(),
                                                [](const LeftOut& capture) { return capture.is_unread; }));
}

bool breached(const Hosts& hosts) {
  const auto has_budgets = [](const Host& host) { return !host.report.verdicts.empty(); };
  if (unread(hosts) != 0 && std::any_of(hosts.hosts.begin(), hosts.hosts.end(), has_budgets)) return true;
  const auto fails = [](const LeftOut& capture) { return capture.fails; };
  if (std::any_of(hosts.left_out.begin(), hosts.left_out.end(), fails)) return true;
  return std::any_of(hosts.hosts.begin(), hosts.hosts.end(), [](const Host& host) { return breached(host.report); });
}

std::string headline(const Hosts& hosts) {
  const auto refusing = std::count_if(hosts.hosts.begin(), hosts.hosts.end(),
                                      [](const Host& host) { return all_refused(host.report) != 0; });
  const Host& worst = hosts.hosts.front();
  return fmt::format("{}{}{} capture{}; connections were refused in {}; the worst is {}: {}", unread_words(hosts),
                     copies_words(hosts), hosts.hosts.size(), hosts.hosts.size() == 1 ? "" : "s",
                     refusing == 0 ? "none" : std::to_string(refusing), worst.name, headline(worst.report));
}

}  // namespace twtrace::report
