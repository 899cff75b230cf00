// SPDX-License-Identifier: Apache-2.0
// Against a socket of our own in the place of systemd's.
#include "export/service_manager.hpp"

#include <unistd.h>

#include <string>

#include "support/catch.hpp"
#include "support/notify_socket.hpp"
#include "unit/kernel/temp_tree.hpp"

using namespace twtrace;
using exporter::ServiceManager;
using test::NotifySocket;

namespace {

ServiceManager connected(const std::string& name) {
  auto manager = ServiceManager::connect(name.c_str());
  REQUIRE(manager);
  REQUIRE(manager->listens());
  return std::move(*manager);
}

}  // namespace

TEST_CASE("a service manager is told once what changes") {
  const kernel::TempTree tree;
  const NotifySocket systemd(tree / "notify");
  ServiceManager manager = connected(tree / "notify");
  manager.status("loading");
  CHECK(systemd.next() == "STATUS=loading\n");
  manager.ready();
  CHECK(systemd.next() == "READY=1\n");
  manager.status("loading");
  CHECK(systemd.next().empty());
  manager.status("no table is full");
  CHECK(systemd.next() == "STATUS=no table is full\n");
  manager.stopping("stopped");
  CHECK(systemd.next() == "STOPPING=1\nSTATUS=stopped\n");
  CHECK(systemd.next().empty());
}

TEST_CASE("a socket in the abstract namespace") {
  const std::string name = "@twtrace-unit-" + std::to_string(::getpid());
  const NotifySocket systemd(name);
  connected(name).ready();
  CHECK(systemd.next() == "READY=1\n");
}

TEST_CASE("a status is one line of UTF-8 that systemd reads, whatever is in it") {
  const kernel::TempTree tree;
  const NotifySocket systemd(tree / "notify");
  ServiceManager manager = connected(tree / "notify");
  manager.status("a\nMAINPID=1\r\xff");
  CHECK(systemd.next() == "STATUS=a\\x0AMAINPID=1\\x0D\\xFF\n");
  for (const char* const one : {"\x1b", "\xe2\x80\xae", "x", "\xf0\x9f\x98\x80"}) {
    std::string many;
    while (many.size() < 5000) many += one;
    manager.status(many);
    const std::string told = systemd.next();
    CHECK(told.size() > 1000);
    CHECK(told.size() <= 4096);  // NOTIFY_BUFFER_MAX of systemd
    CHECK(told.find('\n') == told.size() - 1);
  }
}

TEST_CASE("a manager that does not read delays nothing, and is told again") {
  const kernel::TempTree tree;
  const NotifySocket systemd(tree / "notify");
  ServiceManager manager = connected(tree / "notify");
  manager.ready();
  for (int i = 0; i < 5000; ++i) manager.status("sample " + std::to_string(i));
  std::string last;
  for (std::string next = systemd.next(); !next.empty(); next = systemd.next()) last = next;
  CHECK(last != "STATUS=sample 4999\n");  // there was no room for it
  manager.status("sample 4999");
  CHECK(systemd.next() == "STATUS=sample 4999\n");
}

TEST_CASE("nobody to tell") {
  for (const char* const none : {static_cast<const char*>(nullptr), ""}) {
    auto manager = ServiceManager::connect(none);
    REQUIRE(manager);
    CHECK_FALSE(manager->listens());
    manager->status("x");
    manager->ready();
    manager->stopping("x");
  }
  const kernel::TempTree tree;
  const auto gone = ServiceManager::connect((tree / "notify").c_str());
  REQUIRE_FALSE(gone);
  CHECK(gone.error().what.find("NOTIFY_SOCKET: cannot connect to /") == 0);
  CHECK(gone.error().code == base::ErrorCode::kNotFound);
  for (const std::string& wrong : {std::string("vsock:2:1234"), '/' + std::string(107, 'x')}) {
    const auto refused = ServiceManager::connect(wrong.c_str());
    REQUIRE_FALSE(refused);
    CHECK(refused.error().what == "NOTIFY_SOCKET: \"" + wrong + "\" is not the name of a Unix socket");
  }
}
