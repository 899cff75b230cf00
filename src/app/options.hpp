// SPDX-License-Identifier: Apache-2.0
// What the user asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "output/event_text.hpp"
#include "output/style.hpp"
#include "trace/session.hpp"
#include "view/view.hpp"

namespace twtrace::app {

enum class Command { kTop, kEvents, kCapture, kMark, kReport, kDiff, kReplay, kDoctor, kDemo };
enum class Format { kTable, kWide, kJson, kCsv };

/// `twtrace capture`.
struct CaptureOptions {
  std::string file = "twtrace.db";
  double before_s = 10;              ///< only with a command
  double after_s = 60;               ///< only with a command
  std::optional<double> duration_s;  ///< only without one; empty: until a signal
  bool events = false;
  std::optional<std::string> user;   ///< name or number; empty: as twtrace itself
  std::vector<std::string> budgets;  ///< as typed
  bool has_separator = false;        ///< "--" was there
  std::vector<std::string> command;  ///< empty: none
};

/// `twtrace mark`.
struct MarkOptions {
  std::string file = "twtrace.db";
  std::string name;
};

enum class ReportFormat { kText, kMarkdown, kJson, kCsv, kHtml };

/// `twtrace report` and `twtrace diff`.
struct ReportOptions {
  std::string file = "twtrace.db";
  std::string before = "twtrace.db.old";  ///< diff only
  ReportFormat format = ReportFormat::kText;
  std::vector<std::string> budgets;  ///< as typed
};

/// `twtrace replay`.
struct ReplayOptions {
  std::string file = "twtrace.db";
};

struct Options {
  Command command = Command::kTop;
  bool batch = false;
  double delay_s = 1.0;
  std::uint64_t iterations = 0;  ///< 0: until interrupted
  Format format = Format::kTable;
  output::Color color = output::Color::kNever;
  output::TimeStamp time_stamp = output::TimeStamp::kWallClock;
  int verbosity = 0;
  trace::SessionOptions session;
  view::View view;
  CaptureOptions capture;
  MarkOptions mark;
  ReportOptions report;
  ReplayOptions replay;
  std::string netns;  ///< "all", "self", an inode number, a name or a path; empty: not given, which is all
  bool show_help_only = false;
  std::string help_text;  ///< what to print for --help, --version and -s help
};

/// Parses the command line. kUsage says what is wrong and where to look; with `show_help_only` there is nothing to do
/// but to print `help_text`.
base::Result<Options> parse_options(int argc, const char* const* argv);

}  // namespace twtrace::app
