#include "curate/vocabulary.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "data/unicode.h"

namespace cupel::curate {
namespace {

struct Seen {
  int64_t documents = 0;
  std::size_t last = 0;  // the document it was seen in last, from 1
};

/// In how many of the texts each term stands.
std::unordered_map<std::string, Seen> count_documents(std::span<const std::string_view> texts) {
  std::unordered_map<std::string, Seen> counts;
  std::string key;
  for (std::size_t d = 1; d <= texts.size(); ++d) {
    for_each_term(texts[d - 1], [&](std::string_view term) {
      Seen& seen = counts[key.assign(term)];
      if (std::exchange(seen.last, d) != d) ++seen.documents;
    });
  }
  return counts;
}

bool stands_alone(std::string_view word) {
  std::size_t at = 0;
  return is_word_alone(next_character(word, at)) && at == word.size();
}

}  // namespace

void TermDocuments::add(std::span<const int32_t> document) {
  terms.insert(terms.end(), document.begin(), document.end());
  first.push_back(static_cast<int64_t>(terms.size()));
}

void for_each_term(std::string_view text, const std::function<void(std::string_view)>& visit) {
  const std::string form = normal_form(text);
  const std::string_view whole = form;
  std::string_view before;  // the word before, if it stands alone
  std::size_t at = 0;
  for (std::string_view word; !(word = next_word(whole, at)).empty();) {
    visit(word);
    const std::string_view alone = stands_alone(word) ? word : std::string_view();
    const bool together = !before.empty() && before.data() + before.size() == word.data();
    if (!alone.empty() && together) visit({before.data(), before.size() + word.size()});
    before = alone;
  }
}

Vocabulary::Vocabulary(std::span<const std::string_view> texts, const VocabularyOptions& options) {
  std::unordered_set<std::string> stop_words;
  for (const std::string& word : options.stop_words) stop_words.insert(normal_form(word));
  const double most = options.max_document_share * static_cast<double>(texts.size());
  std::vector<std::pair<int64_t, std::string>> kept;
  for (auto& [term, seen] : count_documents(texts)) {
    const bool common = static_cast<double>(seen.documents) > most;
    if (seen.documents < options.min_documents || common || stop_words.contains(term)) continue;
    kept.emplace_back(-seen.documents, term);
  }
  std::sort(kept.begin(), kept.end());
  kept.resize(std::min(kept.size(), static_cast<std::size_t>(options.max_terms)));
  for (auto& [documents, term] : kept) {
    ids_.emplace(term, static_cast<int32_t>(terms_.size()));
    terms_.push_back(std::move(term));
  }
}

int32_t Vocabulary::id(std::string_view term) const {
  const auto found = ids_.find(term);
  return found == ids_.end() ? -1 : found->second;
}

std::vector<int32_t> Vocabulary::encode(std::string_view text) const {
  std::vector<int32_t> ids;
  for_each_term(text, [&](std::string_view term) {
    if (const int32_t known = id(term); known >= 0) ids.push_back(known);
  });
  return ids;
}

}  // namespace cupel::curate
