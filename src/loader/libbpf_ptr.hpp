// SPDX-License-Identifier: Apache-2.0
// Objects of libbpf, owned.
#pragma once

#include <bpf/libbpf.h>

#include <memory>

namespace twtrace::loader {

/// A C object with a destroy function.
template <class T, void (*kDestroy)(T*)>
struct Destroyer {
  void operator()(T* object) const { kDestroy(object); }
};

inline void destroy_link(bpf_link* link) { bpf_link__destroy(link); }

using LinkPtr = std::unique_ptr<bpf_link, Destroyer<bpf_link, destroy_link>>;
using RingPtr = std::unique_ptr<ring_buffer, Destroyer<ring_buffer, ring_buffer__free>>;

}  // namespace twtrace::loader
