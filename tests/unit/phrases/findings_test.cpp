// SPDX-License-Identifier: Apache-2.0
#include "phrases/findings.hpp"

#include "support/catch.hpp"
#include "support/snapshots.hpp"

using namespace twtrace;

TEST_CASE("findings say who was hurt, and what a row's rate means for its table") {
  model::Row row = test::worker_row();
  const model::Snapshot snapshot = test::snapshot();
  auto findings = phrases::row_findings(row, &snapshot.namespaces[0], {});
  REQUIRE(findings.size() == 3);
  CHECK(findings[0].text.find("3 refused at the FIN_WAIT2 stage") == 0);
  CHECK(findings[0].alarming);
  CHECK(findings[1].text.find("1,201 refused at the TIME_WAIT stage") == 0);
  CHECK(findings[2].text == "this rate alone needs 67,464 of the 5,000 places: it connects for every request");
  CHECK(findings[2].remedy.find("keep-alive") != std::string::npos);
  row.role = model::Role::kServer;
  CHECK(phrases::row_findings(row, &snapshot.namespaces[0], {})[2].text.find("closes first") != std::string::npos);

  model::Row peer;
  peer.peer = model::Peer{"10.0.0.2", std::uint16_t{6379}};
  peer.use = model::Use{15000, 28232};
  row = model::Row{};
  findings = phrases::row_findings(row, nullptr, {peer});
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].text.find("53% of the local ports towards 10.0.0.2 port 6379") == 0);
  peer.use->taken = 100;
  CHECK(phrases::row_findings(row, nullptr, {peer}).empty());
}
