#include "data/tokenizer/shorten.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/tokenizer_json.h"

namespace cupel {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<int32_t> shortened_by(const Tokenizer& tokenizer, std::string_view text, int64_t most) {
  return shortened(tokenizer, text, tokenizer.encode(text, true), most);
}

TEST(Shortened, KeepsWhatStandsAroundAText) {
  const Tokenizer tokenizer =
      Tokenizer::load(std::string(CUPEL_SOURCE_DIR) + "/tests/fixtures/classify/tokenizer.json");
  const std::vector<int32_t> all = tokenizer.encode("the cat is good", true);
  ASSERT_EQ(all.size(), 6u);
  EXPECT_EQ(shortened_by(tokenizer, "the cat is good", 6), all);
  EXPECT_THAT(shortened_by(tokenizer, "the cat is good", 4),
              ElementsAre(all[0], all[1], all[2], all[5]));
  EXPECT_THAT(shortened_by(tokenizer, "the cat is good", 2), ElementsAre(all[0], all[5]));
  EXPECT_THAT(shortened_by(tokenizer, "the cat is good", 1), ElementsAre(all[0]));
}

TEST(Shortened, TakesTheBeginningWhereNothingStandsAround) {
  const Tokenizer tokenizer = Tokenizer::parse(json::dump(tokenizer_json()), "");
  EXPECT_THAT(shortened_by(tokenizer, "xyz", 2), ElementsAre('x', 'y'));
  EXPECT_THAT(shortened_by(tokenizer, "", 2), IsEmpty());
}

}  // namespace
}  // namespace cupel
