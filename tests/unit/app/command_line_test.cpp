// SPDX-License-Identifier: Apache-2.0
// The declarations of the commands. Nothing runs.
#include "app/command_line.hpp"

#include <algorithm>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "app/commands.hpp"
#include "support/catch.hpp"

using namespace twtrace;
using namespace twtrace::app;

namespace {

using Typed = std::vector<std::string>;

/// The error message for these arguments.
std::string told(const Typed& typed) {
  const auto request = parse_command_line(typed);
  REQUIRE_FALSE(request);
  CHECK(request.error().code == base::ErrorCode::kUsage);
  return request.error().what + "; " + request.error().hint;
}

bool accepted(const Typed& typed) { return parse_command_line(typed).has_value(); }

}  // namespace

TEST_CASE("commands have names and explanations of their own") {
  std::set<std::string_view> names;
  for (const Command* command : commands()) {
    INFO(command->name);
    CHECK(names.insert(command->name).second);
    CHECK(command_named(command->name) == command);
    CHECK(command->about.size() > 10);
  }
  CHECK(commands().front()->name == "top");
}

TEST_CASE("help fits 80 columns and has no two options of one name") {
  std::vector<const Command*> all(commands().begin(), commands().end());
  all.push_back(nullptr);
  for (const Command* command : all) {
    std::istringstream help(help_text(command));
    std::multiset<std::string> options;
    for (std::string line; std::getline(help, line);) {
      INFO(line);
      CHECK(line.size() < 80);
      std::istringstream words(line);
      std::string first;
      std::string second;
      words >> first >> second;
      if (first.rfind('-', 0) == 0) options.insert(first);
      if (first.size() == 3 && second.rfind("--", 0) == 0) options.insert(second);
    }
    CHECK(options.count("--help") == 1);
    for (const std::string& option : options) CHECK(options.count(option) == 1);
  }
}

TEST_CASE("the help of --netns offers ids for captures, and paths and self for this host") {
  const std::set<std::string_view> of_captures = {"report", "diff", "replay"};
  int found = 0;
  for (const Command* command : commands()) {
    INFO(command->name);
    std::istringstream help(help_text(command));
    for (std::string line; std::getline(help, line);) {
      if (line.find("--netns WHICH") == std::string::npos || line.find("--metrics") != std::string::npos) continue;
      const bool of_capture = of_captures.count(command->name) == 1;
      CHECK((line.find("id:N") != std::string::npos) == of_capture);
      CHECK((line.find("self") != std::string::npos) != of_capture);
      CHECK((line.find("path") != std::string::npos) != of_capture);
      ++found;
    }
  }
  CHECK(found == 7);
}

TEST_CASE("help needs nothing else to be right") {
  for (const Command* command : commands()) {
    INFO(command->name);
    CHECK(accepted({std::string(command->name), "-h"}));
    CHECK(accepted({"--help", std::string(command->name)}));
    CHECK(accepted({std::string(command->name), "--help", "a", "b", "c"}));
  }
  CHECK(accepted({"-h"}));
  CHECK(accepted({"-4", "-6", "--version"}));
}

TEST_CASE("a command takes its own options only") {
  CHECK(told({"doctor", "-g", "peer", "-n", "3"}) ==
        "twtrace doctor does not take -g; top, replay, demo do; twtrace doctor --help lists its options");
  CHECK(told({"events", "--before=3"}) ==
        "twtrace events does not take --before; capture does; twtrace events --help lists its options");
  CHECK(told({"-t"}) == "twtrace does not take -t; events does; twtrace --help lists its options");
  CHECK(accepted({"events", "-t", "-p", "1", "-L", "80", "--json"}));
  CHECK(accepted({"-b", "-g", "pid", "-n", "3", "0.5", "9"}));
}

TEST_CASE("options may stand before the name of a command that takes them") {
  CHECK(accepted({"-v", "events"}));
  CHECK(accepted({"--json", "--comm", "top", "events", "-t"}));
  CHECK(accepted({"-vv", "capture", "--", "events", "-Z", "--comm="}));
  CHECK(parse_command_line({"-v", "events", "-v"})->verbosity == 2);
  CHECK(told({"-b", "events"}).rfind("twtrace events does not take -b; ", 0) == 0);
  CHECK(told({"-d", "1", "mark", "x"}).rfind("twtrace mark does not take -d; ", 0) == 0);
}

