// A text as the set of its n-grams: what near-duplicates are compared by.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace cupel::curate {

/// What an n-gram is made of: code points, or the words of next_word().
enum class NgramUnit { char_, word };
constexpr std::array<std::string_view, 2> names(NgramUnit) { return {"char", "word"}; }

/// Hashes of the distinct n-grams, ascending. A text of fewer than `ngram` units is one n-gram, and
/// one without any word is taken whole, so no set is empty. `text` is a normal_form(). Two n-grams
/// that differ share a hash by a chance of 2^-64: it is a polynomial over hashed units, not a
/// defence against texts made to collide.
std::vector<uint64_t> shingles(std::string_view text, int ngram, NgramUnit unit);

/// |a ∩ b| / |a ∪ b| of two ascending sets; 1 if both are empty.
double jaccard(std::span<const uint64_t> a, std::span<const uint64_t> b);

/// The same if it is at least `least` (in (0, 1]), else 0: it stops where too few are left.
double jaccard_if_at_least(std::span<const uint64_t> a, std::span<const uint64_t> b, double least);

}  // namespace cupel::curate
