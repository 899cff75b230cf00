// SPDX-License-Identifier: Apache-2.0
#include "model/row_filter.hpp"

#include <catch2/catch.hpp>

#include "model/row_findings.hpp"
#include "support/snapshots.hpp"

using namespace twtrace;
using model::RowFilter;

TEST_CASE("a filter finds words in rows and events") {
  const model::Row row = test::worker_row();
  const model::Event event = test::event();
  for (const char* text : {"",
                           " ",
                           "redis",
                           "REDIS",
                           "worker.service",
                           "6379",
                           "client",
                           "host",
                           "4026531840",
                           "comm=redis",
                           "service=work",
                           "port=6379",
                           "role=client",
                           "role=c",
                           "netns=host",
                           "netns=4026531840",
                           "redis role=client port=6379",
                           "pid=812",
                           "pid=",
                           "port="}) {
    INFO(text);
    CHECK(RowFilter(text).accepts(row));
    CHECK(RowFilter(text).accepts(event));
  }
  for (const char* text : {"nginx", "comm=worker.service", "port=637", "role=server", "role=lient", "netns=web",
                           "redis nginx", "port=x"}) {
    INFO(text);
    CHECK_FALSE(RowFilter(text).accepts(row));
    CHECK_FALSE(RowFilter(text).accepts(event));
  }
  CHECK(RowFilter("10.0.0.2").accepts(event));
  CHECK(RowFilter("overflow").accepts(event));
  CHECK_FALSE(RowFilter("pid=813").accepts(event));
}

TEST_CASE("a pid is for whoever builds the rows") {
  CHECK(RowFilter("pid=812 redis").pid() == 812U);
  CHECK_FALSE(RowFilter("pid=").pid());
  CHECK_FALSE(RowFilter("812").pid());
  CHECK_FALSE(RowFilter("pid=99999999999").pid());
  CHECK_FALSE(RowFilter("pid=99999999999").accepts(test::worker_row()));
  CHECK(RowFilter("  ").empty());
}

TEST_CASE("every pid that is asked for has to be the one, in rows as in events") {
  for (const char* text : {"pid=812 pid=813", "pid=813 pid=812", "pid=812 pid=x", "pid=x pid=812", "pid=0812"}) {
    INFO(text);
    CHECK_FALSE(RowFilter(text).accepts(test::worker_row()));
    CHECK_FALSE(RowFilter(text).accepts(test::event()));
  }
  CHECK(RowFilter("pid=812 pid=812 pid=").accepts(test::worker_row()));
}

TEST_CASE("remainder rows are found by the name they are shown with") {
  model::Row other;
  other.kind = model::RowKind::kOther;
  CHECK(RowFilter("other").accepts(other));
  CHECK_FALSE(RowFilter("unattributed").accepts(other));
}

TEST_CASE("findings say who was hurt, and what a row's rate means for its table") {
  model::Row row = test::worker_row();
  const model::Snapshot snapshot = test::snapshot();
  auto findings = model::row_findings(row, &snapshot.namespaces[0], {});
  REQUIRE(findings.size() == 3);
  CHECK(findings[0].text.find("3 refused at the FIN_WAIT2 stage") == 0);
  CHECK(findings[0].alarming);
  CHECK(findings[1].text.find("1,201 refused at the TIME_WAIT stage") == 0);
  CHECK(findings[2].text == "this rate alone needs 67,464 of the 5,000 places: it connects for every request");
  CHECK(findings[2].remedy.find("keep-alive") != std::string::npos);
  row.role = model::Role::kServer;
  CHECK(model::row_findings(row, &snapshot.namespaces[0], {})[2].text.find("closes first") != std::string::npos);

  model::Row peer;
  peer.peer = model::Peer{"10.0.0.2", std::uint16_t{6379}};
  peer.use = model::Use{15000, 28232};
  row = model::Row{};
  findings = model::row_findings(row, nullptr, {peer});
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].text.find("53% of the local ports towards 10.0.0.2 port 6379") == 0);
  peer.use->taken = 100;
  CHECK(model::row_findings(row, nullptr, {peer}).empty());
}
