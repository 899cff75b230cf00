// SPDX-License-Identifier: Apache-2.0
// Files that are not captures, or only claim to be. Each gets one clear error, with a remedy.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "base/unique_fd.hpp"
#include "support/catch.hpp"
#include "world.hpp"

using namespace twtrace;
using namespace twtrace::test;

namespace {

std::string finished(const kernel::TempTree& tree, const std::string& name = "given.db") {
  Captured captured;
  captured.add(5);
  captured.finish();
  std::filesystem::copy_file(captured.path, tree / name);
  return tree / name;
}

void check_refused(const std::string& path, const std::string& what) {
  INFO(what);
  const auto reader = capture::Reader::open(path);
  REQUIRE_FALSE(reader);
  INFO(reader.error().what);
  CHECK(reader.error().what.find(what) != std::string::npos);
  CHECK(reader.error().what.find(path) == 0);
  CHECK(reader.error().what.find('\n') == std::string::npos);
  CHECK_FALSE(reader.error().hint.empty());
}

void truncate_file(const std::string& path, std::size_t size) { std::filesystem::resize_file(path, size); }

}  // namespace

TEST_CASE("what is not a capture is refused", "[capture]") {
  const kernel::TempTree tree;
  check_refused(tree / "missing", "No such file");
  check_refused(tree.root(), "not a regular file");
  REQUIRE(::mkfifo((tree / "fifo").c_str(), 0600) == 0);
  check_refused(tree / "fifo", "not a regular file");
  check_refused("/dev/null", "not a regular file");
  check_refused("/dev/tty", "not a regular file");  // which no process without a terminal can open
  sockaddr_un address{AF_UNIX, {}};
  const std::string place = tree / "socket";
  REQUIRE(place.size() < sizeof(address.sun_path));
  std::copy(place.begin(), place.end(), address.sun_path);
  const base::UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  check_refused(place, "not a regular file");
  tree.file("empty", "");
  check_refused(tree / "empty", "is empty");
  tree.file("text", std::string(4096, 'x'));
  check_refused(tree / "text", "is not a capture");
  tree.file("short", "SQLite format 3");
  check_refused(tree / "short", "is not a capture");
  run_sql(tree / "other.db", "CREATE TABLE capture(id)");
  check_refused(tree / "other.db", "is not a capture");
  tree.file("capture.db.gz", "\x1f\x8b\x08 and so on");
  check_refused(tree / "capture.db.gz", "is compressed");
  tree.file("capture.db.zst", "\x28\xb5\x2f\xfd");
  check_refused(tree / "capture.db.zst", "is compressed");
}

TEST_CASE("a truncated capture is refused", "[capture]") {
  const kernel::TempTree tree;
  const std::string path = finished(tree);
  const auto size = std::filesystem::file_size(path);
  for (std::size_t keep = size - 1; keep > 4096; keep -= 4099) {
    truncate_file(path, keep);
    INFO(keep << " of " << size << " bytes");
    CHECK_FALSE(capture::Reader::open(path));
  }
}

TEST_CASE("a capture of a newer version says so", "[capture]") {
  const kernel::TempTree tree;
  const std::string path = finished(tree);
  run_sql(path, "PRAGMA user_version=" + std::to_string(capture::kSchemaVersion + 1));
  check_refused(path, "newer than this twtrace");
  run_sql(path, "PRAGMA user_version=0");
  check_refused(path, "is not a capture");
  run_sql(path, "PRAGMA user_version=1");
  check_refused(path, "it does not have the tables of one");
}

TEST_CASE("a schema that is not exactly ours is refused", "[capture]") {
  const std::string change =
      GENERATE(as<std::string>{},  //
               "CREATE VIEW v AS SELECT 1", "CREATE TRIGGER t AFTER INSERT ON mark BEGIN DELETE FROM sample; END",
               "CREATE TABLE extra(x)", "CREATE INDEX i ON mark(name)", "ALTER TABLE mark ADD COLUMN more",
               "ALTER TABLE mark RENAME COLUMN name TO label", "DROP TABLE event",
               "DROP TABLE mark; CREATE VIEW mark AS SELECT 1 AS id, 2 AS time_unix_ms, 'x' AS name");
  const kernel::TempTree tree;
  const std::string path = finished(tree);
  run_sql(path, change);
  INFO(change);
  check_refused(path, "it does not have the tables of one");
}

