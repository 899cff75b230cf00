// SPDX-License-Identifier: Apache-2.0
// Private to capture: the heads of a file's samples.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "capture/sample_rows.hpp"
#include "capture/sqlite.hpp"
#include "capture/stored_netns.hpp"
#include "capture/stored_services.hpp"
#include "model/recording.hpp"

namespace twtrace::capture {

/// What a file says of its samples besides rows. Goes forward only. The work of a sample is that of the rows that the
/// file has for it, unless all namespaces are wanted. Not thread-safe.
class StoredHeads {
 public:
  /// `wanted` says what the heads have of namespaces; these always have the rows' namespaces. Keeps references to
  /// `namespaces` and `services`. A file that grows may have more namespaces by now.
  static base::Result<StoredHeads> open(const Database& database, const model::CaptureInfo& info,
                                        const StoredNetns& namespaces, StoredServices& services, model::Wanted wanted);

  /// Whether the file has this sample, after the ones before.
  bool at(std::int64_t sample) const { return samples_.at(sample); }
  /// The head of this sample; the same object again when nobody has kept it. nullptr, with its name in bad_table(),
  /// when a table holds what cannot be.
  model::SnapshotPtr read(std::int64_t sample);
  const char* bad_table() const { return bad_table_; }
  /// Every table that it reads, with its name.
  std::array<std::pair<const SampleRows*, const char*>, 7> tables() const;

  const std::vector<model::NetnsInfo>& infos() const { return infos_; }

 private:
  bool read_sample(std::int64_t sample, model::Snapshot& head);
  bool read_suspensions(std::int64_t sample, model::Snapshot& head);
  bool read_losses(std::int64_t sample, model::Snapshot& head);
  bool read_ports(std::int64_t sample, model::Snapshot& head);
  bool read_log_lines(std::int64_t sample, model::Snapshot& head);
  bool read_queues(std::int64_t sample, model::Snapshot& head);
  model::ListenQueue read_queue(Columns& row);
  bool read_namespaces(std::int64_t sample, model::Snapshot& head);
  bool read_namespace(std::int64_t sample, double interval_s);
  void read_numbers(Columns& columns, model::NetnsRow& row, double interval_s);
  std::optional<std::size_t> index_of(std::uint32_t id);
  std::optional<model::NetnsName> name_of(std::uint32_t id);

  model::Wanted wanted_ = model::Wanted::kAll;
  model::HostInfo host_;
  model::ProbeInfo probe_;
  std::shared_ptr<const std::vector<model::Log>> logs_;  ///< null: the capture followed none
  const StoredNetns* namespaces_ = nullptr;
  SampleRows samples_, suspensions_, losses_, ports_, log_lines_, listening_, netns_;
  Statement netns_by_id_;
  StoredServices* services_ = nullptr;  ///< of queues
  const char* bad_table_ = "";
  std::shared_ptr<model::Snapshot> head_;
  std::unordered_map<std::uint32_t, std::size_t> index_;  ///< of rows_ and infos_, by id
  std::vector<model::NetnsRow> rows_;
  std::vector<model::NetnsInfo> infos_;
  std::vector<std::int64_t> sampled_;  ///< by index: the sample that a namespace was last changed in
  std::vector<std::size_t> changed_;   ///< in the last sample
  model::Counters totals_;
  model::Counters unattributed_;
  model::Losses lost_;
  std::shared_ptr<const std::vector<model::PortUse>> port_use_;
  bool ports_counted_ = false;
  std::shared_ptr<const std::vector<model::ListenQueue>> queues_;  ///< null: the file does not know them
};

}  // namespace twtrace::capture
