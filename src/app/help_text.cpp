// SPDX-License-Identifier: Apache-2.0
#include "app/help_text.hpp"

#include <fmt/format.h>

#include <cctype>

namespace twtrace::app {
namespace {

constexpr std::size_t kLeftColumns = 23;

/// "-d, --delay SECONDS". Aligns long names.
std::string option_names(const OptionList::Option& option) {
  const std::size_t comma = option.names.find(',');
  std::string text = comma == std::string::npos ? option.names : option.names.substr(0, comma) + ", " + option.name();
  if (text.rfind("--", 0) == 0) text.insert(0, "    ");
  return option.is_flag() ? text : text + " " + option.value;
}

}  // namespace

std::string entry_text(std::string_view left, std::string_view right) {
  if (left.size() > kLeftColumns) return fmt::format("  {}\n  {:<{}} {}\n", left, "", kLeftColumns, right);
  return fmt::format("  {:<{}} {}\n", left, kLeftColumns, right);
}

std::string sentence(std::string_view about) {
  std::string text(about);
  text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
  return text + ".";
}

std::string usage_text(const OptionList& list) {
  std::string text = list.title + " [OPTIONS]";
  if (!list.usage.empty()) return text + " " + list.usage;
  for (const OptionList::Word& word : list.words) {
    const std::string name = word.name + (word.repeated ? "..." : "");
    text += word.required ? " " + name : " [" + name + "]";
  }
  return list.take_command ? text + " [-- COMMAND [ARGUMENT...]]" : text;
}

std::string options_text(const OptionList& list) {
  std::string text;
  if (!list.words.empty()) text += "\nArguments:\n";
  for (const OptionList::Word& word : list.words) text += entry_text(word.name, word.about);
  const std::string* section = nullptr;
  for (const OptionList::Option& option : list.options) {
    if (section == nullptr || *section != option.section) text += fmt::format("\n{}:\n", option.section);
    section = &option.section;
    text += entry_text(option_names(option), option.about);
  }
  for (const std::string& note : list.notes) text += "\n" + note + "\n";
  return text;
}

}  // namespace twtrace::app
