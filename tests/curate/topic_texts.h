// Texts about two subjects, for tests of what tells them apart.
#pragma once

#include <string>
#include <vector>

#include "base/rng.h"

namespace cupel::curate {

inline const std::vector<std::string> kBody = {"heart", "lung",   "liver", "blood", "nerve",
                                               "bone",  "muscle", "skin",  "artery"};
inline const std::vector<std::string> kMoney = {"bank",  "loan",   "coin",  "market", "share",
                                                "price", "credit", "trade", "debt"};

/// Each of 20 to 40 words, half of them about the subject, half about nothing.
inline std::vector<std::string> texts_about(const std::vector<std::string>& subject, int count,
                                            uint64_t seed) {
  static const std::vector<std::string> other = {"of", "in", "with", "more", "less", "was"};
  Rng rng(seed, "texts about");
  std::vector<std::string> texts;
  for (int i = 0; i < count; ++i) {
    std::string text = "the";
    for (uint64_t words = 19 + rng.below(21); words > 0; --words) {
      const std::vector<std::string>& from = rng.below(2) == 0 ? subject : other;
      text += " " + from[rng.below(from.size())];
    }
    texts.push_back(text);
  }
  return texts;
}

}  // namespace cupel::curate
