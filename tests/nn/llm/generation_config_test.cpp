#include "nn/llm/generation_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/files.h"

namespace cupel::llm {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<int32_t> endings(const std::string& text) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  folder.write("generation_config.json", text);
  return ending_tokens(folder.path(), 100);
}

TEST(GenerationConfig, NamesOneTokenOrSeveralThatEndAText) {
  EXPECT_THAT(endings(R"({"eos_token_id": 7})"), ElementsAre(7));
  EXPECT_THAT(endings(R"({"eos_token_id": [7, 9], "temperature": 0.6})"), ElementsAre(7, 9));
}

TEST(GenerationConfig, SaysNothingWhereItIsNotThereOrNamesNone) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  EXPECT_THAT(ending_tokens(folder.path(), 100), IsEmpty());
  EXPECT_THAT(endings("{}"), IsEmpty());
  EXPECT_THAT(endings(R"({"eos_token_id": null})"), IsEmpty());
}

TEST(GenerationConfig, RefusesWhatIsNoToken) {
  for (const char* text : {R"({"eos_token_id": -1})", R"({"eos_token_id": [1, 100]})",
                           R"({"eos_token_id": "</s>"})", "[", "[1]"})
    EXPECT_THAT([&] { endings(text); }, throws_error(ErrorKind::data, "generation_config.json"))
        << text;
}

}  // namespace
}  // namespace cupel::llm
