// SPDX-License-Identifier: Apache-2.0
// Options of `twtrace capture` and `twtrace mark`.
#include <cstdlib>

#include "app/option_groups.hpp"

namespace twtrace::app {
namespace {

constexpr double kMaxWindow = 86400;
constexpr double kMaxDuration = 31 * 86400.0;
constexpr double kMinDuration = 0.05;

base::Result<void> check_windows(CaptureOptions& capture, const Raw& raw) {
  if (capture.command.empty() && (raw.before_s || raw.after_s || capture.user)) {
    const char* which = raw.before_s ? "--before" : raw.after_s ? "--after" : "--user";
    return base::fail(base::ErrorCode::kUsage, fmt::format("{} is for a capture around a command", which),
                      "put the command behind --, or leave the option out");
  }
  if (!capture.command.empty() && raw.duration_s) {
    return base::fail(base::ErrorCode::kUsage, "--duration is for a capture without a command",
                      "with one, --before and --after say how long to look at what surrounds it");
  }
  capture.before_s = raw.before_s.value_or(capture.before_s);
  capture.after_s = raw.after_s.value_or(capture.after_s);
  capture.duration_s = raw.duration_s;
  if (auto usable = check_seconds("--before", capture.before_s, 0, kMaxWindow); !usable) return usable;
  if (auto usable = check_seconds("--after", capture.after_s, 0, kMaxWindow); !usable) return usable;
  return raw.duration_s ? check_seconds("--duration", *raw.duration_s, kMinDuration, kMaxDuration)
                        : base::Result<void>();
}

}  // namespace

void add_capture_options(CLI::App& app, Options& options, Raw& raw) {
  CaptureOptions& capture = options.capture;
  app.add_option("-o,--output", capture.file, "file to write (default twtrace.db; an earlier one gets .old)")
      ->option_text("FILE");
  app.add_option("--before", raw.before_s, "seconds to look before the command starts (default 10)")
      ->option_text("SECONDS");
  app.add_option("--after", raw.after_s, "seconds to look after it has ended (default 60: as long as TIME_WAIT lasts)")
      ->option_text("SECONDS");
  app.add_option("--duration", raw.duration_s, "without a command: end after so long (default: at Ctrl-C)")
      ->option_text("SECONDS");
  app.add_option("-d,--delay", options.delay_s, "seconds between samples, fractions allowed (default 1)")
      ->option_text("SECONDS");
  app.add_flag("--events", capture.events, "record every event, too");
  app.add_option("--user", capture.user, "run the command as this user (a name or a number)")->option_text("USER");
  app.add_option("--fail-if", capture.budgets, "exit with 99 when this is so (repeatable), as in overflow>0")
      ->allow_extra_args(false)  // what follows its value is the file, or another option
      ->option_text("EXPR");
  app.footer("The command follows --: twtrace capture -o deploy.db -- ./deploy.sh --fast");
  add_session_options(app, options, raw);
}

base::Result<void> check_capture_options(Options& options, const Raw& raw) {
  CaptureOptions& capture = options.capture;
  if (capture.has_separator && (capture.command.empty() || capture.command.front().empty())) {
    return base::fail(base::ErrorCode::kUsage, "no command follows --", "name it, or leave -- out");
  }
  if (auto usable = check_delay(options); !usable) return usable;
  if (auto usable = check_windows(capture, raw); !usable) return usable;
  return check_session_options(options, raw);
}

void add_mark_options(CLI::App& app, Options& options, Raw& /*raw*/) {
  const char* running = std::getenv("TWTRACE_CAPTURE");  // capture tells its command so
  if (running != nullptr && *running != '\0') options.mark.file = running;
  app.add_option("-o,--output", options.mark.file, "file of the running capture (default $TWTRACE_CAPTURE, twtrace.db)")
      ->option_text("FILE");
  app.add_option("name", options.mark.name, "what happens now")->required()->option_text("NAME");
}

}  // namespace twtrace::app
