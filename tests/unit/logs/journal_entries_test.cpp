// SPDX-License-Identifier: Apache-2.0
#include "logs/journal_entries.hpp"

#include <string>
#include <utility>
#include <vector>

#include "support/catch.hpp"

using namespace twtrace::logs;

namespace {

using Dated = std::vector<std::pair<std::int64_t, std::string>>;

Dated entries(JournalEntries& journal, std::string_view bytes, std::size_t piece) {
  Dated all;
  const auto take = [&](std::int64_t time_unix_ms, std::string_view line) { all.emplace_back(time_unix_ms, line); };
  for (std::size_t i = 0; i < bytes.size(); i += piece) journal.feed(bytes.substr(i, piece), take);
  return all;
}

/// A field whose value may hold any bytes.
std::string binary(const std::string& name, const std::string& value) {
  std::string field = name + "\n";
  for (unsigned i = 0; i < 8; ++i) field += static_cast<char>(std::uint64_t{value.size()} >> (8 * i) & 0xffU);
  return field + value + "\n";
}

std::string entry(std::int64_t time_us, const std::string& fields) {
  return "__CURSOR=s=1;i=2\n__REALTIME_TIMESTAMP=" + std::to_string(time_us) + "\n__MONOTONIC_TIMESTAMP=7\n" + fields +
         "\n";
}

}  // namespace

TEST_CASE("messages and their times are the same whatever the pieces are") {
  const std::string bytes = entry(1'700'000'000'123'999, "MESSAGE=refused=1\n") +
                            entry(1'700'000'001'000'000, binary("MESSAGE", "two\nlines\n") + "_PID=1\n") +
                            entry(1'700'000'002'000'000, binary("_OTHER", "MESSAGE=no\n\n") + "NO_MESSAGE=no\n") +
                            entry(1'700'000'003'000'000, "MESSAGE=\n") +
                            entry(1'700'000'004'000'000, binary("MESSAGE", std::string("\xff\x1b[31m\0x", 7))) +
                            entry(1'700'000'005'000'000, binary("MESSAGE", "") + binary("OTHER", "")) +
                            entry(1'700'000'006'000'000, "MESSAGE=last\n");
  const Dated wanted = {{1'700'000'000'123, "refused=1"},
                        {1'700'000'001'000, "two"},
                        {1'700'000'001'000, "lines"},
                        {1'700'000'003'000, ""},
                        {1'700'000'004'000, std::string("\xff\x1b[31m\0x", 7)},
                        {1'700'000'006'000, "last"}};
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    JournalEntries journal;
    INFO(piece);
    CHECK(entries(journal, bytes, piece) == wanted);
    CHECK(journal.long_lines() == 0);
  }
}

TEST_CASE("of a long message the beginning is given, and other long fields do no harm") {
  const std::string longest(kLongestLine, 'x');
  const std::string longer(3 * kLongestLine, 'x');
  const std::string bytes =
      entry(1'000'000, "MESSAGE=" + longest + "\n") + entry(2'000'000, "MESSAGE=" + longer + "\n") +
      entry(3'000'000, binary("MESSAGE", longer + "\nrest")) + entry(4'000'000, "OTHER=" + longer + "\nMESSAGE=end\n");
  for (const std::size_t piece : {std::size_t{1}, std::size_t{1000}, bytes.size()}) {
    JournalEntries journal;
    INFO(piece);
    CHECK(entries(journal, bytes, piece) ==
          Dated{{1000, longest}, {2000, longest}, {3000, longest}, {3000, "rest"}, {4000, "end"}});
    CHECK(journal.long_lines() == 2);
  }
}
