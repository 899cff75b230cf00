// SPDX-License-Identifier: Apache-2.0
#include "app/options.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <map>
#include <string_view>
#include <vector>

#include "app/version.hpp"

namespace twtrace::app {
namespace {

const std::map<std::string, Command> kCommands = {
    {"top", Command::kTop}, {"events", Command::kEvents}, {"doctor", Command::kDoctor}, {"demo", Command::kDemo}};
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

/// Text as it comes from the command line, before it is checked.
struct Raw {
  std::string format = "table";
  bool json = false;
  std::string group = "process";
  std::string sort = "created/s";
  std::string probe = "auto";
  std::string color = "auto";
  std::vector<std::string> no_features;
  std::string ring = "4M";
  std::uint64_t rows = 0;
  std::uint64_t max_rows = 10000;
  bool relative_time = false;
  bool wall_time = false;
  std::optional<double> interval;
  std::optional<std::uint64_t> count;
};

/// CLI11 takes "-1" for a large unsigned number, and every base that strtoull knows.
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

/// Options that every command takes, so that they may stand before or after its name.
void add_options(CLI::App& app, Options& options, Raw& raw) {
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
  app.add_option("--probe", raw.probe, "auto, fentry, kprobe or tracepoint");
  app.add_option("--no-feature", raw.no_features, "do as if this kernel lacked a feature (repeatable)");
  app.add_option("--btf", options.session.btf_path, "BTF of this kernel, for kernels that carry none");
  app.add_option("--ring-size", raw.ring, "bytes of the event ring, a power of two (K and M allowed; default 4M)");
  app.add_option("--max-rows", raw.max_rows, "rows kept of ended processes; older ones merge into (other)")
      ->check(whole_number(0, kMaxCount));
  app.add_option("--color", raw.color, "auto, always or never");
  app.add_flag("-v,--verbose", options.verbosity, "more diagnostics; repeat for still more");
}

void add_positionals(CLI::App& app, Raw& raw) {
  app.add_option("interval", raw.interval, "same as -d")->option_text("SECONDS");
  app.add_option("count", raw.count, "same as -n")->option_text("N")->check(whole_number(0, kMaxCount));
}

template <class Value>
base::Result<Value> look_up(const std::map<std::string, Value>& known, const std::string& text,
                            std::string_view option) {
  const auto found = known.find(text);
  if (found != known.end()) return found->second;
  std::string all;
  for (const auto& [name, value] : known) all += (all.empty() ? "" : ", ") + name;
  return base::fail(base::ErrorCode::kUsage, fmt::format("{}: unknown value \"{}\"", option, text), "known are " + all);
}

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

base::Result<void> check_delay(Options& options, const Raw& raw) {
  if (raw.interval) options.delay_s = *raw.interval;
  if (raw.count) options.iterations = *raw.count;
  if (!(options.delay_s >= kMinDelay) || options.delay_s > kMaxDelay) {
    return base::fail(base::ErrorCode::kUsage, fmt::format("-d: {} seconds cannot be used", options.delay_s),
                      fmt::format("give {} to {}", kMinDelay, kMaxDelay));
  }
  return {};
}

base::Result<void> check_view(Options& options, const Raw& raw) {
  const auto group = look_up(kGroups, raw.group, "-g");
  if (!group) return tl::unexpected(group.error());
  options.view.group = *group;
  const auto sort = model::sort_column_named(raw.sort);
  if (!sort) {
    return base::fail(base::ErrorCode::kUsage, fmt::format("-s: unknown column \"{}\"", raw.sort),
                      "twtrace -s help lists them");
  }
  options.view.sort = *sort;
  options.view.max_rows = raw.rows;
  model::Filter& filter = options.view.filter;
  filter.only_matched = options.session.local_port != 0 || options.session.remote_port != 0;
  if (filter.only_ipv4 && filter.only_ipv6) {
    return base::fail(base::ErrorCode::kUsage, "-4 and -6 together match nothing", "give one of them");
  }
  if (filter.pid && *group == model::Group::kPeer) {
    return base::fail(base::ErrorCode::kUsage, "-p cannot be combined with -g peer",
                      "peers are counted per service and process name: use --comm or --service");
  }
  return {};
}

base::Result<void> check_output(Options& options, const Raw& raw) {
  const auto format = look_up(kFormats, raw.format, "-o");
  if (!format) return tl::unexpected(format.error());
  options.format = raw.json ? Format::kJson : *format;
  if (options.command == Command::kEvents && options.format == Format::kCsv) {
    return base::fail(base::ErrorCode::kUsage, "events cannot be written as csv", "use --json");
  }
  if (raw.relative_time) options.time_stamp = output::TimeStamp::kRelative;
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

base::Result<void> check_session(Options& options, const Raw& raw) {
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

std::string sort_help() {
  std::string text = "Columns for -s:\n";
  for (const model::SortName& name : model::sort_names()) text += fmt::format("  {:<12} {}\n", name.name, name.help);
  return text;
}

/// A first word that is neither an option nor a number is a command; CLI11 would take it for the interval.
base::Result<void> check_command_word(int argc, const char* const* argv) {
  if (argc < 2 || argv[1][0] == '-' || argv[1][0] == '.' || std::isdigit(static_cast<unsigned char>(argv[1][0])) != 0 ||
      kCommands.contains(argv[1])) {
    return {};
  }
  return base::fail(base::ErrorCode::kUsage, fmt::format("unknown command \"{}\"", argv[1]),
                    "commands are top, events, doctor and demo; twtrace --help explains");
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

}  // namespace

base::Result<Options> parse_options(int argc, const char* const* argv) {
  if (auto known = check_command_word(argc, argv); !known) return tl::unexpected(known.error());
  Options options;
  Raw raw;
  CLI::App app("Names who fills the TIME_WAIT table, who was refused, and when it will be full.", "twtrace");
  app.set_version_flag("--version", fmt::format("twtrace {}", kVersion));
  app.require_subcommand(0, 1);
  add_options(app, options, raw);
  add_positionals(app, raw);
  const std::map<std::string, std::string> about = {
      {"top", "who fills the table, refreshed (the default command)"},
      {"events", "one line or JSON object per bucket created, refused or removed"},
      {"doctor", "whether it can run here, and the limits of this host's namespaces"},
      {"demo", "a private network namespace with a small table and three named services"}};
  for (const auto& [name, command] : kCommands) {
    CLI::App* sub = app.add_subcommand(name, about.at(name));
    add_options(*sub, options, raw);
    add_positionals(*sub, raw);
    sub->callback([&options, value = command] { options.command = value; });
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& request) {  // --help, --version
    options.show_help_only = true;
    options.help_text = request.get_name() == "CallForVersion" ? std::string(request.what()) + "\n" : app.help();
    return options;
  } catch (const CLI::ParseError& error) {
    return base::fail(base::ErrorCode::kUsage, one_line(error.what()), "twtrace --help lists the options");
  }
  if (raw.sort == "help") {
    options.show_help_only = true;
    options.help_text = sort_help();
    return options;
  }
  for (const auto& check : {check_delay, check_view, check_output, check_session}) {
    if (auto checked = check(options, raw); !checked) return tl::unexpected(checked.error());
  }
  return options;
}

}  // namespace twtrace::app
