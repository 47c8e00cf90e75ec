#include "curate/substring.h"

#include <gmock/gmock.h>

#include <random>

#include "support/errors.h"

namespace cupel::curate {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kNoticeLine =
    "All rights to this article are reserved by the publisher, and no part of it may be copied "
    "without written leave. Letters should be sent to the office in London. ";
constexpr std::string_view kChineseNotice =
    "版权所有，未经出版者书面许可不得转载本文的任何部分。来信请寄至北京市海淀区中关村大街编辑部收"
    "。";

/// A repeat and the document that it is cut from.
struct Found {
  int64_t document;
  Repeat repeat;
  bool operator==(const Found&) const = default;
};

constexpr int64_t kMemory = int64_t{64} << 20;

/// `stays` says of a document that has repeats whether later ones may repeat it.
std::vector<Found> spans_in(
    const std::vector<std::string>& texts, int64_t min_chars = 100, int64_t first = 0,
    int64_t memory = kMemory,
    const std::function<bool(int64_t)>& stays = [](int64_t) { return true; }) {
  RepeatFinder finder({min_chars}, memory, {});
  for (const std::string& text : texts) finder.add(finder.anchors(text));
  std::vector<Found> found;
  finder.find(
      first, [&](int64_t document) { return texts[static_cast<std::size_t>(document)]; },
      [&](int64_t document, std::string_view text, const std::vector<Repeat>& repeats) {
        EXPECT_EQ(text, texts[static_cast<std::size_t>(document)]);
        for (const Repeat& repeat : repeats) found.push_back({document, repeat});
        return stays(document);
      },
      [] {});
  return found;
}

/// The document without what was found in it.
std::string rest_of(const std::vector<std::string>& texts, int64_t document,
                    const std::vector<Found>& found) {
  std::vector<Repeat> repeats;
  for (const Found& each : found)
    if (each.document == document) repeats.push_back(each.repeat);
  return remove_repeats(texts[static_cast<std::size_t>(document)], repeats);
}

TEST(Repeats, AreCutFromTheLaterDocument) {
  const std::string notice(kNoticeLine);
  const std::vector<std::string> texts{"The heart is a muscle. " + notice + "It beats.",
                                       "The liver is an organ. " + notice + "It has two lobes."};
  const auto found = spans_in(texts);
  EXPECT_THAT(found, ElementsAre(Found{1, {23, 23 + notice.size(), 0, 23}}));
  EXPECT_EQ(rest_of(texts, 1, found), "The liver is an organ. It has two lobes.");
}

TEST(Repeats, AreCutBetweenChineseSentences) {
  const std::string notice(kChineseNotice);
  const std::vector<std::string> texts{"心是一块肌肉。" + notice + "心在跳动。",
                                       "肝是人体最大的腺体。" + notice + "肝分两叶。"};
  EXPECT_EQ(rest_of(texts, 1, spans_in(texts, 90)), "肝是人体最大的腺体。肝分两叶。");
  EXPECT_THAT(spans_in(texts, 110), IsEmpty()) << "50 characters count as 100, not as 150 bytes";
}

TEST(Repeats, TakeTheWhiteSpaceAroundThemAlong) {
  const std::string notice(kNoticeLine);
  const std::vector<std::string> texts{"The heart.\n" + notice.substr(0, notice.size() - 1),
                                       " \n" + notice + "\n\nThe liver."};
  const auto found = spans_in(texts);
  EXPECT_THAT(found, ElementsAre(Found{1, {0, notice.size() + 4, 0, 11}}));
  EXPECT_EQ(rest_of(texts, 1, found), "The liver.");
}

TEST(Repeats, OfPartsOfSentencesStay) {
  const std::string clause =
      " after the patient had been told of all the risks of the operation and had given consent in "
      "writing";
  EXPECT_THAT(spans_in({"We began" + clause + " to us.", "They ended" + clause + " to them."}),
              IsEmpty());
}

TEST(Repeats, ShorterThanAskedStay) {
  const std::string text(kNoticeLine);
  EXPECT_THAT(spans_in({text, text}, static_cast<int64_t>(text.size()) + 1), IsEmpty());
  EXPECT_EQ(spans_in({text, text}, static_cast<int64_t>(text.size())).size(), 1u);
}

TEST(Repeats, WithinOneDocumentKeepTheFirst) {
  const std::string notice(kNoticeLine);
  const std::vector<std::string> texts{notice + "Between. " + notice};
  EXPECT_EQ(rest_of(texts, 0, spans_in(texts)), notice + "Between. ");
}

TEST(Repeats, OfAWholeDocumentLeaveNothing) {
  const std::string notice(kNoticeLine);
  const std::vector<std::string> texts{notice, notice, notice};
  const auto found = spans_in(texts);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(rest_of(texts, 2, found), "");
}

TEST(Repeats, OfADocumentThatWasDroppedAreNone) {
  const std::string notice(kNoticeLine), chinese(kChineseNotice);
  const std::vector<std::string> texts{notice, notice + chinese, "One. " + chinese,
                                       "Two. " + chinese, "Three. " + chinese + notice};
  const auto found = spans_in(texts, 80, 0, kMemory, [](int64_t i) { return i != 1; });
  EXPECT_EQ(rest_of(texts, 1, found), chinese);
  EXPECT_EQ(rest_of(texts, 2, found), texts[2]) << "now the first to say it";
  EXPECT_EQ(rest_of(texts, 3, found), "Two. ");
  EXPECT_EQ(rest_of(texts, 4, found), "Three. ") << "from the first and from the last";
}

TEST(Repeats, OfDocumentsBeforeTheFirstAreNotAskedFor) {
  const std::string notice(kNoticeLine);
  const auto found = spans_in({notice, notice, notice}, 100, 2);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].document, 2);
}

