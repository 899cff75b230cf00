// SPDX-License-Identifier: Apache-2.0
#include "app/completion.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "app/command_line.hpp"
#include "app/commands.hpp"
#include "support/catch.hpp"

using namespace twtrace::app;

namespace {

using Typed = std::vector<std::string>;
using Kind = Completion::Kind;

std::set<std::string> offered(const Typed& typed) {
  const Completion completion = complete(typed);
  CHECK(completion.kind == Kind::kNames);
  std::set<std::string> names;
  for (const Completion::Name& name : completion.names) names.insert(name.name);
  CHECK(names.size() == completion.names.size());
  return names;
}

/// For each command, what a user has typed so far. The default command, which has no name, comes first.
std::vector<Typed> beginnings() {
  std::vector<Typed> all = {{}};
  for (const Command* command : commands()) all.push_back({std::string(command->name)});
  return all;
}

Typed with(Typed words, std::initializer_list<std::string> more) {
  words.insert(words.end(), more);
  return words;
}

const Command* command_of(const Typed& beginning) {
  return beginning.empty() ? nullptr : *command_named(beginning.front());
}

}  // namespace

TEST_CASE("Tab alone offers every command, and its beginning chooses") {
  std::set<std::string> names;
  for (const Command* command : commands()) {
    names.insert(std::string(command->name));
    CHECK(offered({std::string(command->name)}).count(std::string(command->name)) == 1);
  }
  CHECK(offered({""}) == names);
  CHECK(offered({}) == names);
  CHECK(offered({"-v", ""}) == names);
  CHECK(offered({"-d", "3", "ev"}) == std::set<std::string>{"events"});
  CHECK(offered({"help", ""}) == names);
  CHECK(offered({"help", "dem"}) == std::set<std::string>{"demo"});
  CHECK(offered({"nothing"}).empty());
}

TEST_CASE("a dash offers every option of the command, with its explanation") {
  for (const Typed& beginning : beginnings()) {
    std::set<std::string> names;
    for (const auto& option : options_of(command_of(beginning)).options) {
      for (const std::string& name : option.all_names()) names.insert(name);
    }
    CHECK(names.size() > 2);
    CHECK(offered(with(beginning, {"-"})) == names);
    CHECK(offered(with(beginning, {"--ver"})).count("--verbose") == 1);
  }
  const auto names = complete({"capture", "--before"}).names;
  REQUIRE(names.size() == 1);
  CHECK(names[0].about == "record this long before COMMAND (default 10)");
}

// An argument that --help calls FILE completes files. One with a list of values offers the list.
TEST_CASE("every option offers its values, in a word of their own or after =") {
  std::size_t files = 0;
  std::size_t lists = 0;
  for (const Typed& beginning : beginnings()) {
    for (const auto& option : options_of(command_of(beginning)).options) {
      if (option.is_flag()) continue;
      INFO(option.names);
      const Completion apart = complete(with(beginning, {option.name(), ""}));
      const Completion joined = complete(with(beginning, {option.name() + "="}));
      CHECK(apart.kind == joined.kind);
      CHECK(option.value.starts_with("FILE") == (apart.kind == Kind::kFiles));
      if (apart.kind == Kind::kFiles) ++files;
      const std::set<std::string> known(option.take.names.begin(), option.take.names.end());
      if (apart.kind == Kind::kNames) CHECK(offered(with(beginning, {option.name(), ""})) == known);
      REQUIRE(joined.names.size() == known.size());
      for (const std::string& name : known) {
        CHECK(offered(with(beginning, {option.name() + "=" + name})).count(option.name() + "=" + name) == 1);
      }
      if (!known.empty()) ++lists;
    }
  }
  CHECK(files > 5);
  CHECK(lists > 20);
}

TEST_CASE("values of options") {
  CHECK(offered({"--probe", ""}) == std::set<std::string>{"auto", "fentry", "kprobe", "tracepoint"});
  CHECK(offered({"events", "--probe=k"}) == std::set<std::string>{"--probe=kprobe"});
  CHECK(offered({"report", "-o", "m"}) == std::set<std::string>{"markdown"});
  CHECK(offered({"-bg", "pe"}) == std::set<std::string>{"peer"});
  CHECK(offered({"-s", "created/"}) == std::set<std::string>{"created/s"});
  CHECK(offered({"-d", ""}).empty());
  CHECK(offered({"--batch="}).empty());
  CHECK(offered({"--nothing="}).empty());
  CHECK(complete({"capture", "-o", "x"}).kind == Kind::kFiles);
  CHECK(complete({"-o", ""}).kind == Kind::kNames);
}

TEST_CASE("arguments of commands are files where the help says so") {
  CHECK(complete({"report", ""}).kind == Kind::kFiles);
  CHECK(complete({"-v", "report", "tw"}).kind == Kind::kFiles);
  CHECK(complete({"diff", "--json", "a.db", ""}).kind == Kind::kFiles);
  CHECK(offered({"diff", "a.db", "b.db", ""}).count("--json") == 1);
  CHECK(offered({"completion", ""}) == std::set<std::string>{"bash", "fish", "zsh"});
  CHECK(offered({"mark", ""}).empty());
}

TEST_CASE("after -- the captured command is completed as such") {
  CHECK(complete({"capture", "--", ""}).kind == Kind::kCommand);
  CHECK(complete({"capture", "-o", "x.db", "--", "./deploy.sh", "-o"}).kind == Kind::kCommand);
  CHECK(offered({"capture", ""}).count("--before") == 1);
  CHECK(complete({"report", "--", ""}).kind == Kind::kFiles);
}

TEST_CASE("completion as lines") {
  CHECK(completion_text(complete({"report", ""})) == "files\n");
  CHECK(completion_text(complete({"capture", "--", ""})) == "command\n");
  CHECK(completion_text(complete({"nothing"})) == "names\n");
  CHECK(completion_text(complete({"mar"})) == "names\nmark\tname this moment of a running capture\n");
  CHECK(completion_text(complete({"--probe", "f"})) == "names\nfentry\t\n");
}
