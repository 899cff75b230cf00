// SPDX-License-Identifier: Apache-2.0
#include "loader/readers.hpp"

#include <utility>

#include "loader/reader_object.hpp"

namespace twtrace::loader {

Readers::Readers(std::unique_ptr<ReaderObject> object, NamespaceReader namespaces, TableReader table,
                 ListenerReader listeners)
    : object_(std::move(object)),
      namespaces_(std::move(namespaces)),
      table_(std::move(table)),
      listeners_(std::move(listeners)) {}
Readers::Readers(Readers&&) noexcept = default;
Readers& Readers::operator=(Readers&&) noexcept = default;
Readers::~Readers() = default;

base::Result<Readers> Readers::open(const Features& features, const ReaderOptions& options) {
  auto object = ReaderObject::open(features, options);
  if (!object) return tl::unexpected(object.error());
  auto namespaces = NamespaceReader::make(**object);
  if (!namespaces) return tl::unexpected(namespaces.error());
  auto table = TableReader::make(**object);
  if (!table) return tl::unexpected(table.error());
  auto listeners = ListenerReader::make(**object);
  if (!listeners) return tl::unexpected(listeners.error());
  return Readers(std::move(*object), std::move(*namespaces), std::move(*table), std::move(*listeners));
}

const ReaderRuns& Readers::runs() const { return object_->runs(); }

}  // namespace twtrace::loader
