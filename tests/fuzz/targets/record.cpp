// SPDX-License-Identifier: Apache-2.0
#include "output/event_text.hpp"
#include "support/event_json.hpp"
#include "target.hpp"
#include "trace/translate.hpp"

namespace twtrace::fuzz {
namespace {

void run(Bytes bytes) {
  const auto record = trace::decode_record(std::as_bytes(bytes));
  if (!record) return;
  require(bytes.size() >= sizeof(tw_event), "a short record is none");
  require(record->row < TW_MAX_ROWS && record->netns < TW_MAX_NETNS, "slots can be used as an index");
  const model::PeerRecord peer = trace::to_peer_record(*record);
  require(peer.row == record->row && peer.ipv6 == (record->family == TW_FAMILY_IPV6), "a peer record is of its record");
  const model::Event event = trace::to_event(*record, 0);
  require(!event.local_address.empty(), "the local address is printed");
  require(event.remote_address.empty() == trace::is_of_bind(*record), "the other end is printed, if there is one");
  require_printable(output::event_text(event, {}));
  require_printable(test::event_json(event));
}

std::string seed(std::uint8_t kind, std::uint8_t family) {
  tw_event event{};
  event.time_ns = 5'000'000'000;
  event.row = 1;
  event.netns = 1;
  event.kind = kind;
  event.family = family;
  event.substate = TW_SUBSTATE_TIME_WAIT;
  event.age_ds = 600;
  return {reinterpret_cast<const char*>(&event), sizeof(event)};
}

}  // namespace

Target record_target() {
  return {"record",
          run,
          {seed(TW_EVENT_CREATED, TW_FAMILY_IPV4), seed(TW_EVENT_OVERFLOW, TW_FAMILY_IPV6),
           seed(TW_EVENT_REMOVED, TW_FAMILY_IPV6), seed(TW_EVENT_RESET_SENT, TW_FAMILY_IPV4)},
          50'000};
}

}  // namespace twtrace::fuzz
