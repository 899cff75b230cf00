// SPDX-License-Identifier: Apache-2.0
#include "phrases/doctor_warnings.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string>

#include "support/catch.hpp"

using namespace twtrace;
using model::DoctorNetns;

namespace {

/// A host with nothing to complain about.
DoctorNetns host() {
  DoctorNetns netns;
  netns.netns = 4026531840;
  netns.name = "host";
  netns.host = true;
  netns.pid = 1;
  netns.path = "/proc/1/ns/net";
  netns.limit = 131072;
  netns.in_use = 0;
  netns.overflow = 0;
  netns.fin_timeout_s = 60;
  netns.tw_reuse = 2;
  netns.default_limit = 131072;
  return netns;
}

DoctorNetns container() {
  DoctorNetns netns = host();
  netns.netns = 4026532281;
  netns.name = "";
  netns.host = false;
  netns.pid = 812;
  netns.path = "/proc/812/ns/net";
  return netns;
}

std::vector<std::string> ids(const std::vector<DoctorNetns>& namespaces) {
  std::vector<std::string> found;
  for (const auto& warning : phrases::doctor_warnings(namespaces)) found.push_back(warning.id);
  return found;
}

std::string change(const DoctorNetns& netns, const std::string& id) {
  for (const auto& warning : phrases::doctor_warnings({netns})) {
    if (warning.id == id) return warning.change;
  }
  return "";
}

bool has(const std::string& whole, const std::string& part) { return whole.find(part) != std::string::npos; }

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("a kernel's own settings give no warning, and neither does what cannot be read") {
  CHECK(ids({host(), container()}).empty());
  DoctorNetns unknown;
  unknown.netns = 7;
  CHECK(ids({unknown}).empty());
  CHECK(ids({}).empty());
}

TEST_CASE("one refused bucket is enough for a warning") {
  DoctorNetns netns = host();
  netns.overflow = 1;
  CHECK(ids({netns}) == Ids{"overflow-seen"});
  CHECK(has(change(netns, "overflow-seen"), "sysctl -w net.ipv4.tcp_max_tw_buckets=262144 "));
  netns.limit.reset();  // unknown: only the kernel's default can be advised
  CHECK(has(change(netns, "overflow-seen"), "tcp_max_tw_buckets=131072 "));
}

TEST_CASE("nearly full means more than 80%") {
  DoctorNetns netns = host();
  netns.limit = netns.default_limit = 20000;
  netns.in_use = 16000;
  CHECK(ids({netns}).empty());
  netns.in_use = 16001;
  CHECK(ids({netns}) == Ids{"table-nearly-full"});
  CHECK(has(phrases::doctor_warnings({netns})[0].text, "80% full (16,001 of 20,000)"));
  netns.limit = netns.default_limit = 0;  // a table without room is too small, not full
  CHECK(ids({netns}) == Ids{"limit-low"});
}

TEST_CASE("a limit below the kernel's default, or low in itself") {
  DoctorNetns netns = host();
  netns.limit = 131071;
  CHECK(ids({netns}) == Ids{"limit-below-default"});
  CHECK(has(change(netns, "limit-below-default"), "tcp_max_tw_buckets=131072 "));
  netns.default_limit.reset();  // before 6.1
  CHECK(ids({netns}).empty());
  netns.limit = 16384;
  CHECK(ids({netns}).empty());
  netns.limit = 16383;
  CHECK(ids({netns}) == Ids{"limit-low"});
  CHECK(has(change(netns, "limit-low"), "tcp_max_tw_buckets=65536 "));
  netns.default_limit = 8192;  // a small machine: its default is low too
  CHECK(ids({netns}) == Ids{"limit-low"});
  CHECK(has(change(netns, "limit-low"), "tcp_max_tw_buckets=16384 "));
  netns.limit = 5000;
  CHECK(ids({netns}) == Ids{"limit-below-default"});
  CHECK(has(phrases::doctor_warnings({netns})[0].text, "83.3 closed connections per second fill it"));
  netns.limit = 0;
  CHECK(phrases::doctor_warnings({netns})[0].text.ends_with("of 8,192; no bucket ever gets a place"));
}

TEST_CASE("tcp_fin_timeout below its default is no help against TIME_WAIT") {
  DoctorNetns netns = host();
  netns.fin_timeout_s = 59;
  CHECK(ids({netns}) == Ids{"fin-timeout-lowered"});
  CHECK(has(phrases::doctor_warnings({netns})[0].text, "this shortens only FIN_WAIT2"));
  CHECK(has(change(netns, "fin-timeout-lowered"), "tcp_fin_timeout=60"));
  netns.fin_timeout_s = 61;
  CHECK(ids({netns}).empty());
}

TEST_CASE("tcp_tw_reuse switched off") {
  DoctorNetns netns = host();
  netns.tw_reuse = 0;
  CHECK(ids({netns}) == Ids{"tw-reuse-off"});
  CHECK(has(change(netns, "tw-reuse-off"), "tcp_tw_reuse=2"));
  netns.tw_reuse = 1;
  CHECK(ids({netns}).empty());
}

TEST_CASE("tcp_timestamps switched off") {
  DoctorNetns netns = host();
  netns.timestamps = 0;
  CHECK(ids({netns}) == Ids{"timestamps-off"});
  CHECK(has(phrases::doctor_warnings({netns})[0].text, "whatever tcp_tw_reuse is"));
  CHECK(has(change(netns, "timestamps-off"), "tcp_timestamps=1"));
  for (const std::uint64_t on : {1U, 2U}) {
    netns.timestamps = on;
    CHECK(ids({netns}).empty());
  }
  netns.timestamps.reset();
  CHECK(ids({netns}).empty());
}

TEST_CASE("a limit that differs from the host's: the lower side is the one to raise") {
  DoctorNetns other = container();
  other.limit = 131071;
  other.default_limit.reset();
  auto warnings = phrases::doctor_warnings({host(), other});
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].id == "limit-not-inherited");
  CHECK_FALSE(warnings[0].netns);
  CHECK(has(warnings[0].text, "4026532281 131,071"));
  CHECK(has(warnings[0].change, "nsenter --net=/proc/812/ns/net sysctl -w net.ipv4.tcp_max_tw_buckets=131072 "));

  other.limit = 262144;
  warnings = phrases::doctor_warnings({host(), other});
  REQUIRE(warnings.size() == 1);
  CHECK(has(warnings[0].change, "matters: sysctl -w net.ipv4.tcp_max_tw_buckets=262144 "));

  std::vector<DoctorNetns> many = {host(), other, other, other, other, other};
  CHECK(has(phrases::doctor_warnings(many).back().text, "262,144, 2 more; "));
  CHECK(ids({other}).empty());  // the host is not among them, so there is nothing to compare with
}

