// SPDX-License-Identifier: Apache-2.0
#include "app/option_groups.hpp"

#include <unistd.h>

#include <charconv>
#include <cmath>
#include <cstdlib>

namespace twtrace::app {
namespace {

const std::map<std::string, Format> kFormats = {
    {"table", Format::kTable}, {"wide", Format::kWide}, {"json", Format::kJson}, {"csv", Format::kCsv}};
const std::map<std::string, model::Group> kGroups = {
    {"process", model::Group::kProcess}, {"pid", model::Group::kPid},   {"service", model::Group::kService},
    {"port", model::Group::kPort},       {"peer", model::Group::kPeer}, {"netns", model::Group::kNetns}};

constexpr double kMinDelay = 0.05;
constexpr double kMaxDelay = 86400;
constexpr std::uint32_t kMaxRing = 1U << 30U;
constexpr std::uint64_t kMaxCount = 1'000'000'000;
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
    return base::fail(base::ErrorCode::kUsage, fmt::format("--ring-size: \"{}\" cannot be used", text),
                      fmt::format("give a power of two from {} to 1024M", page));
  }
  return static_cast<std::uint32_t>(bytes);
}

base::Result<void> check_output(Options& options, const Raw& raw) {
  const auto format = look_up(kFormats, raw.format, "-o");
  if (!format) return tl::unexpected(format.error());
  options.format = raw.json ? Format::kJson : *format;
  if (options.command == Command::kEvents && options.format == Format::kCsv) {
    return base::fail(base::ErrorCode::kUsage, "events cannot be written as csv", "use --json");
  }
  if (raw.relative_time) options.time_stamp = output::TimeStamp::kRelative;
  return check_color(options, raw);
}

}  // namespace

CLI::Validator whole_number(std::uint64_t least, std::uint64_t most) {
  const auto check = [least, most](const std::string& text) {
    std::uint64_t value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    const bool usable = error == std::errc() && stop == end && value >= least && value <= most;
    return usable ? std::string()
                  : fmt::format("\"{}\" cannot be used: give a whole number from {} to {}", text, least, most);
  };
  return {check, ""};
}

base::Result<void> check_seconds(std::string_view option, double seconds, double least, double most) {
  if (seconds >= least && seconds <= most) return {};  // not so for what is no number
  return base::fail(base::ErrorCode::kUsage, fmt::format("{}: {} seconds cannot be used", option, seconds),
                    fmt::format("give {} to {}", least, most));
}

base::Result<void> check_delay(const Options& options) {
  return check_seconds("-d", options.delay_s, kMinDelay, kMaxDelay);
}

void add_view_options(CLI::App& app, Options& options, Raw& raw) {
  app.add_flag("-b,--batch", options.batch, "print to standard output, one table or object per interval");
  app.add_option("-d,--delay", options.delay_s, "seconds between updates, fractions allowed (default 1)");
  app.add_option("-n,--iterations", options.iterations, "stop after so many updates")
      ->check(whole_number(0, kMaxCount));
  app.add_option("-g,--group", raw.group, "process, pid, service, port, peer or netns (default process)");
  app.add_option("-s,--sort", raw.sort, "sort by this column; \"help\" lists them");
  app.add_option("-r,--rows", raw.rows, "show at most so many rows")->check(whole_number(0, kMaxCount));
  app.add_option("-o,--output", raw.format, "table, wide, json or csv");
  app.add_flag("--json", raw.json, "same as -o json");
  app.add_option("-p,--pid", options.view.filter.pid, "only this process")->check(whole_number(1, kMaxPid));
  app.add_option("-L,--local-port", options.session.local_port, "only connections with this local port")
      ->check(whole_number(1, kMaxPort));
  app.add_option("-D,--remote-port", options.session.remote_port, "only connections to this remote port")
      ->check(whole_number(1, kMaxPort));
  app.add_flag("-4", options.view.filter.only_ipv4, "only IPv4 (v4-mapped too)");
  app.add_flag("-6", options.view.filter.only_ipv6, "only IPv6");
  app.add_option("--comm", options.view.filter.comm, "only processes with this name (shell pattern)");
  app.add_option("--service", options.view.filter.service, "only this service (shell pattern)");
  app.add_option("--netns", options.netns, "all, self, an inode number, a name or a path");
  app.add_flag("-t", raw.relative_time, "events: seconds since the start");
  app.add_flag("-T", raw.wall_time, "events: time of day, UTC (default)");
  app.add_option("--color", raw.color, "auto, always or never");
}

