// SPDX-License-Identifier: Apache-2.0
#include "app/completion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "app/arguments.hpp"
#include "app/command_line.hpp"
#include "app/commands.hpp"

namespace twtrace::app {
namespace {

/// Collects the names that begin with what is typed.
class Matching {
 public:
  explicit Matching(std::string_view typed) : typed_(typed) {}

  void add(std::string name, std::string_view about = {}) {
    if (name.starts_with(typed_)) found_.names.push_back({std::move(name), std::string(about)});
  }
  Completion found() { return std::move(found_); }

 private:
  std::string_view typed_;
  Completion found_;
};

/// `before` stands in front of the value in the same word: "--output=".
Completion values(const Take& take, std::string_view typed, const std::string& before = {}) {
  if (take.is_file) return {Completion::Kind::kFiles, {}};
  Matching matching(typed);
  for (const std::string& name : take.names) matching.add(before + name);
  return matching.found();
}

Completion option_names(const OptionList& list, std::string_view typed) {
  Matching matching(typed);
  for (const OptionList::Option& option : list.options) {
    for (std::string& name : option.all_names()) matching.add(std::move(name), option.about);
  }
  return matching.found();
}

Completion command_names(std::string_view typed) {
  Matching matching(typed);
  for (const Command* command : commands()) matching.add(std::string(command->name), command->about);
  return matching.found();
}

/// The option that takes its value from the word after `word`, which is "--delay", "-d" or "-bd".
const OptionList::Option* waiting_option(const OptionList& list, std::string_view word) {
  const OptionList::Option* option = list.find(word);
  const bool bundled = option == nullptr && word.size() > 2 && word[0] == '-' && word[1] != '-';
  if (bundled) option = list.find(std::string("-") + word.back());
  return option == nullptr || option->is_flag() ? nullptr : option;
}

/// The command that the words name, and takes its name away from them. Null if there is none yet.
const Command* take_command(std::vector<std::string>& words) {
  const std::vector<std::string> plain = take_apart(options_of(nullptr), words).words;
  if (plain.empty()) return nullptr;
  const auto command = command_named(plain.front());
  if (!command) return nullptr;
  words.erase(std::find(words.begin(), words.end(), plain.front()));
  return *command;
}

}  // namespace

Completion complete(const std::vector<std::string>& words) {
  const std::string typed = words.empty() ? std::string() : words.back();
  std::vector<std::string> earlier(words.begin(), words.empty() ? words.end() : words.end() - 1);
  const Command* command = take_command(earlier);
  const OptionList list = options_of(command);
  const bool after_dashes = std::find(earlier.begin(), earlier.end(), "--") != earlier.end();
  if (list.take_command && after_dashes) return {Completion::Kind::kCommand, {}};

  if (!after_dashes && !earlier.empty()) {
    const OptionList::Option* option = waiting_option(list, earlier.back());
    if (option != nullptr) return values(option->take, typed);
  }
  if (!after_dashes && typed.starts_with('-')) {
    const std::size_t equals = typed.find('=');
    if (equals == std::string::npos) return option_names(list, typed);
    const OptionList::Option* option = waiting_option(list, typed.substr(0, equals));
    return option == nullptr ? Completion() : values(option->take, typed, typed.substr(0, equals + 1));
  }
  const std::size_t place = take_apart(list, earlier).words.size();
  if (command == nullptr && place == 0) return command_names(typed);
  if (const OptionList::Word* word = list.word_at(place)) return values(word->take, typed);
  return option_names(list, typed);
}

std::string completion_text(const Completion& completion) {
  if (completion.kind == Completion::Kind::kFiles) return "files\n";
  if (completion.kind == Completion::Kind::kCommand) return "command\n";
  std::string text = "names\n";
  for (const Completion::Name& name : completion.names) text += fmt::format("{}\t{}\n", name.name, name.about);
  return text;
}

}  // namespace twtrace::app
