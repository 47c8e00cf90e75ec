// Seeded problems of multi-step arithmetic and logic, each with its worked solution: training and
// test rows whose answers are right by construction.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"

namespace cupel {

/// arithmetic: (3+4)*2-5=         7*2-5=14-5=9
/// comparison: 3*2>9-4=           6>9-4=6>5=true
/// boolean:    not true or 3<5=   false or 3<5=false or true=true
/// ordering:   b<e,c<b least=     c<b<e=c
/// Left the prompt, right the completion: a reduction a step, the answer behind the last '='.
enum class ProblemKind { arithmetic, comparison, boolean, ordering };
constexpr std::array<std::string_view, 4> names(ProblemKind) {
  return {"arithmetic", "comparison", "boolean", "ordering"};
}
static_assert(names(ProblemKind{}).size() == static_cast<std::size_t>(ProblemKind::ordering) + 1);

/// A prompt belongs to one of the two by its hash (every tenth to test), so a training set and a
/// test set never share a prompt, whatever their random seeds, sizes and levels.
enum class ProblemSplit { train, test };

/// A problem of level n has n + 1 operations, truth values or relations.
constexpr int64_t kMaxProblemLevel = 6;

struct ProblemOptions {
  int64_t min_level = 1;
  int64_t max_level = 2;  // up to kMaxProblemLevel
  ProblemSplit split = ProblemSplit::train;
};

struct Problem {
  std::string prompt;
  std::string completion;
  ProblemKind kind = ProblemKind::arithmetic;
  int64_t level = 1;
};

/// `count` problems, half of them arithmetic, every level as often; numbers and intermediate
/// results are 0 to 99. A test set repeats no prompt, a training set may.
/// Error{config}: levels out of order or range; more test problems than there are.
std::vector<Problem> generate_problems(Rng& rng, int64_t count, const ProblemOptions& options);

/// What a solution ends with: behind the last '=' of the first line, or that line if it has none,
/// without the blanks around it.
std::string final_answer(std::string_view text);

}  // namespace cupel
