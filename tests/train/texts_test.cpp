#include "train/texts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "base/error.h"
#include "data/split.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel::train {
namespace {

cupel::Run texts_run(uint64_t seed = 0) { return cupel::Run({.seed = seed, .threads = 1}); }

Config texts_config(const std::filesystem::path& path, double share) {
  Config config;
  config.datasets.emplace_back();
  config.datasets[0].path = {path.string()};
  config.val_set_size = share;
  return config;
}

struct Split {
  std::vector<std::string> kept, held_out;
};

Split split_of(const TextSet& set, const CutPlace& cut = {}) {
  Split split;
  TextTaker taker;
  taker.text = [&](Text&& text, bool held_out) {
    auto& side = held_out ? split.held_out : split.kept;
    if (text.begins) {
      side.push_back(text.target);
    } else {
      side.back() += text.target;
    }
  };
  taker.cut = cut;
  read_texts(set, taker);
  return split;
}

TEST(Texts, ASingleDocumentIsCutAfterALineNearTheShare) {
  const TemporaryFolder temporary;
  std::string text;
  for (int i = 0; i < 300; ++i) text += "line " + std::to_string(i) + "\n";
  cupel::Run run = texts_run();
  const Config config = texts_config(temporary.write("text.txt", text), 0.1);
  const Split split = split_of(text_sets(config, run).at(0));
  ASSERT_EQ(split.kept.size(), 1u);
  ASSERT_EQ(split.held_out.size(), 1u);
  const std::string& first = split.kept[0];
  EXPECT_EQ(first + split.held_out[0], text);
  EXPECT_EQ(first.back(), '\n');
  EXPECT_NEAR(static_cast<double>(first.size()), 0.9 * static_cast<double>(text.size()), 10);
}

TEST(Texts, ARowNeverChangesSidesWhenOthersAreAdded) {
  const TemporaryFolder temporary;
  std::string few, many;
  for (int i = 0; i < 400; ++i) {
    const std::string row =
        R"({"prompt": "p", "completion": "c)" + std::to_string(i) + R"("})" + "\n";
    if (i < 200) few += row;
    many += row;
  }
  cupel::Run run = texts_run();
  const auto validation = [&](const std::string& text) {
    Config config = texts_config(temporary.write("rows.jsonl", text), 0.2);
    config.datasets[0].type = DatasetType::completion;
    return split_of(text_sets(config, run).at(0)).held_out;
  };
  const auto before = validation(few), after = validation(many);
  EXPECT_GT(before.size(), 20u);
  ASSERT_GE(after.size(), before.size());
  EXPECT_TRUE(std::equal(before.begin(), before.end(), after.begin()));
}

TEST(Texts, RunningTextIsSplitAsItIsForEvaluation) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  std::vector<std::string> documents;
  std::string rows;
  for (int i = 0; i < 40; ++i) {
    documents.push_back("document " + std::string(static_cast<std::size_t>(i * i % 90), 'x'));
    rows += R"({"text": ")" + documents.back() + "\"}\n";
  }
  cupel::Run run = texts_run();
  for (const double share : {0.0, 0.05, 0.5}) {
    const auto set = text_sets(texts_config(folder.write("t.jsonl", rows), share), run).at(0);
    const TextSplit wanted = split_running_text(documents, share);
    for (int pass = 0; pass < 2; ++pass) {  // as often as it is needed
      const Split got = split_of(set);
      EXPECT_EQ(got.kept, wanted.kept) << share;
      EXPECT_EQ(got.held_out, wanted.held_out) << share;
    }
  }
  const auto one = folder.write("one.jsonl", R"({"text": "a first line\nand another one"})");
  const Split got = split_of(text_sets(texts_config(one, 0.3), run).at(0));
  const TextSplit wanted = split_running_text({"a first line\nand another one"}, 0.3);
  EXPECT_EQ(got.kept, wanted.kept);
  EXPECT_EQ(got.held_out, wanted.held_out);
}

TEST(Texts, ATextFileComesInPartsThatAreItsTwoSides) {
  const TemporaryFolder folder;
  std::string text;
  while (text.size() < 4 * kTextPartBytes) text += "line " + std::to_string(text.size()) + "\n";
  cupel::Run run = texts_run();
  const auto set = text_sets(texts_config(folder.write("t.txt", text), 0.2), run).at(0);
  int parts = 0;
  const Split got = split_of(set, [&](std::string_view part) {
    ++parts;
    return part.rfind('\n') + 1;
  });
  EXPECT_GT(parts, 2);
  const TextSplit wanted = split_running_text({text}, 0.2);
  EXPECT_EQ(got.kept, wanted.kept);
  EXPECT_EQ(got.held_out, wanted.held_out);
}

TEST(Texts, AGeneratedSetIsTheSameEveryTimeItIsRead) {
  cupel::Run run = texts_run();
  for (const DatasetType type : {DatasetType::arithmetic, DatasetType::grammar}) {
    Config config = texts_config("", 0.1);
    config.datasets[0].path = {};
    config.datasets[0].type = type;
    config.datasets[0].rows = type == DatasetType::grammar ? 30 : 5000;
    const auto set = text_sets(config, run).at(0);
    const Split first = split_of(set), second = split_of(set);
    EXPECT_EQ(first.kept, second.kept);
    EXPECT_EQ(first.held_out, second.held_out);
    EXPECT_EQ(static_cast<int64_t>(first.kept.size() + first.held_out.size()),
              config.datasets[0].rows);
    EXPECT_GT(first.held_out.size(), 0u);
  }
}

TEST(Texts, ASetOfWhichNothingIsLeftToTrainOnIsRefused) {
  cupel::Run run = texts_run();
  TextSet set;
  set.input = "rows.jsonl";
  set.read = [](const TextTaker& taker) { taker.text({"a", "b"}, true); };
  EXPECT_THAT([&] { split_of(set); },
              throws_exactly(ErrorKind::data,
                             "rows.jsonl: nothing is left to train on; lower val_set_size or add "
                             "rows"));
}

TEST(Texts, TheirIdentityIsThatOfContentAndSettingsNotOfThePlaceOrTheWeight) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  cupel::Run run = texts_run(), other_seed = texts_run(1);
  const auto identity = [&](const Config& config, cupel::Run& of) {
    return text_sets(config, of).at(0).identity;
  };
  Config config = texts_config(folder.write("a/t.txt", "some text"), 0.1);
  const std::string first = identity(config, run);
  EXPECT_EQ(identity(config, other_seed), first);
  config.datasets[0].weight = 2;
  EXPECT_EQ(identity(config, run), first);
  EXPECT_EQ(identity(texts_config(folder.write("b/t.txt", "some text"), 0.1), run), first);
  EXPECT_NE(identity(texts_config(folder.write("c/t.txt", "other text"), 0.1), run), first);
  EXPECT_NE(identity(texts_config(folder / "b/t.txt", 0.2), run), first);
  config.datasets[0].text_field = "body";
  EXPECT_NE(identity(config, run), first);
  Config generated = texts_config("", 0.1);
  generated.datasets[0].path = {};
  generated.datasets[0].type = DatasetType::arithmetic;
  EXPECT_NE(identity(generated, run), identity(generated, other_seed));
}

}  // namespace
}  // namespace cupel::train
