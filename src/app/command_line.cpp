// SPDX-License-Identifier: Apache-2.0
#include "app/command_line.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <string_view>

#include "app/arguments.hpp"
#include "app/commands.hpp"
#include "app/help_text.hpp"
#include "app/streams.hpp"
#include "app/version.hpp"
#include "base/nearest.hpp"

namespace twtrace::app {
namespace {

/// "twtrace 0.2.0 (1234567890)".
std::string version_text() {
  const std::string_view commit = kCommit;
  return fmt::format("twtrace {}{}\n", kVersion, commit.empty() ? "" : fmt::format(" ({})", commit));
}

/// A command with all of its options: its own, and those of every command.
struct Prepared {
  explicit Prepared(const Command* command)
      : list(command == nullptr ? "twtrace" : fmt::format("twtrace {}", command->name)) {
    request.run = (command == nullptr ? *commands().front() : *command).prepare(list);
    list.section("Other");
    list.flag("-v,--verbose", "print more diagnostics; -vv prints still more", [this] { ++request.verbosity; });
    list.flag("-h,--help", "print this help", [this, command] { list.answer = help_text(command); });
    if (command != nullptr) return;
    list.flag("--version", "print the version and the commit", [this] { list.answer = version_text(); });
  }
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;
  ~Prepared() = default;

  OptionList list;
  Request request;
};

base::Error unknown_option(const OptionList& list, const std::string& typed) {
  const std::string name = typed.substr(0, typed.find('='));
  std::vector<std::string> others;
  for (const Command* command : commands()) {
    if (Prepared(command).list.find(name) != nullptr) others.emplace_back(command->name);
  }
  const std::string see_help = list.title + " --help lists its options";
  if (!others.empty()) {
    return {base::ErrorCode::kUsage, 0, fmt::format("{} does not take {}", list.title, name),
            fmt::format("{} {}; {}", fmt::join(others, ", "), others.size() == 1 ? "does" : "do", see_help)};
  }
  std::vector<std::string> known;
  for (const OptionList::Option& option : list.options) known.push_back(option.name());
  const std::vector<std::string_view> names(known.begin(), known.end());
  const bool is_long = name.rfind("--", 0) == 0;
  return {base::ErrorCode::kUsage, 0, fmt::format("unknown option \"{}\"", name),
          (is_long ? base::did_you_mean(name, names) : std::string()) + see_help};
}

Run print_only(const std::string& text) {
  return [text](const Inherited&) -> base::Result<int> {
    if (auto written = print(text); !written) return tl::unexpected(written.error());
    return kExitOk;
  };
}

bool starts_like_number(std::string_view word) {
  return !word.empty() && (word[0] == '.' || std::isdigit(static_cast<unsigned char>(word[0])) != 0);
}

base::Result<Request> finish(Prepared& prepared, const Arguments& arguments) {
  if (!arguments.unknown.empty()) return tl::unexpected(unknown_option(prepared.list, arguments.unknown.front()));
  if (auto applied = apply(prepared.list, arguments); !applied) return tl::unexpected(applied.error());
  if (prepared.list.answer) prepared.request.run = print_only(*prepared.list.answer);
  return std::move(prepared.request);
}

base::Result<Request> parse(const Command* command, const std::vector<std::string>& arguments) {
  Prepared prepared(command);
  return finish(prepared, take_apart(prepared.list, arguments));
}

}  // namespace

base::Result<Request> parse_command_line(const std::vector<std::string>& arguments) {
  Prepared nameless(nullptr);
  const Arguments typed = take_apart(nameless.list, arguments);
  if (typed.words.empty() || starts_like_number(typed.words.front())) return finish(nameless, typed);
  const std::string& word = typed.words.front();
  const auto command = command_named(word);
  const auto place = std::find(arguments.begin(), arguments.end(), word);
  if (!command) {
    // The value of an unknown option also looks like a command.
    if (place == arguments.begin() || typed.unknown.empty()) return tl::unexpected(command.error());
    return finish(nameless, typed);
  }
  std::vector<std::string> others(arguments.begin(), place);  // options may stand before the name
  others.insert(others.end(), std::next(place), arguments.end());
  return parse(*command, others);
}

OptionList options_of(const Command* command) { return Prepared(command).list; }

std::string help_text(const Command* command) {
  const OptionList list = options_of(command);
  if (command != nullptr) {
    return fmt::format("Usage: {}\n\n{}\n{}", usage_text(list), sentence(command->about), options_text(list));
  }
  std::string text = fmt::format(
      "Show who fills the TIME_WAIT table, who was refused a place in it, and when it\n"
      "will be full. An entry of that table is called a bucket. When the table is\n"
      "full, the kernel refuses new buckets and closes their connections early.\n\n"
      "Usage: {}\n       twtrace COMMAND [OPTIONS] [ARGUMENT...]\n\nCommands:\n",
      usage_text(list));
  for (const Command* known : commands()) text += entry_text(known->name, known->about);
  return text + fmt::format("\n\"twtrace help COMMAND\" explains a command. The default command is {}:\n{}",
                            commands().front()->name, options_text(list));
}

}  // namespace twtrace::app
