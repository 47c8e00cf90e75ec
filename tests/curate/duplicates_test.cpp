#include "curate/duplicates.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>

#include "base/rng.h"
#include "support/files.h"

namespace cupel::curate {
namespace {

using Texts = std::vector<std::string>;

struct Search {
  DedupConfig config = {};
  int64_t memory_limit = 1 << 24;
  int threads = 2;
  int64_t references = 0;
};

std::vector<Duplicate> duplicates_of(const Texts& texts, const Search& search = {},
                                     int64_t* spilled = nullptr) {
  const TemporaryFolder folder;
  ThreadPool pool(search.threads);
  DuplicateFinder finder(search.config, search.memory_limit, folder.path(), pool);
  for (const std::string& text : texts) {
    const Fingerprint made = finder.fingerprint(text);
    const bool reference = &text - texts.data() < search.references;
    reference ? finder.add_reference(made) : finder.add(made);
  }
  std::vector<Duplicate> found;
  finder.find([&](int64_t document) { return texts.at(static_cast<std::size_t>(document)); },
              [&](const Duplicate& each) { found.push_back(each); }, [] {});
  if (spilled != nullptr) *spilled = finder.spilled_bytes();
  return found;
}

/// The rule as it stands in the header, over all pairs.
std::vector<Duplicate> by_definition(const Texts& texts, const Search& search) {
  const NearConfig& near = *search.config.near;
  const MinHash minhash(static_cast<int>(near.bands), static_cast<int>(near.rows));
  std::vector<std::vector<uint64_t>> sets, keys;
  for (const std::string& text : texts) {
    sets.push_back(shingles(text, static_cast<int>(near.ngram), near.ngram_unit));
    keys.emplace_back(static_cast<std::size_t>(near.bands));
    minhash.band_keys(sets.back(), keys.back());
  }
  std::vector<Duplicate> found;
  std::map<std::string, int64_t> first;
  std::map<int64_t, Duplicate> dropped;
  for (std::size_t d = 0; d < texts.size(); ++d) {
    const auto document = static_cast<int64_t>(d);
    const auto [original, fresh] = first.emplace(texts[d], document);
    const bool reference = document < search.references;
    Duplicate best{document, -1, 0, false};
    if (!fresh) {
      const auto fate = dropped.find(original->second);
      best = fate == dropped.end() ? Duplicate{document, original->second, 1, search.config.exact}
                                   : fate->second;
      best.document = document;
      if (!reference) found.push_back(best);
      continue;
    }
    for (std::size_t k = 0; k < d && !reference; ++k) {
      if (dropped.contains(static_cast<int64_t>(k)) ||
          first.at(texts[k]) != static_cast<int64_t>(k))
        continue;
      bool candidate = false;
      for (std::size_t b = 0; b < keys[d].size(); ++b) candidate |= keys[d][b] == keys[k][b];
      const double similarity = jaccard(sets[d], sets[k]);
      if (candidate && similarity >= near.jaccard && similarity > best.similarity)
        best.kept = static_cast<int64_t>(k), best.similarity = similarity;
    }
    if (best.kept < 0) continue;
    dropped[document] = best;
    found.push_back(best);
  }
  return found;
}

/// Families of texts that differ by edits, copies among them, in random order.
Texts random_corpus(uint64_t seed, std::size_t size) {
  Rng rng(seed, "corpus");
  const auto letters = [&](std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += static_cast<char>('a' + rng.below(4));
    return text;
  };
  Texts texts;
  while (texts.size() < size) {
    if (texts.empty() || rng.below(3) == 0) {
      texts.push_back(letters(rng.below(120)));
    } else {
      std::string text = texts[rng.below(texts.size())];
      for (uint64_t edits = rng.below(4); edits > 0; --edits)
        text.insert(rng.below(text.size() + 1), letters(1 + rng.below(3)));
      texts.push_back(text);
    }
  }
  return texts;
}

TEST(DuplicateFinder, DecidesAsTheDefinitionOverAllPairsDoes) {
  std::size_t near = 0, copies = 0;
  for (uint64_t seed = 0; seed < 25; ++seed) {
    const Texts texts = random_corpus(seed, 40 + 8 * seed);
    for (const NgramUnit unit : {NgramUnit::char_, NgramUnit::word}) {
      Search search;
      search.config.exact = seed % 3 != 0;
      search.config.near = NearConfig{seed % 2 == 0 ? 0.7 : 0.4, 4, unit, 12, 3};
      search.references = seed % 4 == 0 ? 10 : 0;
      const std::vector<Duplicate> found = duplicates_of(texts, search);
      ASSERT_EQ(found, by_definition(texts, search)) << seed;
      for (const Duplicate& each : found) (each.similarity < 1 ? near : copies) += 1;
    }
  }
  EXPECT_GT(near, 500u);
  EXPECT_GT(copies, 200u);
}

TEST(DuplicateFinder, FindsTheSameWithAnyNumberOfThreadsAndAnyMemory) {
  const Texts texts = random_corpus(99, 1000);
  Search search;
  search.config.near->bands = 10;
  const std::vector<Duplicate> expected = duplicates_of(texts, search);
  EXPECT_GT(expected.size(), 200u);
  for (const int threads : {1, 2, 7}) {
    for (const int64_t memory : {0, 50000, 1 << 20}) {
      search.threads = threads;
      search.memory_limit = memory;
      int64_t spilled = 0;
      EXPECT_EQ(duplicates_of(texts, search, &spilled), expected) << threads << " " << memory;
      EXPECT_EQ(spilled > 0, memory < 1 << 20);
    }
  }
}

TEST(DuplicateFinder, DropsCopiesForTheFirstAndNamesThemExact) {
  const Texts texts = {"one text", "another", "one text", "one text"};
  Search search;
  search.config.near.reset();
  EXPECT_EQ(duplicates_of(texts, search),
            (std::vector<Duplicate>{{2, 0, 1, true}, {3, 0, 1, true}}));
  search.config.exact = false;
  EXPECT_EQ(duplicates_of(texts, search), std::vector<Duplicate>());
  search.config.near.emplace();
  EXPECT_EQ(duplicates_of(texts, search),
            (std::vector<Duplicate>{{2, 0, 1, false}, {3, 0, 1, false}}));
}

TEST(DuplicateFinder, LetsACopyOfADroppedOneShareItsFate) {
  const std::string text = "a sentence of some length that stands for a page of text";
  const Texts texts = {text, text + "s", text + "s"};
  const std::vector<Duplicate> found = duplicates_of(texts);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].kept, 0);
  EXPECT_EQ(found[1], (Duplicate{2, 0, found[0].similarity, false}));
  EXPECT_LT(found[0].similarity, 1);
}

