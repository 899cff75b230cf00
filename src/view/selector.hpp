// SPDX-License-Identifier: Apache-2.0
// Selects rows and events. Options of the command line, the live view's filter and the labels of budgets all become a
// Selector. It hides rows. It never changes a count or a namespace's totals. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/snapshot.hpp"
#include "model/source.hpp"
#include "view/comparison.hpp"
#include "view/pattern.hpp"

namespace twtrace::view {

/// The input of a selector, by reference. An unknown value is empty, and no term about it matches.
struct Subject {
  model::RowKind kind = model::RowKind::kNormal;
  std::optional<std::uint32_t> pid;
  std::string_view comm;
  const base::Service* service = nullptr;
  std::optional<model::Role> role;
  std::optional<std::uint16_t> port;      ///< service port
  std::optional<std::uint32_t> netns;     ///< inode number
  std::optional<std::uint32_t> netns_id;  ///< model::NetnsRow::id
  std::string_view netns_name;
  std::optional<bool> ipv6;
  std::optional<std::uint16_t> local_port;  ///< of events
  std::optional<std::uint16_t> remote_port;
  std::optional<bool> matched;            ///< of rows: the kernel side found that both ports match
  std::array<std::string_view, 3> words;  ///< other texts that a plain word searches: addresses, the kind of an event
};
Subject subject_of(const model::Fact& fact, const model::NetnsInfo& netns);
Subject subject_of(const model::Row& row);
Subject subject_of(const model::Event& event);
Subject subject_of(const model::NetnsRow& netns);
/// A line of a log has its text and the name of its log, which plain words search, and nothing else.
Subject subject_of(const model::Log& log, const model::LogLine& line);

/// The numbers of a row.
struct Amounts {
  const model::Counters& counts;
  std::optional<std::uint64_t> live;
  double created_per_s = 0;
  double overflow_per_s = 0;
};

/// The subject of a term. kWord is a plain word, which searches all names and addresses, the port and the pid.
enum class Key { kWord, kPid, kComm, kService, kRole, kPort, kNetns, kIpVersion, kLocalPort, kRemotePort, kAmount };

/// One condition.
struct Term {
  Key key = Key::kWord;
  Op op = Op::kMatch;
  Pattern pattern;                                            ///< of kWord, kComm, kService, kRole and kNetns
  double number = 0;                                          ///< of the others
  std::optional<std::uint32_t> netns_id = {};                 ///< of kNetns, instead of the pattern
  std::optional<double> (*amount)(const Amounts&) = nullptr;  ///< of kAmount
  std::size_t at = 0;                                         ///< offset in the text from which it was parsed

  static Term equal(Key key, double number);
};

/// Whether the subject has what the term asks for. Terms about amounts always hold.
bool holds(const Term& term, const Subject& of);

/// Selects one namespace by NetnsRow::id, as `netns=id:N` does.
Term netns_term(std::uint32_t id);

/// Conditions that must all be true. Without conditions it accepts everything. A value; safe to share once it is made.
class Selector {
 public:
  Selector() = default;
  explicit Selector(std::vector<Term> terms) : terms_(std::move(terms)) {}

  bool empty() const { return terms_.empty(); }
  const std::vector<Term>& terms() const { return terms_; }
  bool asks(Key key) const;
  void add(Term term) { terms_.push_back(std::move(term)); }
  void add(const Selector& more) { terms_.insert(terms_.end(), more.terms_.begin(), more.terms_.end()); }
  Selector only(Key key) const;
  Selector without(Key key) const;

  /// True if every term matches that is not about an amount.
  bool accepts(const Subject& subject) const;
  /// True if every term matches that is about an amount.
  bool accepts(const Amounts& amounts) const;

 private:
  std::vector<Term> terms_;
};

/// An error if a term names one namespace (by inode number, or by name with ==) but several of these had that number or
/// name, one after another: the kernel reuses the numbers, and people reuse names. It says which ones, and their ids.
base::Result<void> check_unambiguous(const Selector& selector, const std::vector<model::NetnsName>& namespaces);

/// Which terms are allowed. A filter allows all. Labels allow neither plain words nor pids nor amounts.
enum class Grammar { kFilter, kLabels };

/// Why a text is not a selector.
struct SelectorError {
  std::size_t at = 0;  ///< offset into the text
  std::string what;
  std::string hint;  ///< what to type instead
};

/// Terms of one text. No more are needed, and a hundred thousand rows are asked about each.
inline constexpr std::size_t kMostTerms = 32;

/// TERM { (blank | ",") TERM }, TERM = KEY OP VALUE | WORD. Values with blanks, commas or operators need double quotes.
/// The case of keys does not matter. A filter may be empty, labels may not. More than kMostTerms, or a text longer than
/// Pattern::kLongest, is an error.
tl::expected<Selector, SelectorError> parse_selector(std::string_view text, Grammar grammar);

/// kUsage for a name that begins or ends with a blank: nothing is called so, but a shell makes such values.
base::Result<void> check_blanks(std::string_view name);

/// Makes the term `key OP value`, with a `key` of the grammar. The value `id:N` of netns is a NetnsRow::id. kUsage,
/// with what to type, for an unknown key, a value that the key cannot have, or an operator that makes no sense.
base::Result<Term> make_term(std::string_view key, Op op, std::string_view value, Grammar grammar);

}  // namespace twtrace::view
