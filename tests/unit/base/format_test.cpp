// SPDX-License-Identifier: Apache-2.0
#include "base/format.hpp"

#include <cmath>
#include <cstdint>
#include <limits>

#include "support/catch.hpp"

using namespace twtrace::base;

TEST_CASE("human_count truncates and stays within five columns") {
  CHECK(human_count(0) == "0");
  CHECK(human_count(999) == "999");
  CHECK(human_count(1000) == "1.0k");
  CHECK(human_count(1299) == "1.2k");
  CHECK(human_count(34567) == "34.5k");
  CHECK(human_count(345678) == "345k");
  CHECK(human_count(999999) == "999k");
  CHECK(human_count(1200000) == "1.2M");
  CHECK(human_count(std::numeric_limits<std::uint64_t>::max()) == "18.4E");
  for (std::uint64_t count = 1; count < std::numeric_limits<std::uint64_t>::max() / 3; count = count * 3 + 1) {
    CHECK(human_count(count).size() <= 5);
  }
}

TEST_CASE("grouped separates thousands") {
  CHECK(grouped(0) == "0");
  CHECK(grouped(999) == "999");
  CHECK(grouped(4998) == "4,998");
  CHECK(grouped(131072) == "131,072");
  CHECK(grouped(std::numeric_limits<std::uint64_t>::max()) == "18,446,744,073,709,551,615");
}

TEST_CASE("rate keeps what matters and stays within five columns") {
  CHECK(rate(0) == "0");
  CHECK(rate(0.01) == "<0.1");
  CHECK(rate(0.4) == "0.4");
  CHECK(rate(34.52) == "34.5");
  CHECK(rate(99.94) == "99.9");
  CHECK(rate(99.96) == "100");
  CHECK(rate(811.6) == "812");
  CHECK(rate(1250) == "1.2k");
  CHECK(rate(-1) == "-");
  CHECK(rate(std::nan("")) == "-");
  CHECK(rate(std::numeric_limits<double>::infinity()).size() <= 5);
}

TEST_CASE("duration shows the two leading units") {
  CHECK(duration(0) == "0.0s");
  CHECK(duration(0.52) == "0.5s");
  CHECK(duration(59.9) == "59.9s");
  CHECK(duration(59.97) == "1m00s");
  CHECK(duration(185) == "3m05s");
  CHECK(duration(7500) == "2h05m");
  CHECK(duration(3 * 86400 + 4 * 3600) == "3d04h");
  CHECK(duration(-1) == "-");
  CHECK(duration(std::numeric_limits<double>::infinity()) == "-");
  CHECK(duration(1e300) != "-");
}

TEST_CASE("bytes uses binary steps") {
  CHECK(bytes(0) == "0B");
  CHECK(bytes(1023) == "1023B");
  CHECK(bytes(1536) == "1.5KiB");
  CHECK(bytes(25480396) == "24.2MiB");
  CHECK(bytes(std::numeric_limits<std::uint64_t>::max()) == "15.9EiB");
}

TEST_CASE("iso8601_ms is UTC and total") {
  CHECK(iso8601_ms(0) == "1970-01-01T00:00:00.000Z");
  CHECK(iso8601_ms(1767323045678) == "2026-01-02T03:04:05.678Z");
  CHECK(iso8601_ms(1709251199999) == "2024-02-29T23:59:59.999Z");
  CHECK(iso8601_ms(-1) == "1969-12-31T23:59:59.999Z");
  CHECK(iso8601_ms(std::numeric_limits<std::int64_t>::max()) == "9999-12-31T23:59:59.999Z");
  CHECK(iso8601_ms(std::numeric_limits<std::int64_t>::min()) == "0000-01-01T00:00:00.000Z");
}
