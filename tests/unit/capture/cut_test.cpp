// SPDX-License-Identifier: Apache-2.0
// Captures that end early. Everything up to the last good sample must be there.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <set>

#include "child.hpp"
#include "report/report.hpp"
#include "support/catch.hpp"
#include "world.hpp"

using namespace twtrace;
using namespace twtrace::test;
namespace fs = std::filesystem;

namespace {

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

/// A copy of a half-written capture, as a power cut leaves it.
struct Cut {
  kernel::TempTree tree;
  std::string path = tree / "cut.db";
  std::string wal;

  explicit Cut(const std::string& from) : wal(bytes_of(from + "-wal")) { write_bytes(path, bytes_of(from)); }
  void keep(std::size_t wal_bytes) const { write_bytes(path + "-wal", wal.substr(0, wal_bytes)); }
};

bool is_prefix(const std::vector<std::string>& part, const std::vector<std::string>& whole) {
  return part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin());
}

/// The verdicts on budgets that this capture cannot exceed.
std::string verdicts_of(capture::Reader& reader, report::Partial partial = report::Partial::kFails) {
  std::vector<report::Budget> budgets;
  for (const char* text : {"overflow>1000000", "created<0", "lost_counts>1000000"}) {
    budgets.push_back(report::parse_budget(text).value());
  }
  const auto report = report::build_report(reader, budgets, partial);
  if (!report) return "no report";
  std::string states;
  for (const report::Verdict& verdict : report->verdicts) states += std::string(to_string(verdict.state)) + "; ";
  return states;
}

constexpr const char* kNoPass = "not measurable; not measurable; not measurable; ";
constexpr const char* kPass = "kept; kept; kept; ";

/// Adds samples until that fails. Returns the error, and what can be read afterwards.
std::string fill_up(Captured& captured) {
  std::string error;
  while (error.empty() && captured.samples.size() < 5000) {
    captured.world.sample([&](const model::Snapshot& head, const model::Source& source) {
      const auto written = captured.writer->append(head, source);
      if (!written) {
        error = written.error().what + "; " + written.error().hint;
      } else {
        captured.samples.push_back(describe(head) + describe(source));
      }
    });
  }
  const bool again =
      captured.writer->append({}, model::CurrentSource(model::RowTable(1), model::PeerTable(1), {})).has_value();
  captured.writer.reset();
  const auto reader = open_capture(captured.path);
  const bool same = read_samples(*reader) == captured.samples;
  return error + (again ? "; goes on" : "") + (same && captured.samples.size() > 10 ? "; all readable" : "; lost") +
         (reader->info().ended_unix_ms ? "; ended" : "; cut");
}

}  // namespace

TEST_CASE("a capture that is cut is read up to its last whole sample, wherever that was", "[capture]") {
  Captured captured(3);
  captured.add(13);
  const Cut cut(captured.path);
  constexpr std::size_t kHeader = 32;
  constexpr std::size_t kFrame = 24 + 4096;
  std::set<std::size_t> sizes = {0, kHeader - 1};
  for (std::size_t frame = kHeader; frame <= cut.wal.size(); frame += kFrame) {
    for (const std::size_t size : {frame, frame + 1, frame + 24, frame + kFrame / 2, frame + kFrame - 1}) {
      if (size <= cut.wal.size()) sizes.insert(size);
    }
  }
  std::size_t most = 0;
  for (const std::size_t size : sizes) {
    cut.keep(size);
    INFO(size << " of " << cut.wal.size() << " bytes of the WAL");
    const auto reader = open_capture(cut.path);
    const auto samples = read_samples(*reader);
    CHECK_FALSE(reader->info().ended_unix_ms);
    CHECK(verdicts_of(*reader) == kNoPass);
    if (!samples.empty()) CHECK(verdicts_of(*reader, report::Partial::kAllowed) == kPass);
    REQUIRE(is_prefix(samples, captured.samples));
    CHECK(samples.size() >= most);
    most = std::max(most, samples.size());
  }
  cut.keep(cut.wal.size());
  CHECK(read_samples(*open_capture(cut.path)) == captured.samples);
}

TEST_CASE("garbage behind the last whole sample is not believed", "[capture]") {
  Captured captured(3);
  captured.add(13);
  Cut cut(captured.path);
  Random random(5);
  for (int i = 0; i < 40; ++i) {
    std::string wal = cut.wal;
    const std::size_t from = random.up_to(wal.size() - 1);
    for (std::size_t at = from; at < wal.size(); ++at) wal[at] = static_cast<char>(random.up_to(255));
    write_bytes(cut.path + "-wal", wal);
    INFO("garbage from byte " << from);
    const auto reader = open_capture(cut.path);
    CHECK(is_prefix(read_samples(*reader), captured.samples));
    CHECK(verdicts_of(*reader) == kNoPass);
  }
}

