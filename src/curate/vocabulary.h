// Terms of documents and their ids: what topic models and n-gram scores read in place of text.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace cupel::curate {

/// Documents as terms: those of document d are terms[first[d]] … terms[first[d + 1] - 1].
struct TermDocuments {
  std::vector<int32_t> terms;
  std::vector<int64_t> first = {0};

  int64_t size() const { return static_cast<int64_t>(first.size()) - 1; }
  std::span<const int32_t> operator[](int64_t d) const {
    const auto begin = static_cast<std::size_t>(first[static_cast<std::size_t>(d)]);
    const auto end = static_cast<std::size_t>(first[static_cast<std::size_t>(d) + 1]);
    return std::span(terms).subspan(begin, end - begin);
  }
  void add(std::span<const int32_t> document);
};

/// The terms of a text in order: words of its normal form, and of characters that count as words
/// alone (Chinese, Japanese, Thai …) each pair that stands together as well.
void for_each_term(std::string_view text, const std::function<void(std::string_view)>& visit);

struct VocabularyOptions {
  int64_t min_documents = 2;                 // a term in fewer documents is left out
  double max_document_share = 0.5;           // … and one in more than this share of them
  int64_t max_terms = 100'000;               // those in most documents stay
  std::vector<std::string> stop_words = {};  // left out; in any case and width
};

/// Ids go from the term in most documents to the rarest, equal ones in the order of their bytes, so
/// they depend on the set of documents alone.
class Vocabulary {
 public:
  Vocabulary() = default;
  Vocabulary(std::span<const std::string_view> texts, const VocabularyOptions& options);

  int32_t size() const { return static_cast<int32_t>(terms_.size()); }
  const std::string& term(int32_t id) const { return terms_[static_cast<std::size_t>(id)]; }
  /// -1 where it is not a term.
  int32_t id(std::string_view term) const;
  /// Ids of the text's terms in order; what is no term is left out.
  std::vector<int32_t> encode(std::string_view text) const;

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::vector<std::string> terms_;
  std::unordered_map<std::string, int32_t, Hash, std::equal_to<>> ids_;
};

}  // namespace cupel::curate
