// SPDX-License-Identifier: Apache-2.0
#include "view/filter.hpp"

#include "support/catch.hpp"
#include "support/entries.hpp"

using namespace twtrace::model;
using namespace twtrace::view;
using namespace twtrace::test;

namespace {

constexpr std::uint32_t kInum = 4026531840U;

bool accepts_service(const std::string& pattern, const twtrace::base::Service& service) {
  Filter filter;
  filter.service = pattern;
  Identity identity = worker(1);
  identity.service = service;
  return filter.accepts(identity, kInum);
}

bool accepts_comm(const std::string& pattern, const std::string& comm) {
  Filter filter;
  filter.comm = pattern;
  return filter.accepts(worker(1, comm), kInum);
}

}  // namespace

TEST_CASE("an empty filter accepts everything") {
  const Filter filter;
  CHECK(filter.empty());
  Random random(7);
  for (int i = 0; i < 100; ++i) CHECK(filter.accepts(random_identity(random), kInum));
}

TEST_CASE("each member of a filter makes it a filter") {
  CHECK_FALSE(filter_by(&Filter::pid, 1).empty());
  CHECK_FALSE(filter_by(&Filter::comm, "a").empty());
  CHECK_FALSE(filter_by(&Filter::service, "a").empty());
  CHECK_FALSE(filter_by(&Filter::netns, 1).empty());
  CHECK_FALSE(filter_by(&Filter::only_ipv4, true).empty());
  CHECK_FALSE(filter_by(&Filter::only_ipv6, true).empty());
  CHECK_FALSE(filter_by(&Filter::only_matched, true).empty());
}

TEST_CASE("a pid filter does not take a row without a pid") {
  const Filter filter = filter_by(&Filter::pid, 812);
  CHECK(filter.accepts(worker(812), kInum));
  CHECK_FALSE(filter.accepts(worker(813), kInum));
  CHECK_FALSE(filter.accepts(folded(worker(812)), kInum));
}

TEST_CASE("a process name is a shell pattern for the whole name") {
  CHECK(accepts_comm("nginx", "nginx"));
  CHECK_FALSE(accepts_comm("nginx", "nginx2"));
  CHECK_FALSE(accepts_comm("ngin", "nginx"));
  CHECK(accepts_comm("ngin*", "nginx"));
  CHECK(accepts_comm("php-fpm?.[12]", "php-fpm8.2"));
  CHECK_FALSE(accepts_comm("php-fpm?.[12]", "php-fpm8.3"));
  CHECK(accepts_comm("kworker*", "kworker/0:1"));  // a slash is nothing special
}

TEST_CASE("a service matches by name, without its unit suffix, and by container id") {
  const auto nginx = systemd("nginx.service");
  CHECK(accepts_service("nginx.service", nginx));
  CHECK(accepts_service("nginx", nginx));
  CHECK(accepts_service("ng*", nginx));
  CHECK_FALSE(accepts_service("ngin", nginx));
  CHECK_FALSE(accepts_service("service", nginx));
  CHECK_FALSE(accepts_service("", nginx));  // an empty pattern is no wildcard, and no container is not an empty one
  CHECK(accepts_service("php8.2-fpm", systemd("php8.2-fpm.service")));
  const twtrace::base::Service docker{"docker", "0123456789ab", "/docker/x", {}, "0123456789abcdef0123456789abcdef"};
  CHECK(accepts_service("0123456789ab", docker));
  CHECK(accepts_service("0123456789abcdef*", docker));
  CHECK_FALSE(accepts_service("abcdef", docker));
  const twtrace::base::Service path{"cgroup", "/custom.d/app.d", "/custom.d/app.d", {}, {}};
  CHECK(accepts_service("/custom*", path));
  CHECK_FALSE(accepts_service("/custom.d/app", path));  // only units have a suffix to leave out
  CHECK_FALSE(accepts_service("x*", twtrace::base::Service{}));
}

TEST_CASE("namespace, family and port filters") {
  const Filter netns = filter_by(&Filter::netns, kInum);
  CHECK(netns.accepts(worker(1), kInum));
  CHECK_FALSE(netns.accepts(worker(1), kInum + 1));
  Identity identity = worker(1);
  CHECK(filter_by(&Filter::only_ipv4, true).accepts(identity, kInum));
  CHECK_FALSE(filter_by(&Filter::only_ipv6, true).accepts(identity, kInum));
  identity.ipv6 = true;
  CHECK_FALSE(filter_by(&Filter::only_ipv4, true).accepts(identity, kInum));
  CHECK(filter_by(&Filter::only_ipv6, true).accepts(identity, kInum));
  CHECK(filter_by(&Filter::only_matched, true).accepts(identity, kInum));
  identity.matched = false;
  CHECK_FALSE(filter_by(&Filter::only_matched, true).accepts(identity, kInum));
}

TEST_CASE("all members of a filter must match") {
  Filter filter;
  filter.pid = 812;
  filter.comm = filter.service = "worker";
  CHECK(filter.accepts(worker(812), kInum));
  CHECK_FALSE(filter.accepts(worker(812, "other"), kInum));
  CHECK_FALSE(filter.accepts(worker(813), kInum));
}
