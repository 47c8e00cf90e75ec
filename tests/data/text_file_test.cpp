#include "data/text_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"
#include "data/split.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel {
namespace {

/// Lines of some words, some of them with characters of several bytes.
std::string lines_of_words(Rng& rng, std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) {
    for (uint64_t words = rng.below(12); words > 0; --words)
      text += rng.below(5) == 0 ? "größe " : "word ";
    text += rng.below(9) == 0 ? "\n\n" : ".\n";
  }
  return text;
}

std::size_t after_a_line(std::string_view text) {
  const std::size_t at = text.rfind('\n');
  return at == text.npos ? 0 : at + 1;
}

TEST(TextFile, ItsPartsAreTheTextAndEndWhereItMayBeCut) {
  const TemporaryFolder folder;
  Rng rng(1, "text");
  const std::string text = lines_of_words(rng, 3 * kTextPartBytes);
  const TextFile file(folder.write("a.txt", "\xEF\xBB\xBF" + text), {});
  ASSERT_EQ(file.bytes(), static_cast<int64_t>(text.size()));
  std::vector<TextPart> parts;
  file.for_each_part(0, file.bytes(), after_a_line,
                     [&](TextPart&& part) { parts.push_back(part); });
  ASSERT_GT(parts.size(), 2u);
  std::string joined;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    EXPECT_EQ(parts[i].begins, i == 0);
    EXPECT_EQ(parts[i].ends, i + 1 == parts.size());
    EXPECT_LT(parts[i].text.size(), 3 * kTextPartBytes);
    if (!parts[i].ends) {
      EXPECT_EQ(parts[i].text.back(), '\n');
    }
    joined += parts[i].text;
  }
  EXPECT_EQ(joined, text);
}

TEST(TextFile, WithoutAPlaceToCutItIsOnePart) {
  const TemporaryFolder folder;
  const std::string text(3 * kTextPartBytes, 'x');
  const TextFile file(folder.write("a.txt", text), {});
  std::vector<std::string> parts;
  const auto take = [&](TextPart&& part) { parts.push_back(part.text); };
  file.for_each_part(0, file.bytes(), {}, take);
  file.for_each_part(5, 5, {}, take);
  file.for_each_part(7, 10, after_a_line, take);
  EXPECT_THAT(parts, testing::ElementsAre(text, "", "xxx"));
}

TEST(TextFile, IsCutWhereARunningTextIsSplit) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  Rng rng(2, "text");
  for (int i = 0; i < 60; ++i) {
    std::string text = i % 3 == 0 ? std::string(700, 'x') + "ö" + std::string(300, 'y')
                                  : lines_of_words(rng, 1 + rng.below(i % 3 == 1 ? 9000 : 600000));
    if (text.empty()) text = "x";
    const TextFile file(folder.write("a.txt", text), {});
    for (const double share : {0.05, 0.29900, 0.5, 0.001}) {
      const auto kept = std::llround((1 - share) * static_cast<double>(text.size()));
      const TextSplit split = split_running_text({text}, share);
      ASSERT_EQ(file.cut_near(kept), static_cast<int64_t>(split.kept[0].size()))
          << text.size() << " bytes, share " << share;
    }
  }
}

TEST(TextFile, RefusesWhatIsNoTextAndNamesTheLine) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  const auto refused = [&](const std::string& text, const char* why) {
    const auto path = folder.write("a.txt", text);
    EXPECT_THAT([&] { TextFile(path, {}); }, throws_error(ErrorKind::data, why));
  };
  refused("a\nb\xff", "a.txt:2: not valid UTF-8 at byte 3 (none of the file's 1 rows can be read)");
  refused("a\nb\xc3", "a.txt:2: not valid UTF-8 at byte 3");
  refused(std::string(kTextPartBytes - 1, 'x') + "\xc3" + "y",
          ("a.txt:1: not valid UTF-8 at byte " + std::to_string(kTextPartBytes - 1)).c_str());
  refused(std::string("a\0b", 3), "a.txt:1: field \"text\": holds a NUL character");
  refused("\xEF\xBB\xBF", "a.txt: file is empty");
}

TEST(TextFile, ReadingEndsWhenThePollThrows) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  const auto path = folder.write("a.txt", "a");
  EXPECT_THROW(TextFile(path, [] { throw Interrupted(); }), Interrupted);
}

}  // namespace
}  // namespace cupel
