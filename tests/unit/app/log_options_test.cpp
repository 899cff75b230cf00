// SPDX-License-Identifier: Apache-2.0
#include "app/log_options.hpp"

#include <algorithm>
#include <vector>

#include "logs/pattern.hpp"
#include "support/catch.hpp"

using namespace twtrace;
using namespace twtrace::app;

namespace {

/// "NAME pattern PATTERN", or why not, where these files exist.
std::string parsed(const std::string& typed, const std::vector<std::string>& files = {}) {
  const auto is_there = [&](const std::string& name) { return std::count(files.begin(), files.end(), name) > 0; };
  const auto log = parse_log(model::Log::Kind::kFile, typed, is_there);
  if (!log) return log.error().what;
  return log->name + " pattern " + (log->pattern == logs::kDefaultPattern ? "default" : log->pattern);
}

}  // namespace

TEST_CASE("a log is a name, with or without a pattern") {
  CHECK(parsed("app.log") == "app.log pattern default");
  CHECK(parsed("app.log=a=b") == "app.log pattern a=b");
  CHECK(parsed("app.log=a=b", {"app.log"}) == "app.log pattern a=b");
  CHECK(parsed("a=b.log", {"a=b.log"}) == "a=b.log pattern default");
  CHECK(parsed("a=b.log=x=y", {"a=b.log"}) == "a=b.log pattern x=y");
  CHECK(parsed("a=b.log=x", {"a", "a=b.log"}) == "a=b.log pattern x");
  CHECK(parsed("a=b.log") == "a pattern b.log");
  CHECK(parsed("app.log=").find("no pattern follows app.log=") == 0);
  CHECK(parsed("=x").find("no name") != std::string::npos);
  CHECK(parsed("app.log =x") == "\"app.log \" ends with a blank");
  CHECK(parsed("app.log =x", {"app.log "}) == "app.log  pattern x");
  CHECK(parsed("app.log=(").find("cannot be used") != std::string::npos);
  CHECK(parsed(std::string(model::kLongestLogName, 'x')).find("x pattern default") != std::string::npos);
  CHECK(parsed(std::string(model::kLongestLogName + 1, 'x') + "=x") == "a name of 4097 bytes is too long");
}
