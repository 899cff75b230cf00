// SPDX-License-Identifier: Apache-2.0
#include "view/row_filter.hpp"

#include "support/catch.hpp"
#include "support/snapshots.hpp"

using namespace twtrace;
using view::RowFilter;

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

TEST_CASE("a filter finds a service by its label, container and pod") {
  model::Row row = test::worker_row();
  row.service_label = "A/worker.service";
  row.service->container = "0123456789abcdef";
  row.service->pod = {"shop", "web-1", "7d1c-0"};
  model::Event event = test::event();
  event.service = *row.service;
  for (const char* text : {"service=web-1", "service=0123456789", "7d1c", "service=worker.service"}) {
    CHECK(RowFilter(text).accepts(row));
    CHECK(RowFilter(text).accepts(event));
  }
  CHECK(RowFilter("service=a/worker").accepts(row));
  CHECK_FALSE(RowFilter("service=shopweb").accepts(row));
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
