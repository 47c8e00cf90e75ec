#include "pipeline/claims/dirty_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "data/unicode.h"
#include "support/errors.h"

namespace cupel::pipeline::claims {
namespace {

using testing::ElementsAre;
using testing::Pair;

std::vector<SourceText> numbered(const std::string& source, int count) {
  std::vector<SourceText> texts;
  for (int i = 0; i < count; ++i) {
    const std::string number = std::to_string(i);
    texts.push_back({source, "the " + source + " of " + number + " was seen in case " + number +
                                 " of a study with more than one word to edit"});
  }
  return texts;
}

std::vector<SourceText> other_domains(int count) {
  std::vector<SourceText> texts = numbered("plays", count);
  for (SourceText& text : numbered("mathematics", count)) texts.push_back(std::move(text));
  return texts;
}

std::vector<PoolRow> pool_of(int texts, uint64_t seed = 1) {
  return make_dirty_pool(numbered("nerve", texts), other_domains(40), seed);
}

std::map<std::string, int> count_kinds(const std::vector<PoolRow>& pool) {
  std::map<std::string, int> kinds;
  for (const PoolRow& row : pool) ++kinds[row.kind];
  return kinds;
}

TEST(DirtyPool, Exactly23PercentAreInvalidInFourKinds) {
  EXPECT_THAT(count_kinds(pool_of(160)),  // 154 valid, 46 invalid
              ElementsAre(Pair("bad_format", 11), Pair("exact_dup", 12), Pair("near_dup", 12),
                          Pair("off_domain", 11), Pair("valid", 154)));
  for (const int texts : {80, 158, 159, 240, 500}) {
    const std::vector<PoolRow> pool = pool_of(texts);
    const auto valid = static_cast<std::size_t>(count_kinds(pool).at("valid"));
    EXPECT_EQ((pool.size() - valid) * 100, pool.size() * kInvalidPercent) << texts;
  }
}

TEST(DirtyPool, ACopyNamesTheValidRowThatItCopies) {
  const std::vector<PoolRow> pool = pool_of(160);
  std::map<std::string, const PoolRow*> by_id;
  for (const PoolRow& row : pool) EXPECT_TRUE(by_id.emplace(row.id, &row).second);
  std::set<std::string> copied;
  for (const PoolRow& row : pool) {
    EXPECT_EQ(row.dup_of.empty(), row.kind != "exact_dup" && row.kind != "near_dup");
    if (row.dup_of.empty()) continue;
    const PoolRow& original = *by_id.at(row.dup_of);
    EXPECT_EQ(original.kind, "valid");
    EXPECT_EQ(original.label, row.label);
    EXPECT_TRUE(copied.insert(row.dup_of).second) << "a row is copied once";
    if (row.kind == "exact_dup") {
      EXPECT_EQ(normal_form(original.text), normal_form(row.text));
    }
  }
}

TEST(DirtyPool, ADamagedTextIsNoValidRowToo) {
  std::set<std::string> valid;
  const std::vector<PoolRow> pool = pool_of(160);
  for (const PoolRow& row : pool) {
    if (row.kind == "valid") valid.insert(row.text);
  }
  EXPECT_EQ(valid.size(), 154u);
  for (const PoolRow& row : pool) {
    if (row.kind != "bad_format") continue;
    EXPECT_FALSE(valid.contains(row.text));
    EXPECT_EQ(row.label.empty(), row.subkind == "no_label");
  }
}

TEST(DirtyPool, OtherDomainsHaveEqualParts) {
  std::map<std::string, int> sources;
  for (const PoolRow& row : pool_of(320)) {  // 308 valid, 92 invalid
    if (row.kind == "off_domain") ++sources[row.subkind];
  }
  EXPECT_THAT(sources, ElementsAre(Pair("mathematics", 12), Pair("plays", 11)));
}

TEST(DirtyPool, TheRandomSeedDecidesRowsAndOrder) {
  const auto texts = [](uint64_t seed) {
    std::vector<std::string> out;
    for (const PoolRow& row : pool_of(160, seed)) out.push_back(row.id + row.text + row.dup_of);
    return out;
  };
  EXPECT_EQ(texts(1), texts(1));
  EXPECT_NE(texts(1), texts(2));
}

TEST(DirtyPool, SaysWhatThereIsTooLittleOf) {
  EXPECT_THAT([] { pool_of(79); },
              throws_error(ErrorKind::data, "are 79, and 80 of another domain; give at least 80"));
  EXPECT_THAT([] { make_dirty_pool(numbered("nerve", 160), {}, 1); },
              throws_error(ErrorKind::data, "are 160, and 0 of another domain"));
  EXPECT_THAT(
      [] { make_dirty_pool(numbered("nerve", 160), other_domains(5), 1); },
      throws_error(ErrorKind::data, "mathematics: has 5 texts of another domain, where 6 are"));
}

}  // namespace
}  // namespace cupel::pipeline::claims