TEST_CASE("numbers and words that cannot be are refused", "[capture]") {
  const std::string change = GENERATE(
      as<std::string>{},  //
      "UPDATE capture SET started_unix_ms=-1", "UPDATE capture SET started_unix_ms='soon'",
      "UPDATE capture SET interval_s=9e999", "UPDATE capture SET sees_removal=2", "UPDATE capture SET sees_no_port=2",
      "UPDATE capture SET command_exit_code=256", "UPDATE capture SET host=x'00ff'", "UPDATE capture SET id=2",
      "DELETE FROM capture", "UPDATE setting SET netns=4294967296", "UPDATE setting SET tcp_max_tw_buckets=-1",
      "UPDATE netns SET inode='x'");
  const kernel::TempTree tree;
  const std::string path = finished(tree);
  run_sql(path, change);
  INFO(change);
  check_refused(path, "has impossible values");
}

TEST_CASE("words longer than twtrace writes are refused, whatever table holds them", "[capture]") {
  const kernel::TempTree tree;
  Captured captured;
  REQUIRE(captured.writer->add_mark({World::kStart, "mark"}));
  REQUIRE(captured.writer->add_event({}));
  REQUIRE(captured.writer->add_processes({{{}, "init"}}));
  captured.add(23);
  captured.finish();
  run_sql(captured.path,
          "INSERT INTO budget(text) VALUES('overflow>0'); INSERT INTO log VALUES(1,'file','a','b',0,0,'')");
  const auto words = query(captured.path,
                           "SELECT s.name, c.name FROM sqlite_schema AS s, pragma_table_info(s.name) AS c "
                           "WHERE s.type='table' AND c.type='TEXT' AND s.name NOT IN ('event', 'log_line')");
  CHECK(words.size() == 29);
  for (const std::string& word : words) {
    const std::string table = word.substr(0, word.find('|'));
    for (const char* bytes : {"200000", "1000000"}) {
      const std::string path = tree / "long.db";
      std::filesystem::copy_file(captured.path, path, std::filesystem::copy_options::overwrite_existing);
      run_sql(path, "UPDATE " + table + " SET " + word.substr(table.size() + 1) + "=printf('%.*c'," + bytes + ",'x')");
      INFO(word << " of " << bytes << " bytes");
      const auto reader = capture::Reader::open(path);
      const std::string error = reader ? read_samples(**reader).back() : reader.error().what;
      CHECK((error.find("has impossible values") != std::string::npos || error.find("too big") != std::string::npos));
    }
  }
}

TEST_CASE("more than fits into a capture's time and memory is refused", "[capture]") {
  const std::string change =
      GENERATE(as<std::string>{},  //
               "INSERT INTO mark SELECT value, 1, 'm' FROM generate(100001)",
               "INSERT INTO fallback SELECT value+10, 'f' FROM generate(65)",
               "INSERT INTO budget(text) SELECT 'created>' || value FROM generate(101)",
               "INSERT INTO setting(id, at_end, netns, name) SELECT value+10, 1, 1, 'n' FROM generate(131073)",
               "INSERT INTO process SELECT value, 1, 'p' FROM generate(4097)",
               "INSERT INTO log SELECT value, 'file', 'l', 'p', 0, 0, '' FROM generate(17)",
               "INSERT INTO argument SELECT value+10, printf('%.*c',100000,'x') FROM generate(63)");
  const kernel::TempTree tree;
  const std::string path = finished(tree);
  const std::size_t call = change.find("generate(");
  const std::string count = change.substr(call + 9, change.size() - call - 10);
  run_sql(path, "WITH RECURSIVE counted(value) AS (SELECT 1 UNION ALL SELECT value+1 FROM counted WHERE value<" +
                    count + ") " + change.substr(0, call) + "counted");
  INFO(change);
  check_refused(path, "has impossible values");
}

