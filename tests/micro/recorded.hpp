// SPDX-License-Identifier: Apache-2.0
// A recorded ring: what the kernel side writes while many processes open and close connections, made once, and the work
// that twtrace does for each record of it. Shared by the benchmark and by the instruction count.
#pragma once

#include <twtrace/abi.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "model/peers.hpp"
#include "model/row_table.hpp"
#include "output/json.hpp"
#include "trace/translate.hpp"

namespace twtrace::bench {

/// The ring's own header in front of each record: length and page offset (kernel/bpf/ringbuf.c).
inline constexpr std::size_t kHeader = 8;
inline constexpr std::size_t kStep = kHeader + sizeof(tw_event);

/// Records of `keys` processes in 100 services, half of them clients that connect to one of 20 servers, half servers of
/// 20 clients each; a tenth IPv6; of eight buckets one is refused and three have gone. Memory of its own; not copied.
class Recorded {
 public:
  Recorded(std::uint32_t keys, std::size_t records) : table_(10'000), first_ns_(keys + 1), bytes_(records * kStep) {
    for (std::uint32_t slot = 1; slot <= keys; ++slot) add_row(slot);
    std::mt19937 random(1);
    for (std::size_t i = 0; i < records; ++i) {
      const std::uint32_t length = sizeof(tw_event);
      const tw_event event =
          make(1 + static_cast<std::uint32_t>(random() % keys), i, static_cast<std::uint32_t>(random()));
      std::memcpy(&bytes_[i * kStep], &length, sizeof(length));
      std::memcpy(&bytes_[i * kStep + kHeader], &event, sizeof(event));
    }
  }

  std::size_t records() const { return bytes_.size() / kStep; }

  /// Checks and counts every record as a session with the peer view does. Returns how many were good.
  std::size_t count_into(model::PeerTable& peers) const {
    std::size_t good = 0;
    for_each([&](const tw_event& record, const model::Entry& entry) {
      peers.count(trace::to_peer_record(record), first_ns_[record.row], entry.identity);
      ++good;
    });
    return good;
  }

  /// Only checks them, and finds their rows.
  std::size_t decode() const {
    std::size_t good = 0;
    for_each([&](const tw_event&, const model::Entry&) { ++good; });
    return good;
  }

  /// Writes every record as `events --json` does. Returns the bytes.
  std::size_t write_json(std::string& line) const {
    std::size_t written = 0;
    for_each([&](const tw_event& record, const model::Entry& entry) {
      model::Event event = trace::to_event(record, 1'760'000'000'000);
      event.netns = 4026531840U;
      event.netns_name = "host";
      model::set_owner(event, entry.identity);
      line.clear();
      output::append_event_json(line, event);
      written += line.size();
    });
    return written;
  }

 private:
  template <class Use>
  void for_each(Use use) const {
    const std::span<const std::byte> all(bytes_);
    for (std::size_t at = 0; at < all.size();) {
      std::uint32_t length = 0;
      std::memcpy(&length, &all[at], sizeof(length));
      const auto record = trace::decode_record(all.subspan(at + kHeader, length));
      if (record && table_.knows(record->row, first_ns_[record->row])) use(*record, *table_.at(record->row));
      at += kHeader + length;
    }
  }

  void add_row(std::uint32_t slot) {
    const std::string name = "worker" + std::to_string(slot % 100);
    model::Identity who;
    who.netns = 1;
    who.pid = 1000 + slot;
    who.start_ns = slot;
    who.comm = name;
    who.uid = 33;
    who.service = {"systemd", name + ".service", "/system.slice/" + name + ".service", {}, {}};
    who.role = is_client(slot) ? model::Role::kClient : model::Role::kServer;
    who.port = static_cast<std::uint16_t>(is_client(slot) ? 6379 : 8000 + slot % 10);
    first_ns_[slot] = 1'000'000U + slot;
    table_.add(slot, first_ns_[slot], who);
  }

  static bool is_client(std::uint32_t slot) { return slot % 2 == 0; }

  static tw_event make(std::uint32_t slot, std::size_t index, std::uint32_t random) {
    tw_event event{};
    event.time_ns = 5'000'000'000U + index * 1000;
    event.cookie = index + 1;
    event.row = slot;
    event.netns = 1;
    event.family = random % 10 == 0 ? TW_FAMILY_IPV6 : TW_FAMILY_IPV4;
    const auto host = static_cast<std::uint8_t>(1 + random / 16 % 20);
    if (event.family == TW_FAMILY_IPV6) {
      event.local_address[0] = event.remote_address[0] = 0xfd;
      event.local_address[15] = 1;
      event.remote_address[15] = host;
    } else {
      event.local_address[0] = event.remote_address[0] = 10;
      event.local_address[3] = 1;
      event.remote_address[3] = host;
    }
    const auto ephemeral = static_cast<std::uint16_t>(32768 + random % 28000);
    event.local_port = is_client(slot) ? ephemeral : static_cast<std::uint16_t>(8000 + slot % 10);
    event.remote_port = is_client(slot) ? 6379 : ephemeral;
    constexpr std::array<std::uint8_t, 8> kKinds = {TW_EVENT_CREATED, TW_EVENT_CREATED, TW_EVENT_CREATED,
                                                    TW_EVENT_CREATED, TW_EVENT_REMOVED, TW_EVENT_REMOVED,
                                                    TW_EVENT_REMOVED, TW_EVENT_OVERFLOW};
    event.kind = kKinds[index % kKinds.size()];
    event.substate = random % 4 == 0 ? TW_SUBSTATE_FIN_WAIT2 : TW_SUBSTATE_TIME_WAIT;
    if (event.kind == TW_EVENT_REMOVED) {
      event.reason = TW_REASON_EXPIRED;
      event.age_ds = static_cast<std::uint16_t>(random % 620);
    }
    return event;
  }

  model::RowTable table_;
  std::vector<std::uint64_t> first_ns_;  ///< by slot
  std::vector<std::byte> bytes_;
};

}  // namespace twtrace::bench
