// SPDX-License-Identifier: Apache-2.0
#include "kernel/mountinfo.hpp"

#include "support/catch.hpp"

using namespace twtrace::kernel;

TEST_CASE("parse_mountinfo reads mounts with and without optional fields") {
  const auto mounts = parse_mountinfo(
      "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate\n"
      "42 25 0:4 net:[4026532281] /run/netns/a\\040b\\134c rw shared:1 master:2 - nsfs nsfs rw\n");
  REQUIRE(mounts.size() == 2);
  CHECK(mounts[0].root == "/");
  CHECK(mounts[0].mount_point == "/sys/fs/cgroup/unified");
  CHECK(mounts[0].fs_type == "cgroup2");
  CHECK(mounts[0].super_options == "rw,nsdelegate");
  CHECK(mounts[1].root == "net:[4026532281]");
  CHECK(mounts[1].mount_point == "/run/netns/a b\\c");
  CHECK(mounts[1].fs_type == "nsfs");
}

TEST_CASE("parse_mountinfo keeps what is no escape and skips malformed lines") {
  const auto mounts =
      parse_mountinfo("garbage\n\n1 2 3 / - \n1 2 0:1 / /x\\04 rw - tmpfs t rw\n1 2 0:1 / /y\\999z rw - t t rw");
  REQUIRE(mounts.size() == 2);
  CHECK(mounts[0].mount_point == "/x\\04");
  CHECK(mounts[1].mount_point == "/y\\999z");
}

TEST_CASE("has_option compares whole options") {
  CHECK(has_option("rw,xattr,name=systemd", "name=systemd"));
  CHECK_FALSE(has_option("rw,name=systemd2", "name=systemd"));
  CHECK_FALSE(has_option("", "rw"));
}
