// SPDX-License-Identifier: Apache-2.0
// A capture file may come from anywhere, so it may be any bytes. SQLite refuses most files with random changes at the
// first page. So an input is a list of changes to a sound file: two bytes for the place, one for the new value.
#include "../../unit/capture/world.hpp"

#include <fstream>
#include <sstream>

#include "target.hpp"

namespace twtrace::fuzz {
namespace {

constexpr std::size_t kSamples = 9;
constexpr std::size_t kEvents = 7;
constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kChangeBytes = 3;

/// A sound file, and the places in it that are not the text of its tables.
struct Sound {
  std::string bytes;
  std::vector<std::size_t> places;
};

Sound make_sound() {
  test::Captured captured;
  model::Event event;
  event.time_unix_ms = test::World::kStart;
  event.process = model::ProcessId{812, "worker", 33, 1, false};
  for (std::size_t i = 0; i < kEvents; ++i) require(captured.writer->add_event(event).has_value(), "events are taken");
  captured.add(kSamples);
  captured.finish();
  std::ostringstream bytes;
  bytes << std::ifstream(captured.path, std::ios::binary).rdbuf();
  Sound sound{bytes.str(), {}};
  for (std::size_t page = 0; page < sound.bytes.size(); page += kPageBytes) {
    if (sound.bytes.substr(page, kPageBytes).find(" INTEGER ") != std::string::npos) continue;
    for (std::size_t at = page; at < page + kPageBytes; ++at) {
      if (sound.bytes.at(at) != '\0') sound.places.push_back(at);
    }
  }
  return sound;
}

const Sound& sound() {
  static const Sound kSound = make_sound();
  return kSound;
}

std::string changed(Bytes changes) {
  std::string bytes = sound().bytes;
  for (std::size_t i = 0; i + kChangeBytes <= changes.size(); i += kChangeBytes) {
    const std::size_t place = (std::size_t{changes[i]} << 8U | changes[i + 1]) % sound().places.size();
    bytes.at(sound().places.at(place)) = static_cast<char>(changes[i + 2]);
  }
  return bytes;
}

void require_refusal(const base::Error& error) {
  require(!error.what.empty(), "a refusal says why");
  require(error.code == base::ErrorCode::kInvalid || error.code == base::ErrorCode::kFailure, "a refusal is one");
}

/// The number of sound samples.
std::size_t read_all(capture::Reader& reader) {
  std::size_t samples = 0;
  const auto read =
      reader.for_each(model::Wanted::kAll, [&](const model::SnapshotPtr& head, const model::Source& source) {
        ++samples;
        model::Counters sum;
        for (const model::NetnsRow& row : head->namespaces) sum += row.counts;
        require(sum == head->totals, "namespaces sum to the totals");
        const auto visit = [](const model::Fact& fact) { require(fact.pids != 0, "an owner is somebody"); };
        source.visit(visit);
        source.visit_peers(visit);
        return true;
      });
  if (!read) require_refusal(read.error());
  return samples;
}

void run(Bytes changes) {
  static const kernel::TempTree kTree;
  kTree.file("capture.db", changed(changes));
  auto reader = capture::Reader::open(kTree / "capture.db");
  if (!reader) {
    require_refusal(reader.error());
    require(!changes.empty(), "a sound file is opened");
    return;
  }
  const std::size_t samples = read_all(**reader);
  require(!changes.empty() || samples == kSamples, "a sound file is read to its end");
  require(read_all(**reader) == samples, "what was read can be read again");
  const auto events = (*reader)->events_until(test::World::kStart, kEvents - 1);
  require(!changes.empty() || (events && events->size() == kEvents - 1), "a sound file's events are read");
  if (!events) require_refusal(events.error());
}

/// First no change, then single changes.
std::vector<std::string> seeds() {
  std::vector<std::string> all = {""};
  for (unsigned where = 0; where < 256; where += 16) {
    all.push_back({static_cast<char>(where), '\x55', where % 32 == 0 ? '\xff' : '\x01'});
  }
  return all;
}

}  // namespace

Target capture_target() { return {"capture", run, seeds(), 50}; }

}  // namespace twtrace::fuzz
