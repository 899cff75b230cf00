// SPDX-License-Identifier: Apache-2.0
#include "logs/followed_journal.hpp"

#include "support/catch.hpp"
#include "unit/kernel/temp_tree.hpp"

using namespace twtrace;

TEST_CASE("a journal is a file of journald, in memory or on the disk") {
  const kernel::TempTree tree;
  CHECK_FALSE(logs::finds_journal(tree.root()));
  tree.file("var/log/journal/remote", "");
  tree.file("var/log/journal/0123abcd/system.journal~", "");
  tree.file("var/log/journal/0123abcd/fss", "");
  CHECK_FALSE(logs::finds_journal(tree.root()));
  tree.file("run/log/journal/0123abcd.web/user-1000.journal", "");
  CHECK(logs::finds_journal(tree.root()));
  const kernel::TempTree disk;
  disk.file("var/log/journal/0123abcd/system@1.journal", "");
  CHECK(logs::finds_journal(disk.root()));
}

TEST_CASE("what systemd says of a unit is nothing that the unit writes") {
  CHECK(logs::journal_match("web.service") == "_SYSTEMD_UNIT=web.service");
  CHECK(logs::journal_match("web") == "_SYSTEMD_UNIT=web.service");
  CHECK(logs::journal_match("getty@tty1.service") == "_SYSTEMD_UNIT=getty@tty1.service");
  CHECK(logs::journal_match("my.app") == "_SYSTEMD_UNIT=my.app.service");
  CHECK(logs::journal_match("run-r12.scope") == "_SYSTEMD_UNIT=run-r12.scope");
  CHECK(logs::journal_match("a\\x2db.service") == "_SYSTEMD_UNIT=a\\x2db.service");
  for (const char* left : {"web*", "web-[12].service", "/mnt", "system.slice", "two words", "a=b"}) {
    CHECK(logs::journal_match(left) == std::string("--unit=") + left);
  }
}
