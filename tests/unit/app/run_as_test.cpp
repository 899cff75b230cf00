// SPDX-License-Identifier: Apache-2.0
#include "app/run_as.hpp"

#include <pwd.h>

#include <algorithm>

#include "support/catch.hpp"

using namespace twtrace::app;
using twtrace::base::ErrorCode;

namespace {

using Environment = std::vector<std::string>;

}  // namespace

TEST_CASE("the environment of another user says who it is, and nothing of the caller's own") {
  const RunAs user{"www-data", 33, 33, {33}, "/var/www", "/usr/sbin/nologin"};
  const Environment caller = {"PATH=/usr/sbin:/usr/bin",
                              "HOME=/root",
                              "USER=root",
                              "LOGNAME=root",
                              "SHELL=/bin/bash",
                              "MAIL=/var/mail/root",
                              "XDG_RUNTIME_DIR=/run/user/0",
                              "XDG_CONFIG_HOME=/root/.config",
                              "XDG_SESSION_ID=4",
                              "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/0/bus",
                              "SSH_AUTH_SOCK=/tmp/ssh-x/agent.1",
                              "SUDO_USER=alice",
                              "SUDO_UID=1000",
                              "SUDO_COMMAND=/usr/bin/twtrace",
                              "KRB5CCNAME=FILE:/tmp/krb5cc_0",
                              "LANG=C.UTF-8",
                              "HOMEBREW=1",
                              "XDG_DATA_DIRS=/usr/share",
                              "MAILER=mutt",
                              "TERM=xterm"};
  CHECK(environment_of(user, caller) == Environment{"HOME=/var/www", "USER=www-data", "LOGNAME=www-data",
                                                    "SHELL=/usr/sbin/nologin", "PATH=/usr/sbin:/usr/bin",
                                                    "LANG=C.UTF-8", "HOMEBREW=1", "XDG_DATA_DIRS=/usr/share",
                                                    "MAILER=mutt", "TERM=xterm"});
  CHECK(environment_of(user, {}).size() == 4);
}

TEST_CASE("a user is found by name and by number, with home, shell and groups") {
  const passwd* root = ::getpwnam("root");
  REQUIRE(root != nullptr);
  const std::string home = root->pw_dir;
  for (const char* who : {"root", "0"}) {
    const auto user = find_user(who);
    if (!user && user.error().code == ErrorCode::kPermission) continue;  // not root, and may not become root
    REQUIRE(user);
    CHECK(user->name == "root");
    CHECK(user->uid == 0);
    CHECK(user->home == home);
    CHECK_FALSE(user->shell.empty());
    CHECK(std::find(user->groups.begin(), user->groups.end(), user->gid) != user->groups.end());
  }
}

TEST_CASE("no user is a mistake of the command line") {
  for (const char* who :
       {"", " ", "no-such-user-anywhere", "4000000000", "-1", "0x0", "root ", "99999999999999999999"}) {
    INFO(who);
    const auto user = find_user(who);
    REQUIRE_FALSE(user);
    CHECK(user.error().code == ErrorCode::kUsage);
    CHECK(user.error().what.find(std::string("\"") + who + "\"") != std::string::npos);
  }
}
