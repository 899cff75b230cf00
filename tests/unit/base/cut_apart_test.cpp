// SPDX-License-Identifier: Apache-2.0
#include "base/cut_apart.hpp"

#include "base/escape.hpp"
#include "support/catch.hpp"

using twtrace::base::cut_apart;
using twtrace::base::display_width;

namespace {

std::vector<std::string> cut(std::vector<std::string> cells, std::size_t columns) {
  cut_apart(cells, columns);
  return cells;
}

}  // namespace

TEST_CASE("cells are cut at the end as long as they stay different") {
  CHECK(cut({"redis-worker.service", "nginx.service", "a"}, 8) ==
        std::vector<std::string>{"redis-w~", "nginx.s~", "a"});
  CHECK(cut({"redis-worker.service", "redis-worker.service"}, 8) == std::vector<std::string>{"redis-w~", "redis-w~"});
  CHECK(cut({"abc"}, 3) == std::vector<std::string>{"abc"});
  CHECK(cut({"abc"}, 0) == std::vector<std::string>{"abc"});
  CHECK(cut({"abc"}, 1) == std::vector<std::string>{"~"});
  CHECK(cut({}, 3).empty());
}

TEST_CASE("cells that would become alike are cut in the middle") {
  CHECK(cut({"shop/web-6d9f7c-abcde/app", "shop/web-6d9f7c-fghij/app", "shop/web-6d9f7c-abcde/log", "db"}, 16) ==
        std::vector<std::string>{"shop/we~bcde/app", "shop/we~ghij/app", "shop/we~bcde/log", "db"});
  CHECK(cut({"abcdefgh12345", "abcdefgh92345"}, 8) == std::vector<std::string>{"~gh12345", "~gh92345"});
  CHECK(cut({"/custom/group/a/worker", "/custom/group/a/sender", "/other/group/b/worker"}, 13) ==
        std::vector<std::string>{"/custo~worker", "/custo~sender", "/other/group~"});
}

TEST_CASE("a cut cell never looks like a whole one, nor like the next in line") {
  CHECK(cut({"abcdefgh", "abc~"}, 4) == std::vector<std::string>{"a~gh", "abc~"});
  CHECK(cut({"abcdefgh", "abc~", "abcdefgx"}, 4) == std::vector<std::string>{"a~gh", "abc~", "a~gx"});
}

TEST_CASE("cells that differ only in the middle are cut at both ends") {
  CHECK(cut({"aaaaXaaaa", "aaaaYaaaa"}, 5) == std::vector<std::string>{"~aXa~", "~aYa~"});
  CHECK(cut({"ip-10-20-30-43.eu-central-1.compute.internal", "2 hosts", "ip-10-20-30-40.eu-central-1.compute.internal",
             "ip-10-20-30-43.eu-central-1.compute.internal"},
            13) == std::vector<std::string>{"~0-43.eu-cen~", "2 hosts", "~0-40.eu-cen~", "~0-43.eu-cen~"});
  CHECK(cut({"aaaaXaaaa", "aaaaYaaaa"}, 1) == std::vector<std::string>{"~", "~"});
  // One differs from two others at another place.
  CHECK(cut({"aaaaXaaaaaZaaaa", "aaaaXaaaaaYaaaa", "aaaaYaaaaaZaaaa"}, 5) ==
        std::vector<std::string>{"aa~aa", "aa~aa", "~aYa~"});
}

TEST_CASE("no cell is wider than its column") {
  for (std::size_t columns = 1; columns < 12; ++columns) {
    for (const std::string& cell :
         cut({"日本語日本語", "日本語日本誤", "e\u0301e\u0301e\u0301e\u0301", "abcdefghijklm"}, columns)) {
      CHECK(display_width(cell) <= columns);
      CHECK(twtrace::base::is_valid_utf8(cell));
    }
  }
}