void add_interval_positionals(CLI::App& app, Raw& raw) {
  app.add_option("interval", raw.interval, "same as -d")->option_text("SECONDS");
  app.add_option("count", raw.count, "same as -n")->option_text("N")->check(whole_number(0, kMaxCount));
}

base::Result<void> check_view_options(Options& options, const Raw& raw) {
  if (raw.interval) options.delay_s = *raw.interval;
  if (raw.count) options.iterations = *raw.count;
  if (auto usable = check_delay(options); !usable) return usable;
  const auto group = look_up(kGroups, raw.group, "-g");
  if (!group) return tl::unexpected(group.error());
  options.view.group = *group;
  const auto sort = view::sort_column_named(raw.sort);
  if (!sort) {
    return base::fail(base::ErrorCode::kUsage, fmt::format("-s: unknown column \"{}\"", raw.sort),
                      "twtrace -s help lists them");
  }
  options.view.sort = *sort;
  options.view.max_rows = raw.rows;
  view::Filter& filter = options.view.filter;
  filter.only_matched = options.session.local_port != 0 || options.session.remote_port != 0;
  if (filter.only_ipv4 && filter.only_ipv6) {
    return base::fail(base::ErrorCode::kUsage, "-4 and -6 together match nothing", "give one of them");
  }
  if (filter.pid && *group == model::Group::kPeer) {
    return base::fail(base::ErrorCode::kUsage, "-p cannot be combined with -g peer",
                      "peers are counted per service and process name: use --comm or --service");
  }
  return check_output(options, raw);
}

void add_session_options(CLI::App& app, Options& options, Raw& raw) {
  app.add_option("--probe", raw.probe, "auto, fentry, kprobe or tracepoint");
  app.add_option("--no-feature", raw.no_features, "do as if this kernel lacked a feature (repeatable)");
  app.add_option("--btf", options.session.btf_path, "BTF of this kernel, for kernels that carry none");
  app.add_option("--ring-size", raw.ring, "bytes of the event ring, a power of two (K and M allowed; default 4M)");
  app.add_option("--max-rows", raw.max_rows, "rows kept of ended processes; older ones merge into (other)")
      ->check(whole_number(0, kMaxCount));
}

base::Result<void> check_session_options(Options& options, const Raw& raw) {
  if (raw.probe != "auto") {
    options.session.backend = loader::backend_named(raw.probe);
    if (!options.session.backend) {
      return base::fail(base::ErrorCode::kUsage, fmt::format("--probe: unknown backend \"{}\"", raw.probe),
                        "known are auto, fentry, kprobe, tracepoint");
    }
  }
  options.session.no_features.insert(raw.no_features.begin(), raw.no_features.end());
  options.session.max_rows = raw.max_rows;
  const auto ring = parse_ring_size(raw.ring);
  if (!ring) return tl::unexpected(ring.error());
  options.session.ring_bytes = *ring;
  return {};
}

base::Result<void> check_color(Options& options, const Raw& raw) {
  if (raw.color != "auto" && raw.color != "always" && raw.color != "never") {
    return base::fail(base::ErrorCode::kUsage, fmt::format("--color: unknown value \"{}\"", raw.color),
                      "known are always, auto, never");
  }
  const char* no_color = std::getenv("NO_COLOR");
  const bool wanted = no_color == nullptr || *no_color == '\0';
  const bool automatic = raw.color == "auto" && wanted && ::isatty(STDOUT_FILENO) != 0;
  if (raw.color == "always" || automatic) options.color = output::Color::kAlways;
  return {};
}

void add_verbose_option(CLI::App& app, Options& options) {
  app.add_flag("-v,--verbose", options.verbosity, "more diagnostics; repeat for still more");
}

}  // namespace twtrace::app
