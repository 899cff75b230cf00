// SPDX-License-Identifier: Apache-2.0
#include "trace/event_feed.hpp"

#include <span>
#include <utility>

#include "trace/translate.hpp"

namespace twtrace::trace {

void EventFeed::on_event(Handler handler, std::size_t newest) {
  handler_ = std::move(handler);
  limit_ = newest;
}

void EventFeed::take(const tw_event& raw, const Context& context) {
  if (!handler_ && !record_peers_) return;
  const auto checked = decode_record(std::as_bytes(std::span(&raw, 1)));
  if (!checked) return;  // slots in it index our arrays
  const tw_event& record = *checked;
  if (record_peers_ && !is_of_bind(record)) {
    if (const auto owner = context.owner(record.row)) {
      peers_.count(to_peer_record(record), owner->first_ns, owner->identity);
    }
  }
  if (!handler_) return;
  if (limit_ == SIZE_MAX) return hand_on(record, context);
  if (newest_.size() < limit_) {
    newest_.push_back(record);
  } else {
    newest_[kept_ % limit_] = record;
  }
  ++kept_;
}

void EventFeed::end_drain(const Context& context) {
  const std::size_t first = kept_ > newest_.size() ? kept_ % newest_.size() : 0;
  for (std::size_t i = 0; i < newest_.size(); ++i) hand_on(newest_[(first + i) % newest_.size()], context);
  newest_.clear();
  kept_ = 0;
}

void EventFeed::hand_on(const tw_event& record, const Context& context) {
  hand_on(to_event(record, wall_offset_ms_), record.row, record.netns, context);
}

void EventFeed::hand_on(model::Event event, std::uint32_t row_slot, std::uint32_t netns_slot, const Context& context) {
  context.set_namespace(event, netns_slot);
  if (const auto owner = context.owner(row_slot)) model::set_owner(event, owner->identity);
  handler_(event);
}

}  // namespace twtrace::trace
