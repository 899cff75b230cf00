// SPDX-License-Identifier: Apache-2.0
// Runs the queries of docs/capture.md with plain SQLite.
#include <fstream>
#include <iterator>

#include "support/catch.hpp"
#include "world.hpp"

using namespace twtrace;
using namespace twtrace::test;

namespace {

std::string documentation() {
  std::ifstream file(std::string(TWTRACE_DOCS) + "/capture.md");
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The texts between "```sql" and "```".
std::vector<std::string> documented_queries() {
  const std::string text = documentation();
  std::vector<std::string> queries;
  const std::string fence = "```sql\n";
  for (std::size_t at = text.find(fence); at != std::string::npos; at = text.find(fence, at)) {
    at += fence.size();
    queries.push_back(text.substr(at, text.find("```", at) - at));
  }
  return queries;
}

}  // namespace

TEST_CASE("every version of the schema is documented", "[capture]") {
  const std::string text = documentation();
  CHECK(text.find("`PRAGMA user_version` is the version of the tables (" + std::to_string(capture::kSchemaVersion) +
                  ")") != std::string::npos);
  for (int version = 2; version <= capture::kSchemaVersion; ++version) {
    INFO(version);
    CHECK(text.find("\n| " + std::to_string(version) + " | ") != std::string::npos);
  }
}

TEST_CASE("every documented query runs and finds something", "[capture]") {
  Captured captured(2);
  captured.add(23);
  REQUIRE(captured.writer->add_mark({World::kStart + 5000, "deploy"}));
  captured.finish();
  run_sql(
      captured.path,
      "INSERT INTO log VALUES(1,'file','app.log','refused',0,0,''); INSERT INTO log_line VALUES(1,5,1,7,1,'refused')");
  const auto queries = documented_queries();
  REQUIRE(queries.size() == 7);
  for (const std::string& sql : queries) {
    INFO(sql);
    const auto rows = query(captured.path, sql);
    CHECK_FALSE(rows.empty());
    for (const std::string& row : rows) CHECK(row.find_first_not_of('|') != std::string::npos);
  }
}

TEST_CASE("the documented sums are those of the model", "[capture]") {
  Captured captured(2);
  std::uint64_t attributed = 0;
  for (int i = 0; i < 23; ++i) {
    captured.world.sample([&](const model::Snapshot& head, const model::Source& source) {
      REQUIRE(captured.writer->append(head, source));
      attributed = head.totals.created() - head.unattributed.created();
    });
  }
  captured.finish();
  std::string top = documented_queries().at(0);
  top = "SELECT sum(created) FROM (" + top.substr(0, top.find(" LIMIT")) + ")";
  CHECK(query(captured.path, top) == std::vector<std::string>{std::to_string(attributed)});
}
