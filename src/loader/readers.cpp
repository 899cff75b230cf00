// SPDX-License-Identifier: Apache-2.0
#include "loader/readers.hpp"

#include <utility>

#include "loader/reader_object.hpp"

namespace twtrace::loader {

Readers::Readers(std::unique_ptr<ReaderObject> object, NamespaceReader namespaces)
    : object_(std::move(object)), namespaces_(std::move(namespaces)) {}
Readers::Readers(Readers&&) noexcept = default;
Readers& Readers::operator=(Readers&&) noexcept = default;
Readers::~Readers() = default;

base::Result<Readers> Readers::open(const Features& features, const ReaderOptions& options) {
  auto object = ReaderObject::open(features, options);
  if (!object) return tl::unexpected(object.error());
  auto namespaces = NamespaceReader::make(**object);
  if (!namespaces) return tl::unexpected(namespaces.error());
  return Readers(std::move(*object), std::move(*namespaces));
}

const ReaderRuns& Readers::runs() const { return object_->runs(); }

}  // namespace twtrace::loader
