// SPDX-License-Identifier: Apache-2.0
#include "app/options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <vector>

#include "app/option_groups.hpp"
#include "app/version.hpp"

namespace twtrace::app {
namespace {

/// What everything that shows a running trace takes.
void add_watch_options(CLI::App& app, Options& options, Raw& raw) {
  add_view_options(app, options, raw);
  add_session_options(app, options, raw);
  add_interval_positionals(app, raw);
}

base::Result<void> check_watch_options(Options& options, const Raw& raw) {
  if (auto usable = check_view_options(options, raw); !usable) return usable;
  return check_session_options(options, raw);
}

base::Result<void> check_nothing(Options& /*options*/, const Raw& /*raw*/) { return {}; }

/// A command: adding one takes its line here, its group of options (option_groups.hpp) and its case in run.cpp.
struct CommandSpec {
  Command command;
  const char* name;
  const char* about;
  void (*add)(CLI::App& app, Options& options, Raw& raw);
  base::Result<void> (*check)(Options& options, const Raw& raw);
};

constexpr std::array kCommands = {
    CommandSpec{Command::kTop, "top", "who fills the table, refreshed (the default command)", add_watch_options,
                check_watch_options},
    CommandSpec{Command::kEvents, "events", "one line or JSON object per bucket created, refused or removed",
                add_watch_options, check_watch_options},
    CommandSpec{Command::kCapture, "capture", "a file of what happens around a command, or until Ctrl-C",
                add_capture_options, check_capture_options},
    CommandSpec{Command::kMark, "mark", "gives this moment of a running capture a name", add_mark_options,
                check_nothing},
    CommandSpec{Command::kReport, "report", "what a capture comes to: verdicts, culprits, findings", add_report_options,
                check_report_options},
    CommandSpec{Command::kDiff, "diff", "what changed between two captures", add_diff_options, check_report_options},
    CommandSpec{Command::kReplay, "replay", "a capture in the live view, sample by sample", add_replay_options,
                check_replay_options},
    CommandSpec{Command::kDoctor, "doctor", "whether it can run here, and the limits of this host's namespaces",
                add_watch_options, check_watch_options},
    CommandSpec{Command::kDemo, "demo", "a private network namespace with a small table and three named services",
                add_watch_options, check_watch_options},
};

const CommandSpec* find_command(std::string_view name) {
  const auto* const found =
      std::find_if(kCommands.begin(), kCommands.end(), [name](const CommandSpec& spec) { return spec.name == name; });
  return found == kCommands.end() ? nullptr : found;
}

const CommandSpec& spec_of(Command command) {
  return *std::find_if(kCommands.begin(), kCommands.end(),
                       [command](const CommandSpec& spec) { return spec.command == command; });
}

/// "top, events and doctor"
std::string command_names() {
  std::string names;
  for (std::size_t i = 0; i < kCommands.size(); ++i) {
    names += i == 0 ? "" : i + 1 < kCommands.size() ? ", " : " and ";
    names += kCommands[i].name;
  }
  return names;
}

std::string sort_help() {
  std::string text = "Columns for -s:\n";
  for (const view::SortName& name : view::sort_names()) text += fmt::format("  {:<12} {}\n", name.name, name.help);
  return text;
}

/// A first word that is neither an option nor a number is a command; CLI11 would take it for the interval.
base::Result<void> check_command_word(int argc, const char* const* argv) {
  if (argc < 2 || argv[1][0] == '-' || argv[1][0] == '.' || std::isdigit(static_cast<unsigned char>(argv[1][0])) != 0 ||
      find_command(argv[1]) != nullptr) {
    return {};
  }
  return base::fail(base::ErrorCode::kUsage, fmt::format("unknown command \"{}\"", argv[1]),
                    "commands are " + command_names() + "; twtrace --help explains");
}

/// Options of the watching commands may stand before their name; those of the others may mean something else there.
base::Result<void> check_order(const CLI::App& app, const CommandSpec& spec) {
  if (spec.add == add_watch_options) return {};
  for (const CLI::Option* option : app.get_options()) {
    if (option->count() == 0 || option->check_lname("verbose")) continue;
    return base::fail(base::ErrorCode::kUsage, fmt::format("{} stands before \"{}\"", option->get_name(), spec.name),
                      fmt::format("options of {} follow its name; twtrace {} --help lists them", spec.name, spec.name));
  }
  return {};
}

/// events takes the options of what watches, but has neither intervals nor rows.
base::Result<void> check_events(const CLI::App& app) {
  const CLI::App& events = *app.get_subcommand(spec_of(Command::kEvents).name);
  for (const char* name : {"-d", "-n", "-g", "-s", "-r", "interval", "count"}) {
    if (app.count(name) + events.count(name) == 0) continue;
    return base::fail(base::ErrorCode::kUsage,
                      fmt::format("{}: events come one by one, not in intervals or rows", name),
                      "leave it out; -p, -L, -D, -4, -6, --comm, --service and --netns choose events");
  }
  return {};
}

/// Of an option that is repeated the last one counts, so that an alias or a script can be overruled. What adds up is a
/// list already. Filters stay as they are: whoever names two processes means neither only the last one.
void let_last_win(CLI::App& app) {
  constexpr std::array kFilters = {"pid", "local-port", "remote-port", "comm", "service", "netns"};
  for (CLI::Option* option : app.get_options()) {
    const bool flag = option->get_expected_min() == 0;
    const bool list = option->get_expected_max() > 1;
    const bool filter =
        std::any_of(kFilters.begin(), kFilters.end(), [option](const char* name) { return option->check_lname(name); });
    if (!option->get_positional() && !flag && !list && !filter) option->take_last();
  }
}

/// How many arguments are ours: with `capture` all that stand before "--". What follows is a command that nothing here
/// may touch.
int count_own_arguments(int argc, const char* const* argv) {
  int i = 1;
  while (i < argc && (std::string_view(argv[i]).substr(0, 2) == "-v" || std::string_view(argv[i]) == "--verbose")) ++i;
  if (i >= argc || find_command(argv[i]) != &spec_of(Command::kCapture)) return argc;
  while (i < argc && std::string_view(argv[i]) != "--") ++i;
  return i;
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

}  // namespace

base::Result<Options> parse_options(int argc, const char* const* argv) {
  if (auto known = check_command_word(argc, argv); !known) return tl::unexpected(known.error());
  const int own_arguments = count_own_arguments(argc, argv);
  Options options;
  if (own_arguments < argc) {
    options.capture.has_separator = true;
    options.capture.command.assign(argv + own_arguments + 1, argv + argc);
  }
  Raw raw;
  CLI::App app("Names who fills the TIME_WAIT table, who was refused, and when it will be full.", "twtrace");
  app.set_version_flag("--version", fmt::format("twtrace {}", kVersion));
  app.require_subcommand(0, 1);
  add_watch_options(app, options, raw);
  add_verbose_option(app, options);
  let_last_win(app);
  for (const CommandSpec& spec : kCommands) {
    CLI::App* sub = app.add_subcommand(spec.name, spec.about);
    spec.add(*sub, options, raw);
    add_verbose_option(*sub, options);
    let_last_win(*sub);
    sub->callback([&options, command = spec.command] { options.command = command; });
  }
  try {
    app.parse(own_arguments, argv);
  } catch (const CLI::Success& request) {  // --help, --version
    options.show_help_only = true;
    options.help_text = request.get_name() == "CallForVersion" ? std::string(request.what()) + "\n" : app.help();
    return options;
  } catch (const CLI::ParseError& error) {
    return base::fail(base::ErrorCode::kUsage, one_line(error.what()), "twtrace --help lists the options");
  }
  const CommandSpec& spec = spec_of(options.command);
  if (auto ordered = check_order(app, spec); !ordered) return tl::unexpected(ordered.error());
  if (options.command == Command::kEvents) {
    if (auto usable = check_events(app); !usable) return tl::unexpected(usable.error());
  }
  if (raw.sort == "help") {
    options.show_help_only = true;
    options.help_text = sort_help();
    return options;
  }
  if (auto usable = spec.check(options, raw); !usable) return tl::unexpected(usable.error());
  return options;
}

}  // namespace twtrace::app
