#include "curate/vocabulary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace cupel::curate {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> terms_of(std::string_view text) {
  std::vector<std::string> terms;
  for_each_term(text, [&](std::string_view term) { terms.emplace_back(term); });
  return terms;
}

std::vector<std::string> all_terms(const Vocabulary& vocabulary) {
  std::vector<std::string> terms;
  for (int32_t id = 0; id < vocabulary.size(); ++id) terms.push_back(vocabulary.term(id));
  return terms;
}

TEST(Terms, AreWordsOfTheNormalForm) {
  EXPECT_THAT(terms_of("The Heart, the HEART’s beat"),
              ElementsAre("the", "heart", "the", "heart’s", "beat"));
  EXPECT_THAT(terms_of(" ,. "), IsEmpty());
}

TEST(Terms, HoldPairsOfCharactersThatCountAsWords) {
  EXPECT_THAT(terms_of("心脏病"), ElementsAre("心", "脏", "心脏", "病", "脏病"));
  EXPECT_THAT(terms_of("心，脏 CT 病"), ElementsAre("心", "脏", "ct", "病"))
      << "only what stands together is a pair";
}

TEST(Vocabulary, OrdersTermsByDocumentsThenByBytes) {
  const std::vector<std::string_view> texts{"b a a c", "a b", "a d", "zebra"};
  EXPECT_THAT(all_terms(Vocabulary(texts, {.min_documents = 1, .max_document_share = 1})),
              ElementsAre("a", "b", "c", "d", "zebra"));
}

TEST(Vocabulary, LeavesOutTheRareTheCommonAndStopWords) {
  const std::vector<std::string_view> texts{"the heart beats", "the heart rests", "the lung beats",
                                            "the lung"};
  EXPECT_THAT(all_terms(Vocabulary(texts, {.max_document_share = 0.75})),
              ElementsAre("beats", "heart", "lung"));
  EXPECT_THAT(all_terms(Vocabulary(texts, {.stop_words = {"HEART"}})),
              ElementsAre("beats", "lung"));
}

TEST(Vocabulary, KeepsTheTermsOfMostDocumentsWhereThereAreTooMany) {
  const std::vector<std::string_view> texts{"a b c", "a b", "a"};
  const VocabularyOptions options{.min_documents = 1, .max_document_share = 1, .max_terms = 2};
  EXPECT_THAT(all_terms(Vocabulary(texts, options)), ElementsAre("a", "b"));
}

TEST(Vocabulary, DoesNotDependOnTheOrderOfDocuments) {
  std::vector<std::string_view> texts{"x y", "y z", "z x", "q y", "q"};
  const std::vector<std::string> expected = all_terms(Vocabulary(texts, {.max_document_share = 1}));
  std::reverse(texts.begin(), texts.end());
  EXPECT_EQ(all_terms(Vocabulary(texts, {.max_document_share = 1})), expected);
}

TEST(Vocabulary, EncodesInOrderAndLeavesOutWhatItDoesNotKnow) {
  const std::vector<std::string_view> texts{"heart beat", "heart beat", "lung"};
  const Vocabulary vocabulary(texts, {.max_document_share = 1});
  EXPECT_THAT(vocabulary.encode("Beat, unknown heart beat"),
              ElementsAre(vocabulary.id("beat"), vocabulary.id("heart"), vocabulary.id("beat")));
  EXPECT_EQ(vocabulary.id("lung"), -1);
}

TEST(TermDocuments, GiveEachDocumentBack) {
  TermDocuments documents;
  documents.add(std::vector<int32_t>{1, 2});
  documents.add({});
  documents.add(std::vector<int32_t>{3});
  ASSERT_EQ(documents.size(), 3);
  EXPECT_THAT(documents[0], ElementsAre(1, 2));
  EXPECT_THAT(documents[1], IsEmpty());
  EXPECT_THAT(documents[2], ElementsAre(3));
}

}  // namespace
}  // namespace cupel::curate