TEST(Repeats, AreNoneInShortOrNoDocuments) {
  EXPECT_THAT(spans_in({}), IsEmpty());
  EXPECT_THAT(spans_in({"", "short", "short"}), IsEmpty());
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
  std::size_t total = 0;
  for (int trial = 0; trial < 100; ++trial) {
    const auto documents = random_documents(random);
    const auto found = spans_in(documents);
    total += found.size();
    const Found* last = nullptr;
    for (const Found& each : found) {
      const Repeat& r = each.repeat;
      const std::string& text = documents[static_cast<std::size_t>(each.document)];
      const std::string& source = documents[static_cast<std::size_t>(r.source)];
      ASSERT_TRUE(r.begin < r.end && r.end <= text.size());
      std::size_t size = r.end - r.begin;
      while (text[r.begin + size - 1] == ' ') --size;
      EXPECT_EQ(text.substr(r.begin, size), source.substr(r.source_begin, size));
      EXPECT_TRUE(r.source < each.document ||
                  (r.source == each.document && r.source_begin + size <= r.begin));
      EXPECT_TRUE(!last || last->document != each.document || last->repeat.end <= r.begin);
      last = &each;
    }
  }
  EXPECT_GT(total, 500u);
}

TEST(Repeats, DoNotDependOnTheMemoryLimit) {
  std::mt19937 random(7);
  std::vector<std::string> documents;
  while (documents.size() < 300) {
    for (std::string& document : random_documents(random)) documents.push_back(std::move(document));
  }
  EXPECT_EQ(spans_in(documents), spans_in(documents, 100, 0, 4096));
}

TEST(Anchors, AreFewWhereATextRepeatsItself) {
  const RepeatFinder finder({100}, kMemory, {});
  EXPECT_EQ(finder.anchors(std::string(99, 'a')).size(), 0u);
  EXPECT_EQ(finder.anchors(std::string(7000, 'a')).size(), 101u);
  std::mt19937 random(8);
  std::string noise;
  for (int i = 0; i < 100'000; ++i) noise += static_cast<char>('a' + random() % 26);
  EXPECT_NEAR(static_cast<double>(finder.anchors(noise).size()), 2e5 / 70, 100)
      << "2 / (window + 1) of the places";
}

TEST(Repeats, OfFewerThanSixtyFourCharactersAreNotAskedFor) {
  EXPECT_THAT([] { RepeatFinder({63}, kMemory, {}); }, throws_error(ErrorKind::bug, "min_chars"));
}

TEST(Repeats, OutOfOrderAreRefused) {
  const std::vector<Repeat> repeats{{4, 8, 0, 0}, {2, 6, 0, 0}};
  EXPECT_THAT([&] { remove_repeats("0123456789", repeats); }, throws_error(ErrorKind::bug, ""));
}

}  // namespace
}  // namespace cupel::curate