TEST_CASE("samples that cannot be end the reading, what came before is sound", "[capture]") {
  const std::string change = GENERATE(
      as<std::string>{},  //
      "UPDATE sample SET interval_s=-0.5 WHERE id=4", "UPDATE sample SET time_unix_ms=1e300 WHERE id=4",
      "UPDATE sample SET ports_counted=7 WHERE id=4", "UPDATE owner_sample SET owner=9999 WHERE sample=4",
      "UPDATE owner_sample SET time_wait=-9223372036854775807 WHERE sample=4",
      "UPDATE owner_sample SET time_wait=9223372036854775807 WHERE sample>=3",
      "UPDATE owner_sample SET moved=3 WHERE sample=4", "UPDATE owner_sample SET live='many' WHERE sample=4",
      "UPDATE owner_sample SET sample=2 WHERE id=(SELECT max(id) FROM owner_sample)",
      "UPDATE netns_sample SET netns=77 WHERE sample=4", "UPDATE netns_sample SET reused=-5000000 WHERE sample=4",
      "UPDATE netns_sample SET reconciled=5 WHERE sample=4", "UPDATE peer_sample SET pids=4294967296 WHERE sample=4",
      "INSERT INTO port_use VALUES(NULL, 4, 1, 1, 'x', 70000, 1, 0, 0, 0, NULL, NULL, 1)",
      "INSERT INTO port_use VALUES(NULL, 4, 1, 1, 'x', 7000, 1, 0, 0, 0, 1, 70000, 1)",
      "INSERT INTO loss VALUES((SELECT max(id) FROM loss)+1, 5, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL)",
      "DELETE FROM sample WHERE id=3", "INSERT INTO suspension VALUES(NULL, 4, -1.0)", "UPDATE owner SET role='boss'",
      "UPDATE owner SET port=65536", "UPDATE owner SET service=4444", "UPDATE owner SET pid=4194305",
      "UPDATE sample SET interval_s=1e300 WHERE id=4", "UPDATE sample SET interval_s=5e-324 WHERE id=4",
      "UPDATE sample SET cpu_percent=1e308 WHERE id=4", "UPDATE netns_sample SET in_use=4294967297 WHERE sample=4",
      "UPDATE netns_sample SET kernel_created_total=9223372036854775807 WHERE sample=4",
      "UPDATE netns_sample SET time_wait=35184372088833 WHERE sample=4");
  const kernel::TempTree tree;
  const std::string path = finished(tree);
  const auto sound = read_samples(*open_capture(path));
  run_sql(path, change);
  INFO(change);
  const auto samples = read_samples(*open_capture(path));
  REQUIRE_FALSE(samples.empty());
  CHECK(samples.back().find("has impossible values") != std::string::npos);
  const std::size_t before = samples.size() - 1;
  CHECK(before < sound.size());
  CHECK(std::equal(samples.begin(), samples.end() - 1, sound.begin()));
}

TEST_CASE("rows of a sample that is not there are not passed over", "[capture]") {
  const kernel::TempTree tree;
  const std::string path = finished(tree);
  run_sql(path, "UPDATE owner_sample SET sample=99 WHERE id=(SELECT max(id) FROM owner_sample)");
  CHECK(read_samples(*open_capture(path)).back().find("owner_sample has impossible values") != std::string::npos);
}

TEST_CASE("a damaged page is found before anything is believed", "[capture]") {
  const kernel::TempTree tree;
  const std::string path = finished(tree);
  const auto pages = std::filesystem::file_size(path) / 4096;
  const auto sound = read_samples(*open_capture(path));
  std::size_t found = 0;
  for (std::size_t page = 1; page < pages; ++page) {
    std::filesystem::copy_file(path, tree / "damaged", std::filesystem::copy_options::overwrite_existing);
    std::fstream file(tree / "damaged", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(page * 4096));
    file << std::string(64, '\xfe');
    file.close();
    if (capture::Reader::open(tree / "damaged")) continue;
    ++found;
  }
  CHECK(found == pages - 1);
}
