// SPDX-License-Identifier: Apache-2.0
#include "app/option_groups.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/nearest.hpp"
#include "view/columns.hpp"

namespace twtrace::app {
namespace {

constexpr double kMinDelay = 0.05;
constexpr double kMaxDelay = 86400;
constexpr std::uint32_t kMaxRing = 1U << 30U;
constexpr std::uint64_t kMaxCount = 1'000'000'000;
/// As many as living processes can have. Readers of captures rely on it.
constexpr std::uint64_t kMostEndedRows = 65536;
constexpr std::uint64_t kMaxPid = 1U << 22U;  // PID_MAX_LIMIT of linux/threads.h
constexpr std::uint64_t kMaxPort = 65535;

base::Result<std::uint32_t> parse_ring_size(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view unit(end, text.data() + text.size());
  const std::uint64_t factor = unit.empty() ? 1 : unit == "K" ? 1024 : unit == "M" ? 1024 * 1024 : 0;
  const std::uint64_t bytes = value * factor;
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const bool power_of_two = bytes != 0 && (bytes & (bytes - 1)) == 0;
  if (error != std::errc() || factor == 0 || value > kMaxRing || !power_of_two || bytes < page || bytes > kMaxRing) {
    return base::fail(base::ErrorCode::kUsage, fmt::format("\"{}\" cannot be used", text),
                      fmt::format("give a power of two from {} to 1024M", page));
  }
  return static_cast<std::uint32_t>(bytes);
}

/// A label with a quoted value. In quotes there can be no quote, so the `?` of a pattern stands for it.
std::string label_text(std::string_view key, view::Op op, std::string value) {
  if (value.find('"') != std::string::npos) {
    if (op == view::Op::kMatch && value.find_first_of("*?[") == std::string::npos) value = "*" + value + "*";
    op = view::Op::kMatch;
    std::replace(value.begin(), value.end(), '"', '?');
  }
  return fmt::format("{}{}\"{}\"", key, view::to_string(op), value);
}

std::string sort_help() {
  std::string text = "Columns for -s:\n";
  for (const view::SortName& name : view::sort_names()) text += fmt::format("  {:<12} {}\n", name.name, name.help);
  return text;
}

std::vector<std::string> column_names() {
  std::vector<std::string> names = {"help"};
  for (const view::SortName& known : view::sort_names()) names.emplace_back(known.name);
  return names;
}

/// "created/s, overflow/s, ..."
std::string sort_names_of(model::Group group) {
  std::vector<std::string_view> names;
  for (const view::SortName& known : view::sort_names()) {
    if (view::can_sort(group, known.column)) names.push_back(known.name);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

base::Result<view::SortColumn> parse_column(const std::string& typed) {
  if (const auto column = view::sort_column_typed(typed)) return *column;
  std::vector<std::string_view> names;
  for (const view::SortName& known : view::sort_names()) names.push_back(known.name);
  const bool is_title = view::column_titled(typed) != nullptr;
  return base::fail(base::ErrorCode::kUsage,
                    fmt::format("{} \"{}\"", is_title ? "rows cannot be sorted by" : "unknown column", typed),
                    (is_title ? "" : base::did_you_mean(typed, names)) + "twtrace -s help lists the columns");
}

}  // namespace

void declare_delay(OptionList& list, double& delay_s) {
  list.option("-d,--delay", "SECONDS", "time between samples, as in 0.5 (default 1)",
              seconds(delay_s, kMinDelay, kMaxDelay));
}

void PaceOptions::declare(OptionList& list) {
  list.section("Intervals");
  declare_delay(list, delay_s);
  list.option("-n,--iterations", "N", "stop after N samples", whole_number(iterations, 0, kMaxCount));
}

void PaceOptions::declare_words(OptionList& list) {
  list.word("SECONDS", "same as -d", seconds(delay_s, kMinDelay, kMaxDelay));
  list.word("N", "same as -n", whole_number(iterations, 0, kMaxCount));
}

void TracingOptions::declare(OptionList& list) {
  declare_loading(list);
  list.option("--max-rows", "N", "keep N rows of ended processes (default 10000)",
              whole_number(session.max_rows, 0, kMostEndedRows));
}

void TracingOptions::declare_loading(OptionList& list) {
  session.name_helper = true;
  using Backend = std::optional<loader::Backend>;
  list.section("Tracing");
  list.option("--probe", "BACKEND", "auto (default), fentry, kprobe or tracepoint",
              one_of<Backend>(session.backend, {{"auto", std::nullopt},
                                                {"fentry", loader::Backend::kFentry},
                                                {"kprobe", loader::Backend::kKprobe},
                                                {"tracepoint", loader::Backend::kTracepoint}}));
  list.option("--no-feature", "NAME", "act as if the kernel lacked this feature", [this](const std::string& typed) {
    session.no_features.insert(typed);
    return base::Result<void>();
  });
  list.option("--btf", "FILE", "read the BTF of this kernel from FILE", file(session.btf_path));
  list.option("--ring-size", "BYTES", "size of the event ring, a power of two (default 4M)",
              take_parsed(session.ring_bytes, parse_ring_size));
  list.flag("--keep-privileges", "keep all privileges after startup", [this] {
    keep_privileges = true;
    session.name_helper = false;
  });
}

void TracingOptions::declare_ports(OptionList& list) {
  using Repeat = OptionList::Repeat;
  list.option("-L,--local-port", "PORT", "only connections with this local port",
              whole_number(session.local_port, 1, kMaxPort), Repeat::kRefused);
  list.option("-D,--remote-port", "PORT", "only connections to this remote port",
              whole_number(session.remote_port, 1, kMaxPort), Repeat::kRefused);
}

view::Selector TracingOptions::ports() const {
  view::Selector ports;
  if (session.local_port != 0) ports.add(view::Term::equal(view::Key::kLocalPort, session.local_port));
  if (session.remote_port != 0) ports.add(view::Term::equal(view::Key::kRemotePort, session.remote_port));
  return ports;
}

void FilterOptions::declare(OptionList& list) {
  using Repeat = OptionList::Repeat;  // two match nothing, and the last one alone is not what was meant
  list.section("Filters");
  list.option(
      "-p,--pid", "PID", "only this process",
      [this](const std::string& typed) -> base::Result<void> {
        const auto pid = parse_whole_number(typed, 1, kMaxPid);
        if (!pid) return tl::unexpected(pid.error());
        named.add(view::Term::equal(view::Key::kPid, static_cast<double>(*pid)));
        return {};
      },
      Repeat::kRefused);
  declare_names(list);
  list.flag("-4", "only IPv4, including v4-mapped addresses", only_ipv4);
  list.flag("-6", "only IPv6", only_ipv6);
  list.check([this]() -> base::Result<void> {
    if (!only_ipv4 || !only_ipv6) return {};
    return base::fail(base::ErrorCode::kUsage, "-4 and -6 together match nothing", "give only one of them");
  });
}

void FilterOptions::declare_names(OptionList& list) {
  using Repeat = OptionList::Repeat;
  const auto note = [this](const char* option, const std::string& value) {
    as_typed += fmt::format("{}{} {}", as_typed.empty() ? "" : " ", option, value);
  };
  const auto name = [this, note](const char* option, const char* key) {
    return [this, note, option, key](const std::string& value) -> base::Result<void> {
      auto term = view::make_term(key, view::Op::kMatch, value, view::Grammar::kFilter);
      if (!term) return tl::unexpected(term.error());
      labels.push_back({term->key, label_text(key, view::Op::kMatch, value)});
      named.add(std::move(*term));
      note(option, value);
      return {};
    };
  };
  list.option("--comm", "PATTERN", "only processes whose name contains or matches this", name("--comm", "comm"),
              Repeat::kRefused);
  list.option("--service", "PATTERN", "only services whose name contains or matches this", name("--service", "service"),
              Repeat::kRefused);
  const auto take_netns = [this, note](const std::string& value) -> base::Result<void> {
    if (auto clean = view::check_blanks(value); !clean) return clean;
    netns = value;
    if (value != "all") note("--netns", value);
    return {};
  };
  if (of_capture) {
    list.option("--netns", "WHICH", "only this: all, a name, pattern, inode number or id:N", Take(take_netns, {"all"}),
                Repeat::kRefused);
    return;
  }
  list.option("--netns", "WHICH", "only this: all, self, a name, pattern, inode or path",
              Take(take_netns, {"all", "self"}), Repeat::kRefused);
}

std::vector<report::Label> FilterOptions::budget_labels(const view::Selector& chosen) const {
  std::vector<report::Label> all = labels;
  const view::Selector namespaces = chosen.only(view::Key::kNetns);
  for (const view::Term& term : namespaces.terms()) {
    all.push_back(
        {term.key, term.netns_id ? fmt::format("netns=id:{}", *term.netns_id) : label_text("netns", term.op, netns)});
  }
  return all;
}

view::Selector FilterOptions::selector() const {
  view::Selector all = named;
  if (only_ipv4) all.add(view::Term::equal(view::Key::kIpVersion, 4));
  if (only_ipv6) all.add(view::Term::equal(view::Key::kIpVersion, 6));
  return all;
}

void RowOptions::declare(OptionList& list) {
  using model::Group;
  list.section("Rows");
  list.option("-g,--group", "GROUP", "process (default), pid, service, port, peer, netns",
              one_of(group, {{"process", Group::kProcess},
                             {"pid", Group::kPid},
                             {"service", Group::kService},
                             {"port", Group::kPort},
                             {"peer", Group::kPeer},
                             {"netns", Group::kNetns}}));
  const auto take_column = [this, &list](const std::string& typed) -> base::Result<void> {
    if (typed != "help") return take_parsed(sort, parse_column)(typed);
    list.answer = sort_help();
    return {};
  };
  list.option("-s,--sort", "COLUMN", "sort by this column; -s help lists all columns",
              Take(take_column, column_names()));
  list.option("-r,--rows", "N", "show at most N rows", whole_number(max_rows, 0, kMaxCount));
}

void TableOptions::declare(OptionList& list) {
  rows.declare(list);
  pace.declare(list);
  list.section("Output");
  list.flag("-b,--batch", "print tables instead of the live view", batch);
  output.declare(list, "table (default), wide, json, csv, openmetrics",
                 {{"table", TableFormat::kTable},
                  {"wide", TableFormat::kWide},
                  {"json", TableFormat::kJson},
                  {"csv", TableFormat::kCsv},
                  {"openmetrics", TableFormat::kOpenMetrics}});
  filter.declare(list);
  list.check([this]() -> base::Result<void> {
    if (!filter.named.asks(view::Key::kPid) || rows.group != model::Group::kPeer) return {};
    return base::fail(base::ErrorCode::kUsage, "-p cannot be combined with -g peer",
                      "peers are counted per service and process name: use --comm or --service");
  });
  list.check([this]() -> base::Result<void> {
    if (view::can_sort(rows.group, rows.sort)) return {};
    return base::fail(
        base::ErrorCode::kUsage,
        fmt::format("-s {} cannot be combined with -g {}", view::sort_name_of(rows.sort), model::to_string(rows.group)),
        "these rows have no such column; sort by " + sort_names_of(rows.group));
  });
  list.check([this]() -> base::Result<void> {
    const bool has_rows = rows.group != model::Group::kProcess || rows.max_rows != 0;
    if (output.format != TableFormat::kOpenMetrics || !has_rows) return {};
    return base::fail(base::ErrorCode::kUsage, "-o openmetrics cannot be combined with -g or -r",
                      "leave them out: metrics are always by workload, and all of them");
  });
}

view::View TableOptions::view_with(view::Selector resolved) const {
  view::View shown;
  shown.group = rows.group;
  shown.sort = rows.sort;
  shown.max_rows = rows.max_rows;
  shown.leave_out_silent = output.format == TableFormat::kTable || output.format == TableFormat::kWide;
  shown.selector = std::move(resolved);
  return shown;
}

void BudgetOptions::declare(OptionList& list) {
  list.option("--fail-if", "BUDGET", "exit with 99 if this is true, as in 'overflow>0'",
              [this](const std::string& typed) -> base::Result<void> {
                auto budget = report::parse_budget(typed);
                if (!budget) return tl::unexpected(budget.error());
                if (budgets.size() == report::kMostBudgets) {
                  return base::fail(base::ErrorCode::kUsage,
                                    fmt::format("there are more than {} budgets", report::kMostBudgets),
                                    "give fewer: a budget without labels covers everything");
                }
                budgets.push_back(std::move(*budget));
                return {};
              });
  list.flag("--allow-cut", "judge budgets even if the capture is incomplete",
            [this] { partial = report::Partial::kAllowed; });
}

void declare_line_output(OptionList& list, OutputOptions<LineFormat>& output) {
  output.declare(list, "table (default) or json", {{"table", LineFormat::kTable}, {"json", LineFormat::kJson}});
}

void declare_report_output(OptionList& list, OutputOptions<ReportFormat>& output) {
  output.declare(list, "text (default), markdown, json, csv or html",
                 {{"text", ReportFormat::kText},
                  {"markdown", ReportFormat::kMarkdown},
                  {"json", ReportFormat::kJson},
                  {"csv", ReportFormat::kCsv},
                  {"html", ReportFormat::kHtml}});
}

}  // namespace twtrace::app