TEST_CASE("all warnings about the limit of a namespace advise the same one") {
  DoctorNetns other = container();
  for (const std::uint64_t limit : {500U, 4096U, 100'000U, 131'000U}) {
    for (const std::uint64_t in_use : {0U, 490U, 4000U, 99'000U}) {
      for (const std::uint64_t overflow : {0U, 7U}) {
        for (const std::optional<std::uint64_t> default_limit : {std::optional<std::uint64_t>(65536), {}}) {
          other.limit = limit;
          other.in_use = in_use;
          other.overflow = overflow;
          other.default_limit = default_limit;
          INFO(limit << ", in use " << in_use << ", refused " << overflow);
          std::set<std::string> advised;
          const auto warnings = phrases::doctor_warnings({host(), other});
          CHECK(warnings.back().id == "limit-not-inherited");
          for (const auto& warning : warnings) {
            const std::size_t at = warning.change.find("tcp_max_tw_buckets=");
            REQUIRE(at != std::string::npos);
            advised.insert(warning.change.substr(at, warning.change.find(' ', at) - at));
          }
          CHECK(advised.size() == 1);
        }
      }
    }
  }
}

TEST_CASE("no warning ever advises a lower limit or tcp_tw_recycle") {
  DoctorNetns bad = container();
  bad.limit = 2'000'000'000;
  bad.in_use = 1'999'999'999;
  bad.overflow = 5;
  bad.fin_timeout_s = 1;
  bad.tw_reuse = 0;
  const auto warnings = phrases::doctor_warnings({host(), bad});
  CHECK(warnings.size() == 5);
  for (const auto& warning : warnings) {
    CHECK_FALSE(has(warning.text + warning.change, "recycle"));
    const auto at = warning.change.find("tcp_max_tw_buckets=");
    if (at != std::string::npos) CHECK(std::stoull(warning.change.substr(at + 19)) >= 2'000'000'000);
  }
  CHECK(has(change(bad, "overflow-seen"), "tcp_max_tw_buckets=2147483647 "));  // the kernel's maximum
}

TEST_CASE("a namespace without a process is named by its file, quoted for the shell") {
  DoctorNetns netns = container();
  netns.pid.reset();
  netns.tw_reuse = 0;
  netns.path = "/run/netns/blue-1";
  CHECK(has(change(netns, "tw-reuse-off"), "nsenter --net=/run/netns/blue-1 sysctl -w "));
  netns.path = "/run/netns/a'; rm -rf b";
  CHECK(has(change(netns, "tw-reuse-off"), "nsenter --net='/run/netns/a'\\''; rm -rf b' sysctl -w "));
}