TEST(DuplicateFinder, FindsNothingInNothing) {
  EXPECT_EQ(duplicates_of({}), std::vector<Duplicate>());
  EXPECT_EQ(duplicates_of({""}), std::vector<Duplicate>());
  EXPECT_EQ(duplicates_of({"", ""}), (std::vector<Duplicate>{{1, 0, 1, true}}));
}

/// Texts of words, each sharing all but the ninth part with the one before: J = 0.8.
Texts chain(int64_t length) {
  Texts texts;
  for (int64_t i = 0; i < length; ++i) {
    std::string text;
    for (int64_t w = i; w < i + 9; ++w) text += (w > i ? " w" : "w") + std::to_string(w);
    texts.push_back(text);
  }
  return texts;
}

TEST(DuplicateFinder, DoesNotFollowChainsOfNeighbours) {
  const Texts texts = chain(1000);
  Search search;
  search.config.near = NearConfig{0.7, 1, NgramUnit::word, 25, 5};
  const auto set = [&](int64_t document) {
    return shingles(texts[static_cast<std::size_t>(document)], 1, NgramUnit::word);
  };
  EXPECT_EQ(jaccard(set(0), set(1)), 0.8);
  EXPECT_EQ(jaccard(set(0), set(999)), 0);
  const std::vector<Duplicate> found = duplicates_of(texts, search);
  EXPECT_GT(found.size(), 400u);
  EXPECT_LE(found.size(), 500u);
  std::set<int64_t> dropped;
  for (const Duplicate& each : found) dropped.insert(each.document);
  for (const Duplicate& each : found) {
    EXPECT_FALSE(dropped.contains(each.kept));
    EXPECT_GE(each.similarity, 0.7);
    EXPECT_EQ(each.similarity, jaccard(set(each.document), set(each.kept)));
  }
}

TEST(DuplicateFinder, ComparesManyAlikeWithTheOneThatIsKept) {
  const std::string text = "a page that many sites carry with a counter at its end, number ";
  Texts texts;
  for (int i = 1000; i < 4000; ++i) texts.push_back(text + std::to_string(i));
  int64_t read = 0;
  const TemporaryFolder folder;
  ThreadPool pool(1);
  DuplicateFinder finder({}, 1 << 24, folder.path(), pool);
  for (const std::string& each : texts) finder.add(finder.fingerprint(each));
  std::vector<Duplicate> found;
  finder.find(
      [&](int64_t document) {
        ++read;
        return texts[static_cast<std::size_t>(document)];
      },
      [&](const Duplicate& each) { found.push_back(each); }, [] {});
  EXPECT_GT(found.size(), 2900u);
  EXPECT_LE(read, 3000);
}

TEST(DuplicateFinder, EndsWherePollThrows) {
  ThreadPool pool(2);
  DuplicateFinder finder({}, 1 << 20, "/no/such/folder", pool);
  finder.add(finder.fingerprint("text"));
  EXPECT_THROW(finder.find([](int64_t) { return std::string(); }, [](const Duplicate&) {},
                           [] { throw std::runtime_error("stop"); }),
               std::runtime_error);
}

}  // namespace
}  // namespace cupel::curate
