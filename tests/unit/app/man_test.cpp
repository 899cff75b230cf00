// SPDX-License-Identifier: Apache-2.0
// The manual pages and --help list the same options, written the same way.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "app/command_line.hpp"
#include "app/commands.hpp"
#include "support/catch.hpp"

using namespace twtrace::app;

namespace {

/// The page of a command: twtrace(8) for the default one, else twtrace-NAME of any section.
std::string page_of(const Command& command) {
  const bool is_default = &command == commands().front();
  const std::string name = "twtrace" + (is_default ? std::string() : "-" + std::string(command.name)) + ".";
  for (const auto& entry : std::filesystem::directory_iterator(TWTRACE_DOCS "/man")) {
    if (entry.path().filename().string().rfind(name, 0) != 0) continue;
    std::ostringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    return text.str();
  }
  return {};
}

/// The options that start a paragraph of the section OPTIONS, such as "-d, --delay SECONDS".
std::set<std::string> options_of_page(const std::string& page) {
  std::set<std::string> options;
  std::istringstream text(page.substr(std::min(page.find("# OPTIONS\n"), page.size())));
  std::string line;
  std::getline(text, line);
  while (std::getline(text, line) && line.rfind("# ", 0) != 0) {
    if (line.rfind("*-", 0) != 0) continue;
    if (line.size() > 2 && line.substr(line.size() - 2) == "++") line.resize(line.size() - 2);
    line.erase(std::remove_if(line.begin(), line.end(), [](char c) { return c == '*' || c == '_'; }), line.end());
    options.insert(line);
  }
  return options;
}

/// The same from the output of --help.
std::set<std::string> options_of_help(const std::string& help) {
  std::set<std::string> options;
  std::istringstream text(help);
  for (std::string line; std::getline(text, line);) {
    const std::size_t begin = line.find_first_not_of(' ');
    if (begin == std::string::npos || begin == 0 || line[begin] != '-') continue;
    line = line.substr(begin);
    options.insert(line.substr(0, line.find("  ")));
  }
  return options;
}

}  // namespace

TEST_CASE("every command has a manual page with its name, its explanation and its options") {
  for (const Command* command : commands()) {
    if (command->name == "help") continue;  // it prints the help of the others
    INFO(command->name);
    const std::string page = page_of(*command);
    const bool is_default = command == commands().front();
    if (!is_default) {
      CHECK(page.find("\ntwtrace-" + std::string(command->name) + " - " + std::string(command->about) + "\n") !=
            std::string::npos);
    }
    const auto options = options_of_page(page);
    CHECK(options.size() >= 2);  // every command has -v and -h
    CHECK(options == options_of_help(help_text(is_default ? nullptr : command)));
  }
}
