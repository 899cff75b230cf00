// SPDX-License-Identifier: Apache-2.0
#include "loader/readers.hpp"

#include <algorithm>
#include <utility>

#include "loader/table_object.hpp"

namespace twtrace::loader {

Readers::Readers(NamespaceReader namespaces, std::unique_ptr<TableObject> tables, TableReader table,
                 TableReader port_table, ListenerReader listeners, BindReader binds)
    : namespaces_(std::move(namespaces)),
      tables_(std::move(tables)),
      table_(std::move(table)),
      port_table_(std::move(port_table)),
      listeners_(std::move(listeners)),
      binds_(std::move(binds)) {}
Readers::Readers(Readers&&) noexcept = default;
Readers& Readers::operator=(Readers&&) noexcept = default;
Readers::~Readers() = default;

base::Result<Readers> Readers::open(const Features& features, const ReaderOptions& options) {
  auto namespaces = NamespaceReader::open(features, options);
  if (!namespaces) return tl::unexpected(namespaces.error());
  return open(std::move(*namespaces), features, options);
}

base::Result<Readers> Readers::open(NamespaceReader namespaces, const Features& features,
                                    const ReaderOptions& options) {
  auto tables = TableObject::prepare(features, options);
  if (!tables) return tl::unexpected(tables.error());
  if (auto loaded = (*tables)->load(); !loaded) return tl::unexpected(loaded.error());
  auto table = TableReader::make(**tables);
  if (!table) return tl::unexpected(table.error());
  auto port_table = TableReader::make(**tables);
  if (!port_table) return tl::unexpected(port_table.error());
  auto listeners = ListenerReader::make(**tables);
  if (!listeners) return tl::unexpected(listeners.error());
  auto binds = BindReader::make(**tables);
  if (!binds) return tl::unexpected(binds.error());
  return Readers(std::move(namespaces), std::move(*tables), std::move(*table), std::move(*port_table),
                 std::move(*listeners), std::move(*binds));
}

ReaderRuns Readers::runs() const {
  const ReaderRuns& namespaces = namespaces_.runs();
  const ReaderRuns& tables = tables_->runs();
  return {namespaces.count + tables.count, namespaces.total_ns + tables.total_ns,
          std::max(namespaces.longest_ns, tables.longest_ns)};
}

}  // namespace twtrace::loader
