#include "curate/substring.h"

#include <gmock/gmock.h>

#include <random>

#include "support/errors.h"

namespace cupel::curate {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kNotice =
    "All rights to this article are reserved by the publisher, and no part of it may be copied "
    "without written leave. Letters should be sent to the office in London. ";
constexpr std::string_view kChineseNotice =
    "版权所有，未经出版者书面许可不得转载本文的任何部分。来信请寄至北京市海淀区中关村大街编辑部收"
    "。";

std::vector<Repeat> found_in(const std::vector<std::string>& texts, int threads = 1,
                             int64_t min_bytes = 100) {
  ThreadPool pool(threads);
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  return find_repeats(views, min_bytes, pool);
}

TEST(Repeats, AreCutFromTheLaterDocument) {
  const std::string notice(kNotice);
  const std::string second = "The liver is an organ. " + notice + "It has two lobes.";
  const auto repeats = found_in({"The heart is a muscle. " + notice + "It beats.", second});
  ASSERT_EQ(repeats.size(), 1u);
  EXPECT_EQ(repeats[0], (Repeat{1, 23, 23 + notice.size(), 0, 23}));
  EXPECT_EQ(remove_repeats(second, repeats), "The liver is an organ. It has two lobes.");
}

TEST(Repeats, AreCutBetweenChineseSentences) {
  const std::string notice(kChineseNotice);
  const std::string second = "肝是人体最大的腺体。" + notice + "肝分两叶。";
  const auto repeats = found_in({"心是一块肌肉。" + notice + "心在跳动。", second});
  EXPECT_EQ(remove_repeats(second, repeats), "肝是人体最大的腺体。肝分两叶。");
}

TEST(Repeats, OfPartsOfSentencesStay) {
  const std::string clause =
      " after the patient had been told of all the risks of the operation and had given consent in "
      "writing";
  EXPECT_THAT(found_in({"We began" + clause + " to us.", "They ended" + clause + " to them."}),
              IsEmpty());
}

TEST(Repeats, ShorterThanAskedStay) {
  const std::string text(kNotice);
  EXPECT_THAT(found_in({text, text}, 1, static_cast<int64_t>(text.size()) + 1), IsEmpty());
  EXPECT_EQ(found_in({text, text}, 1, static_cast<int64_t>(text.size())).size(), 1u);
}

TEST(Repeats, WithinOneDocumentKeepTheFirst) {
  const std::string notice(kNotice);
  const std::string text = notice + "Between. " + notice;
  EXPECT_EQ(remove_repeats(text, found_in({text})), notice + "Between. ");
}

TEST(Repeats, OfAWholeDocumentLeaveNothing) {
  const std::string notice(kNotice);
  const auto repeats = found_in({notice, notice, notice});
  ASSERT_EQ(repeats.size(), 2u);
  EXPECT_EQ(remove_repeats(notice, {&repeats[1], 1}), "");
}

TEST(Repeats, AreNoneInShortOrNoDocuments) {
  EXPECT_THAT(found_in({}), IsEmpty());
  EXPECT_THAT(found_in({"", "short", "short"}), IsEmpty());
}

/// Documents put together from a few sentences.
std::vector<std::string> random_documents(std::mt19937& random) {
  std::vector<std::string> sentences;
  for (int i = 0; i < 12; ++i) {
    std::string sentence = i % 3 == 0 ? "句子" : "Sentence";
    for (std::size_t j = 0, n = 5 + random() % 30; j < n; ++j)
      sentence += i % 3 == 0 ? "心肝肺" : " " + std::to_string(random() % 4);
    sentences.push_back(sentence + (i % 3 == 0 ? "。" : ". "));
  }
  std::vector<std::string> documents(20);
  for (std::string& document : documents) {
    for (std::size_t j = 0, n = random() % 8; j < n; ++j) document += sentences[random() % 12];
  }
  return documents;
}

TEST(Repeats, StandAtAnEarlierPlaceAndAreDisjoint) {
  std::mt19937 random(6);
  std::size_t found = 0;
  for (int trial = 0; trial < 100; ++trial) {
    const auto documents = random_documents(random);
    const auto repeats = found_in(documents);
    found += repeats.size();
    const Repeat* last = nullptr;
    for (const Repeat& r : repeats) {
      const std::string& text = documents[r.document];
      const std::string& source = documents[r.source];
      ASSERT_TRUE(r.begin < r.end && r.end <= text.size());
      const std::size_t size = r.end - r.begin;
      EXPECT_EQ(text.substr(r.begin, size), source.substr(r.source_begin, size));
      EXPECT_TRUE(r.source < r.document ||
                  (r.source == r.document && r.source_begin + size <= r.begin));
      EXPECT_TRUE(!last || last->document != r.document || last->end <= r.begin);
      last = &r;
    }
  }
  EXPECT_GT(found, 500u);
}

TEST(Repeats, DoNotDependOnTheNumberOfThreads) {
  std::mt19937 random(7);
  std::vector<std::string> documents;
  while (documents.size() < 300) {
    for (std::string& document : random_documents(random)) documents.push_back(std::move(document));
  }
  EXPECT_EQ(found_in(documents, 1), found_in(documents, 3));
}

TEST(Repeats, OfFewerThanSixtyFourBytesAreNotAskedFor) {
  EXPECT_THAT([] { found_in({"a"}, 1, 63); }, throws_error(ErrorKind::bug, "min_bytes"));
}

TEST(Repeats, OutOfOrderAreRefused) {
  const std::vector<Repeat> repeats{{0, 4, 8, 0, 0}, {0, 2, 6, 0, 0}};
  EXPECT_THAT([&] { remove_repeats("0123456789", repeats); }, throws_error(ErrorKind::bug, ""));
}

}  // namespace
}  // namespace cupel::curate
