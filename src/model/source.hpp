// SPDX-License-Identifier: Apache-2.0
// Facts about one moment, from which rows are built. They come from a running trace or from a capture.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "model/peers.hpp"
#include "model/row_table.hpp"
#include "model/snapshot.hpp"

namespace twtrace::model {

/// One namespace of the table, by Identity::netns.
struct NetnsInfo {
  std::uint32_t id = 0;
  std::uint32_t inum = 0;
  std::string name;
  Counters unattributed;
  Counters unattributed_previous;
};

/// What a namespace is called.
struct NetnsName {
  std::uint32_t id = 0;    ///< NetnsRow::id
  std::uint32_t inum = 0;  ///< inode number; another one may have had it before
  std::string name;        ///< as NetnsRow::name
};

/// Hashes of the names in an identity. Callers keep them, because names do not change and are used to find rows again
/// and again.
struct NameHashes {
  std::uint64_t comm = 0;
  std::uint64_t service_name = 0;
  std::uint64_t service_cgroup = 0;
};
NameHashes hash_names(const Identity& identity);

/// One row of the table, or of the peer table, at some moment. The numbers are valid during a visit, the identity until
/// its source changes.
struct Fact {
  const Identity& identity;
  RowKind kind = RowKind::kNormal;
  const Peer* peer = nullptr;  ///< of the peer table only; not owned
  const Counters& counts;      ///< since start
  const Counters& previous;    ///< at the end of the interval before
  const Counters& zero;        ///< the part of `counts` that the user has zeroed
  std::optional<std::uint64_t> live;
  std::uint32_t pids = 1;  ///< processes merged by folding
  bool exited = false;
  const NameHashes* names = nullptr;        ///< hash_names(identity), if somebody keeps them
  std::optional<std::uint32_t> ports = {};  ///< Entry::ports
};

/// Peers do not vanish. So one that cannot have changed since the sample before is known, unless this is the first
/// look.
inline bool may_have_changed(const Fact& peer) {
  return peer.counts != peer.previous || peer.kind == RowKind::kBeforeStart;
}

using FactVisitor = std::function<void(const Fact&)>;
using FactPredicate = std::function<bool(const Fact&)>;

/// The facts that rows are built from: the tables of a running trace, or those of an earlier moment.
class Source {
 public:
  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  virtual ~Source() = default;

  virtual void visit(const FactVisitor& visitor) const = 0;
  virtual void visit_peers(const FactVisitor& visitor) const = 0;
  virtual const std::vector<NetnsInfo>& namespaces() const = 0;
  /// Roughly how many facts visit() has, so that callers can reserve memory; 0: not known.
  virtual std::size_t size_hint() const { return 0; }
};

/// The tables as they are now. Keeps references.
class CurrentSource final : public Source {
 public:
  CurrentSource(const RowTable& table, const PeerTable& peers, const std::vector<NetnsInfo>& namespaces)
      : table_(table), peers_(peers), namespaces_(namespaces) {}

  void visit(const FactVisitor& visitor) const override;
  void visit_peers(const FactVisitor& visitor) const override;
  const std::vector<NetnsInfo>& namespaces() const override { return namespaces_; }
  std::size_t size_hint() const override { return table_.size(); }

 private:
  const RowTable& table_;
  const PeerTable& peers_;
  const std::vector<NetnsInfo>& namespaces_;
};

}  // namespace twtrace::model