TEST_CASE("mistyped words get the one that was meant") {
  CHECK(told({"evnets"}) == "unknown command \"evnets\"; did you mean \"events\"? twtrace help lists the commands");
  CHECK(
      told({"capure", "--before", "5", "--", "x"}).rfind("unknown command \"capure\"; did you mean \"capture\"?", 0) ==
      0);
  CHECK(told({"-b", "evnets"}).rfind("unknown command \"evnets\"", 0) == 0);
  CHECK(told({"--grup", "pid"}) ==
        "unknown option \"--grup\"; did you mean \"--group\"? twtrace --help lists its options");
  CHECK(told({"events", "--servic=x"}).find("did you mean \"--service\"?") != std::string::npos);
  CHECK(told({"-Z"}) == "unknown option \"-Z\"; twtrace --help lists its options");
  CHECK(told({"-g", "ports"}).find("did you mean \"port\"?") != std::string::npos);
  CHECK(told({"-s", "overflw"}) ==
        "--sort: unknown column \"overflw\"; did you mean \"overflow\"? twtrace -s help lists the columns");
  CHECK(accepted({"-s", "felt"}));
  CHECK(told({"-s", "no_mem"}) == "--sort: rows cannot be sorted by \"no_mem\"; twtrace -s help lists the columns");
  CHECK(told({"-g", "service", "-s", "pid"})
            .starts_with("-s pid cannot be combined with -g service; these rows have "
                         "no such column; sort by created/s, overflow/s, "));
  CHECK(told({"-s", "port", "-g", "netns"}).find("-s port cannot be combined with -g netns") == 0);
  CHECK(accepted({"-g", "peer", "-s", "port"}));
  CHECK(told({"report", "-o", "htlm"}).find("did you mean \"html\"?") != std::string::npos);
  CHECK(told({""}) == "unknown command \"\"; twtrace help lists the commands");
}

TEST_CASE("capture without -- is told what to type") {
  CHECK(told({"capture", "-o", "x.db", "./x.sh", "--fast", "-o", "y"}) ==
        "unexpected argument \"./x.sh\"; to run it, type: twtrace capture -o x.db -- ./x.sh --fast -o y");
  CHECK(accepted({"capture", "-o", "x.db", "--", "./x.sh", "--fast", "-o", "y"}));
}

TEST_CASE("completion takes a shell or the words to complete") {
  CHECK(accepted({"completion", "bash"}));
  CHECK(accepted({"completion", "--", "capture", "--", ""}));
  CHECK(told({"completion"}) == "SHELL is missing; type twtrace completion bash, zsh or fish");
  CHECK(told({"completion", "bash", "--", "x"}) == "SHELL and words to complete are given; give only one of them");
  CHECK(told({"completion", "bsh"}).find("did you mean \"bash\"?") != std::string::npos);
}

TEST_CASE("every option that takes a value refuses an empty or blank one") {
  int tried = 0;
  for (const Command* command : commands()) {
    std::istringstream help(help_text(command));
    for (std::string line; std::getline(help, line);) {
      const std::size_t dashes = line.find("--");
      if (line.rfind("  -", 0) != 0 && line.rfind("      --", 0) != 0) continue;
      if (dashes == std::string::npos || dashes > 6) continue;
      const std::string about = line.substr(dashes);
      const std::string name = about.substr(0, about.find(' '));
      if (about == name || about[name.size() + 1] == ' ') continue;  // a flag
      INFO(command->name << ' ' << name);
      CHECK(told({std::string(command->name), name, ""}).rfind(name + ": the value is empty; give ", 0) == 0);
      CHECK(told({std::string(command->name), name + "="}).rfind(name + ": the value is empty; give ", 0) == 0);
      CHECK(told({std::string(command->name), name, " "}).rfind(name + ": the value is blank; give ", 0) == 0);
      ++tried;
    }
    const bool takes_words = command->name != "capture" && command->name != "doctor" && command->name != "events" &&
                             command->name != "export";
    if (!takes_words) continue;
    CHECK(told({std::string(command->name), ""}).find(" is empty; ") != std::string::npos);
    CHECK(told({std::string(command->name), " "}).find(" is blank; ") != std::string::npos);
  }
  CHECK(tried > 50);
}

TEST_CASE("a name that begins or ends with a blank is refused before anything starts") {
  const auto refused = [](const std::string& command, const std::string& option, const std::string& name) {
    INFO(command << ' ' << option << ' ' << name);
    CHECK(told({command, option, name}).rfind(option + ": \"", 0) == 0);
    CHECK(told({command, option, name}).find(" with a blank; leave the blank out") != std::string::npos);
  };
  for (const char* name : {"nginx ", " nginx", "nginx\n", "nginx\r", "\tnginx"}) {
    for (const char* command : {"top", "events", "replay", "report", "capture", "diff"}) {
      for (const char* option : {"--service", "--comm", "--netns"}) refused(command, option, name);
    }
    refused("capture", "--journal", name);
    refused("capture", "--log", std::string("/nonexistent/") + name + " =error");
    CHECK(told({"report", "--fail-if", "overflow{service=\"" + std::string(name) + "\"}>0"}).find("with a blank") !=
          std::string::npos);
  }
  CHECK(accepted({"report", "--service", "my worker"}));
}
