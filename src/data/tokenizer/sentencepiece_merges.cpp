#include "data/tokenizer/sentencepiece_merges.h"

#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "base/text.h"

namespace cupel {

namespace {

constexpr std::size_t kMaxPieceBytes = 256;

struct Candidate {
  PieceMerge halves;
  double score = 0;
};

bool begins_character(std::string_view text, std::size_t at) { return (text[at] & 0xC0) != 0x80; }

}  // namespace

std::vector<PieceMerge> sentencepiece_merges(const std::vector<std::string_view>& pieces,
                                             const std::vector<double>& scores,
                                             const std::string& where) {
  CUPEL_ASSERT(pieces.size() == scores.size());
  std::unordered_map<std::string_view, std::size_t> ids;
  for (std::size_t id = 0; id < pieces.size(); ++id) {
    if (pieces[id].size() > kMaxPieceBytes) {
      fail(ErrorKind::data, where,
           "piece \"" + clip(pieces[id], 40) + "\" has " + std::to_string(pieces[id].size()) +
               " bytes, at most 256 allowed",
           "the file is damaged; fetch it again");
    }
    if (!pieces[id].empty()) ids.emplace(pieces[id], id);
  }
  std::vector<Candidate> candidates;
  for (std::size_t id = 0; id < pieces.size(); ++id) {
    const std::string_view piece = pieces[id];
    std::vector<std::pair<std::pair<std::size_t, std::size_t>, Candidate>> ways;  // by both ids
    for (std::size_t cut = 1; cut < piece.size(); ++cut) {
      if (!begins_character(piece, cut)) continue;
      const std::string_view left = piece.substr(0, cut), right = piece.substr(cut);
      const auto at_left = ids.find(left), at_right = ids.find(right);
      if (at_left == ids.end() || at_right == ids.end()) continue;
      ways.push_back({{at_left->second, at_right->second}, {{left, right}, scores[id]}});
    }
    std::sort(ways.begin(), ways.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& way : ways) candidates.push_back(way.second);
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
  std::vector<PieceMerge> merges;
  for (const Candidate& candidate : candidates) merges.push_back(candidate.halves);
  return merges;
}

}  // namespace cupel