TEST_CASE("a capture whose WAL is lost holds what had been moved into the file", "[capture]") {
  Captured captured;
  captured.add(251);  // more than a WAL of 1,000 pages takes
  const Cut cut(captured.path);
  const auto samples = read_samples(*open_capture(cut.path));
  CHECK(samples.size() > 50);
  CHECK(is_prefix(samples, captured.samples));
  CHECK_FALSE(fs::exists(cut.path + "-wal"));
}

TEST_CASE("reading changes nothing, not even in a directory that may not be written to", "[capture]") {
  Captured captured;
  captured.add(7);
  const Cut cut(captured.path);
  cut.keep(cut.wal.size());
  const std::string before = bytes_of(cut.path);
  fs::permissions(cut.tree.root(), fs::perms::owner_read | fs::perms::owner_exec);
  const auto result = in_child([&] {
    if (::geteuid() == 0) {
      // This user may read the file, but not write it.
      for (const std::string& path : {cut.path, cut.path + "-wal"})
        fs::permissions(path, fs::perms::others_read, fs::perm_options::add);
      fs::permissions(cut.tree.root(), static_cast<fs::perms>(055), fs::perm_options::add);
      if (::setuid(65534) != 0) return std::string("no setuid");
    }
    return std::to_string(read_samples(*open_capture(cut.path)).size());
  });
  CHECK(result == "7");
  CHECK(read_samples(*open_capture(cut.path)) == captured.samples);
  fs::permissions(cut.tree.root(), fs::perms::owner_all);
  CHECK(bytes_of(cut.path) == before);
  CHECK(bytes_of(cut.path + "-wal") == cut.wal);
  CHECK(std::distance(fs::directory_iterator(cut.tree.root()), fs::directory_iterator()) == 2);
}

TEST_CASE("a capture that is still written can be read", "[capture]") {
  Captured captured;
  captured.add(7);
  // In another process, because closing the file in this one would drop the writer's locks.
  const auto count = [&] { return std::to_string(read_samples(*open_capture(captured.path)).size()); };
  CHECK(in_child(count) == "7");
  captured.add(4);
  CHECK(in_child(count) == "11");
  CHECK(in_child([&] { return verdicts_of(*open_capture(captured.path)); }) == kNoPass);
  captured.finish();
  CHECK(read_samples(*open_capture(captured.path)) == captured.samples);
}

TEST_CASE("kill -9 while it writes leaves a readable file", "[capture]") {
  for (int attempt = 0; attempt < 10; ++attempt) {
    const kernel::TempTree tree;
    const std::string path = tree / "killed.db";
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t pid = ::fork();
    if (pid == 0) {
      auto target = capture::TargetFile::check(path, capture::invoker());
      auto writer = capture::Writer::create(std::move(*target), World::info(), {});
      World world(11);
      for (char count = 1;; ++count) {
        world.sample([&](const model::Snapshot& head, const model::Source& source) {
          if (!writer->append(head, source)) ::_exit(1);
        });
        if (::write(ends[1], &count, 1) != 1) ::_exit(1);
      }
    }
    ::close(ends[1]);
    char count = 0;
    while (count <= attempt && ::read(ends[0], &count, 1) == 1) {
    }
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    while (::read(ends[0], &count, 1) == 1) {
    }
    ::close(ends[0]);
    const auto reader = open_capture(path);
    const auto samples = read_samples(*reader);
    CHECK_FALSE(reader->info().ended_unix_ms);
    CHECK(verdicts_of(*reader) == kNoPass);
    // Every completed append() is in the file. The one that was interrupted may be, too.
    CHECK(samples.size() >= static_cast<std::size_t>(count));
    CHECK(samples.size() <= static_cast<std::size_t>(count) + 1);
  }
}

TEST_CASE("a file-size limit ends the file, and what was written stays", "[capture]") {
  const std::string result = in_child([] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{400'000, 400'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    Captured captured;
    return fill_up(captured);
  });
  INFO(result);
  CHECK(result.find("; all readable; cut") != std::string::npos);
  CHECK(result.find("goes on") == std::string::npos);
  CHECK(result.find("ulimit -f") != std::string::npos);
}

TEST_CASE("a full disk ends the file, and what was written stays", "[capture]") {
  if (::geteuid() != 0) return;  // mounting takes root
  const std::string result = in_small_tmpfs("700k", [] {
    Captured captured;
    return fill_up(captured);
  });
  INFO(result);
  CHECK(result.find("; all readable; cut") != std::string::npos);
  CHECK(result.find("goes on") == std::string::npos);
  CHECK(result.find("make room") != std::string::npos);
}
