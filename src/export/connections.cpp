// SPDX-License-Identifier: Apache-2.0
#include "export/connections.hpp"

#include <algorithm>
#include <utility>

namespace twtrace::exporter {

int Connections::add(int fd, std::string address, std::uint64_t now_ns) {
  const auto same = std::count_if(open_.begin(), open_.end(), [&](const Open& one) { return one.address == address; });
  int surplus = -1;
  if (static_cast<std::size_t>(same) >= limits_.most_per_address) {
    surplus = take_stalest(&address);
  } else if (open_.size() >= limits_.most) {
    surplus = take_stalest(nullptr);
  }
  open_.push_back({fd, std::move(address), now_ns, now_ns + limits_.request_ns});
  return surplus;
}

void Connections::begin_reply(int fd, std::uint64_t now_ns) {
  if (Open* one = find(fd)) one->deadline_ns = now_ns + limits_.request_ns;
}

void Connections::end_reply(int fd, std::uint64_t now_ns) {
  Open* const one = find(fd);
  if (one == nullptr) return;
  one->finished_ns = now_ns;
  one->deadline_ns = now_ns + limits_.idle_ns;
}

void Connections::remove(int fd) {
  std::erase_if(open_, [fd](const Open& one) { return one.fd == fd; });
}

std::vector<int> Connections::take_overdue(std::uint64_t now_ns) {
  std::vector<int> overdue;
  for (const Open& one : open_) {
    if (one.deadline_ns <= now_ns) overdue.push_back(one.fd);
  }
  for (const int fd : overdue) remove(fd);
  return overdue;
}

std::optional<std::uint64_t> Connections::next_deadline_ns() const {
  std::optional<std::uint64_t> next;
  for (const Open& one : open_) next = std::min(next.value_or(one.deadline_ns), one.deadline_ns);
  return next;
}

Connections::Open* Connections::find(int fd) {
  const auto found = std::find_if(open_.begin(), open_.end(), [fd](const Open& one) { return one.fd == fd; });
  return found == open_.end() ? nullptr : &*found;
}

int Connections::take_stalest(const std::string* address) {
  const Open* stalest = nullptr;
  for (const Open& one : open_) {
    if (address != nullptr && one.address != *address) continue;
    if (stalest == nullptr || one.finished_ns < stalest->finished_ns) stalest = &one;
  }
  if (stalest == nullptr) return -1;
  const int fd = stalest->fd;
  remove(fd);
  return fd;
}

}  // namespace twtrace::exporter
