// SPDX-License-Identifier: Apache-2.0
// A capture as the model sees it: its description, and its samples in order.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/net_settings.hpp"
#include "base/result.hpp"
#include "model/gaps.hpp"
#include "model/logs.hpp"
#include "model/snapshot.hpp"
#include "model/source.hpp"

namespace twtrace::model {

/// The command around which a capture was taken. Strings may hold any bytes.
struct CapturedCommand {
  std::vector<std::string> argv;                ///< never empty
  std::optional<std::int64_t> started_unix_ms;  ///< empty: the capture ended before
  std::optional<std::int64_t> ended_unix_ms;    ///< empty: it was still running
  std::optional<int> exit_code;                 ///< when it exited
  std::optional<int> signal;                    ///< when a signal ended it
};

/// A moment that `twtrace mark NAME` has named.
struct Mark {
  std::int64_t time_unix_ms = 0;
  std::string name;  ///< any bytes
};

/// The settings of one network namespace.
struct NetnsSettings : base::NetSettings {
  std::uint32_t netns = 0;                     ///< inode number
  std::string name;                            ///< "host", an `ip netns` name, or empty
  std::optional<std::uint32_t> netns_id = {};  ///< NetnsRow::id; empty: an old capture does not tell
};

/// A process that ran on the host, whether or not it closed a connection: of several with the same names, one.
struct SeenProcess {
  base::Service service;
  std::string comm;

  auto operator<=>(const SeenProcess&) const = default;
};
/// Of one capture.
inline constexpr std::size_t kMostSeenProcesses = 4096;

/// A capture keeps the ports in use towards so many destinations of a sample, the fullest ones, of those towards which
/// one port in kPortUseShare is taken.
inline constexpr std::size_t kMostPortUse = 8;
inline constexpr std::uint64_t kPortUseShare = 100;

/// The process that wrote a capture. No other capture of the same host and boot has the same one.
struct CaptureWriter {
  std::int64_t pid = 0;
  std::int64_t start_ns = 0;  ///< since boot

  bool operator==(const CaptureWriter&) const = default;
};

/// The description of a capture.
struct CaptureInfo {
  std::string twtrace_version;
  HostInfo host;
  ProbeInfo probe;
  double interval_s = 1;                      ///< as requested; each sample has its own
  std::int64_t started_unix_ms = 0;           ///< counting began
  std::optional<std::int64_t> ended_unix_ms;  ///< empty: it was cut short, and ends with its last sample
  std::optional<CapturedCommand> command;     ///< empty: taken until Ctrl-C or for --duration
  std::optional<std::uint64_t> bucket_bytes;  ///< kernel memory of one bucket: object size of slab tw_sock_TCP
  std::vector<NetnsName> namespaces;          ///< all that it has something about, ascending by id
  std::vector<NetnsSettings> settings_at_start;
  std::vector<NetnsSettings> settings_at_end;  ///< empty if it was cut short
  std::vector<Mark> marks;                     ///< ascending in time
  std::vector<std::string> budgets;            ///< of --fail-if, limited to what the capture was about
  std::vector<Log> logs;                       ///< that it followed, at most kMostLogs
  std::optional<CaptureWriter> writer;         ///< as the file says; empty: it is no file
  bool running = false;                        ///< it was being written when it was opened
  bool being_replaced = false;                 ///< a capture without a sample yet was about to take its name
  std::vector<Gap> gaps;  ///< ascending in time; the missing end of a capture that was cut short is not a gap

  /// At most kMostSeenProcesses, seen when it began, when the command started and ended, and at the end; empty in a
  /// capture that does not say.
  std::optional<std::vector<SeenProcess>> seen;
  /// What a capture of this version can say that it sees. An older one lacks some counts, whatever its backend saw.
  Sight sees_at_most = {true, true, true, true, true, true};
};

/// One sample: a snapshot without rows, and the rows of that moment. `source` is valid during the call. False ends the
/// reading.
using SampleVisitor = std::function<bool(const SnapshotPtr& head, const Source& source)>;

/// What of each sample a visitor looks at. A recording need not have the rest.
enum class Wanted {
  kAll,    ///< everything
  kHeads,  ///< heads, of whose namespaces only those in which something changed since the sample before, and no rows
  kRows,   ///< rows and namespaces of the source, and of heads the times
};

/// A capture that can be read from its beginning any number of times. Not thread-safe.
class Recording {
 public:
  Recording() = default;
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
  virtual ~Recording() = default;

  virtual const CaptureInfo& info() const = 0;
  /// Visits every sample, in ascending order of time. An error ends the visit; the samples before it are sound.
  virtual base::Result<void> for_each(Wanted wanted, const SampleVisitor& visit) = 0;
};

}  // namespace twtrace::model
