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
