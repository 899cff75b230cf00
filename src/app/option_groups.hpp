// SPDX-License-Identifier: Apache-2.0
// Private to the options: what the groups of options share.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/options.hpp"
#include "base/result.hpp"

namespace twtrace::app {

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
  std::optional<double> before_s;
  std::optional<double> after_s;
  std::optional<double> duration_s;
  std::string report_format = "text";
  std::string diff_before;
  std::string diff_after;
};

/// CLI11 takes "-1" for a large unsigned number, and every base that strtoull knows.
CLI::Validator whole_number(std::uint64_t least, std::uint64_t most);

/// The value of that name, or kUsage with the names that there are.
template <class Value>
base::Result<Value> look_up(const std::map<std::string, Value>& known, const std::string& text,
                            std::string_view option) {
  const auto found = known.find(text);
  if (found != known.end()) return found->second;
  std::string all;
  for (const auto& [name, value] : known) all += (all.empty() ? "" : ", ") + name;
  return base::fail(base::ErrorCode::kUsage, fmt::format("{}: unknown value \"{}\"", option, text), "known are " + all);
}

/// kUsage unless `seconds` lies between the two. `option` is named as it is typed.
base::Result<void> check_seconds(std::string_view option, double seconds, double least, double most);

/// -d, within what the event loop can do.
base::Result<void> check_delay(const Options& options);

// One pair per group: `add` declares the options, `check` runs once after parsing.

/// What shows tables and events: -b, -d, -n, -g, -s, -r, -o as a format, the filters, -t and -T.
void add_view_options(CLI::App& app, Options& options, Raw& raw);
/// The positionals [SECONDS [N]], the same as -d and -n.
void add_interval_positionals(CLI::App& app, Raw& raw);
base::Result<void> check_view_options(Options& options, const Raw& raw);

/// How to trace: backend, ring size and the like.
void add_session_options(CLI::App& app, Options& options, Raw& raw);
base::Result<void> check_session_options(Options& options, const Raw& raw);

/// --color, once it is known where output goes.
base::Result<void> check_color(Options& options, const Raw& raw);

/// What `twtrace report` and `twtrace diff` take.
void add_report_options(CLI::App& app, Options& options, Raw& raw);
void add_diff_options(CLI::App& app, Options& options, Raw& raw);
base::Result<void> check_report_options(Options& options, const Raw& raw);

/// -v.
void add_verbose_option(CLI::App& app, Options& options);

/// capture: its file, its windows, its command.
void add_capture_options(CLI::App& app, Options& options, Raw& raw);
base::Result<void> check_capture_options(Options& options, const Raw& raw);

/// replay: its file, and how it is looked at.
void add_replay_options(CLI::App& app, Options& options, Raw& raw);
base::Result<void> check_replay_options(Options& options, const Raw& raw);

/// mark: its file and its name.
void add_mark_options(CLI::App& app, Options& options, Raw& raw);

}  // namespace twtrace::app
