#include "train/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <sstream>

#include "base/atomic_file.h"
#include "base/error.h"
#include "data/arithmetic.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/token_streams.h"
#include "support/tokenizer_json.h"

namespace cupel::train {
namespace {

cupel::Run test_run() {
  RunOptions options;
  options.threads = 1;
  return cupel::Run(options);
}

Config config_of(DatasetConfig set, double share) {
  Config config;
  config.datasets.push_back(std::move(set));
  config.val_set_size = share;
  config.sequence_len = 64;
  config.tokenizer.vocab_size = 260;
  return config;
}

/// All texts of a set, in memory.
struct Sides {
  std::vector<Text> train, validation;
};

Sides read_sides(const TextSet& set, cupel::Run& run) {
  Sides sides;
  TextTaker taker;
  taker.text = [&](Text&& text, bool held_out) {
    (held_out ? sides.validation : sides.train).push_back(std::move(text));
  };
  taker.reject = [&](const Reject& reject) { run.reject(reject); };
  read_texts(set, taker);
  return sides;
}

/// Of the first data set of `config`.
Sides sides_of(const Config& config, cupel::Run& run) {
  return read_sides(text_sets(config, run).at(0), run);
}

/// A set of texts that stand in no file.
TextSet set_of(std::vector<Text> texts, Cut cut = Cut::windows) {
  TextSet set;
  set.read = [texts = std::move(texts)](const TextTaker& taker) {
    for (const Text& text : texts) taker.text(Text(text), false);
  };
  set.cut = cut;
  return set;
}

Tokenizer tokenizer_for(const Config& config, const std::vector<TextSet>& sets, cupel::Run& run) {
  return make_tokenizer(config, sets, TokenStore(config, run), run);
}

Dataset dataset_for(const Config& config, const std::vector<TextSet>& sets,
                    const Tokenizer& tokenizer, cupel::Run& run) {
  return tokenize(config, sets, tokenizer, TokenStore(config, run), run);
}

TEST(Dataset, ARowWithoutItsFieldIsRejectedAndCounted) {
  const TemporaryFolder temporary;
  DatasetConfig set;
  set.type = DatasetType::completion;
  set.path = {temporary
                  .write("rows.jsonl", R"({"prompt": "a", "completion": "b"})"
                                       "\n"
                                       R"({"prompt": "a"})"
                                       "\n")
                  .string()};
  cupel::Run run = test_run();
  EXPECT_EQ(sides_of(config_of(set, 0), run).train.size(), 1u);
  EXPECT_EQ(run.rejected(), 1);
}

TEST(Dataset, PromptsAreReadAndCompletionsAreLearned) {
  const std::vector<TextSet> texts{set_of({{"ab", "cd"}}, Cut::packed)};
  const Config config = config_of({}, 0);
  cupel::Run run = test_run();
  const Tokenizer tokenizer = tokenizer_for(config, texts, run);
  const Dataset dataset = dataset_for(config, texts, tokenizer, run);
  const std::vector<int32_t> ids = ids_of(dataset.train[0].stream);
  ASSERT_EQ(ids.size(), 5u);  // a b c d <|endoftext|>
  EXPECT_THAT(learned_of(dataset.train[0].stream), testing::ElementsAre(0, 0, 1, 1, 1));
  EXPECT_EQ(ids.back(), tokenizer.eos_id());
}

TEST(Dataset, ARowLongerThanASequenceIsRejected) {
  const std::string longer = std::string(200, 'x') + "y" + std::string(100, 'z') + "w";
  std::vector<TextSet> texts{set_of({{"", longer}, {"", "short"}}, Cut::packed)};
  texts[0].excess = ExcessLength::drop;
  Config config = config_of({}, 0);
  config.sequence_len = 8;
  cupel::Run run = test_run();
  dataset_for(config, texts, tokenizer_for(config, texts, run), run);
  EXPECT_EQ(run.rejected(), 1);
}

DatasetConfig completions(const std::filesystem::path& path) {
  DatasetConfig set;
  set.type = DatasetType::completion;
  set.path = {path.string()};
  return set;
}

std::string row(const std::string& prompt, const std::string& completion) {
  return R"({"prompt": ")" + prompt + R"(", "completion": ")" + completion + "\"}\n";
}

/// Reads and tokenizes the data sets of `config`.
Dataset dataset_of(const Config& config, cupel::Run& run) {
  const std::vector<TextSet> texts = text_sets(config, run);
  return dataset_for(config, texts, tokenizer_for(config, texts, run), run);
}

TEST(Dataset, LongRowsOfTwoSetsAtTheSamePlaceAreBothRejectedByFileAndLine) {
  const TemporaryFolder folder;
  std::string rows;
  for (int i = 0; i < 4; ++i) rows += row("q" + std::to_string(i), "short");
  for (int i = 0; i < 6; ++i) rows += row("q" + std::to_string(i), std::string(200, 'a') + "bc");
  Config config = config_of(completions(folder.write("a.jsonl", rows)), 0.4);
  config.datasets.push_back(completions(folder.write("b.jsonl", rows)));
  config.sequence_len = 12;
  config.excess_length_strategy = ExcessLength::drop;
  RunOptions options;
  options.folder = folder / "run";
  options.threads = 1;
  cupel::Run run(options);
  const Dataset dataset = dataset_of(config, run);
  run.finish("train", json::Object{});
  EXPECT_EQ(run.rejected(), 12);
  std::vector<std::string> places;
  std::istringstream lines(read_file(folder / "run/rejects.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    const json::Value reject = json::parse(line, "");
    EXPECT_EQ(reject.at("rule", "").as_string(""), "longer_than_sequence_len");
    places.push_back(
        std::filesystem::path(reject.at("input", "").as_string("")).filename().string() + ":" +
        std::to_string(reject.at("line", "").as_int("")));
  }
  std::vector<std::string> wanted;
  for (const std::string file : {"a.jsonl:", "b.jsonl:"}) {
    for (int line = 5; line <= 10; ++line) wanted.push_back(file + std::to_string(line));
  }
  EXPECT_THAT(places, testing::UnorderedElementsAreArray(wanted));
}

TEST(Dataset, UnpackedRowsStandInASequenceEachAndPackedOnesShareIt) {
  const TemporaryFolder folder;
  const auto path = folder.write("rows.jsonl", row("ab", "cd") + row("ef", "gh") + row("i", "j"));
  Config config = config_of(completions(path), 0);
  config.sequence_len = 16;
  const auto lengths = [&](bool packed) {
    config.sample_packing = packed;
    cupel::Run run = test_run();
    const Dataset dataset = dataset_of(config, run);
    const Source& source = dataset.train[0];
    std::vector<int64_t> tokens;
    for (const Sequence& sequence : cut_stream(source.stream, 0, source.cut, 16, 0))
      tokens.push_back(sequence.length);
    return tokens;
  };
  EXPECT_THAT(lengths(true), testing::ElementsAre(13));
  EXPECT_THAT(lengths(false), testing::ElementsAre(5, 5, 3));
}

TEST(Dataset, ARowIsReadFromTheFieldsThatAreNamed) {
  const TemporaryFolder folder;
  DatasetConfig set = completions(folder.write("rows.jsonl", R"({"q": "ab", "a": "c"})"));
  set.prompt_field = "q";
  set.completion_field = "a";
  cupel::Run run = test_run();
  const Sides sides = sides_of(config_of(set, 0), run);
  EXPECT_EQ(sides.train[0].context, "ab");
  EXPECT_EQ(sides.train[0].target, "c");
}

TEST(Dataset, ARowWithoutALabelIsRejected) {
  const TemporaryFolder folder;
  const std::string rows = row("", "") + row("a", "") + row("a", "b");
  cupel::Run run = test_run();
  const Dataset dataset = dataset_of(config_of(completions(folder.write("r.jsonl", rows)), 0), run);
  EXPECT_EQ(run.rejected(), 1) << "after a prompt the end of the text can be learned";
  EXPECT_EQ(dataset.train[0].stream.documents(), 2);
}

TEST(Dataset, EachGeneratedSetHasProblemsOfItsOwnAndTheFirstThoseItAlwaysHad) {
  DatasetConfig set;
  set.type = DatasetType::arithmetic;
  set.rows = 50;
  Config config = config_of(set, 0);
  config.datasets.push_back(set);
  cupel::Run run = test_run();
  const std::vector<TextSet> sets = text_sets(config, run);
  const auto prompts = [&](const TextSet& texts) {
    std::vector<std::string> all;
    for (const Text& text : read_sides(texts, run).train) all.push_back(text.context);
    return all;
  };
  EXPECT_NE(prompts(sets[0]), prompts(sets[1]));
  Rng rng = run.stream("arithmetic problems");
  EXPECT_EQ(prompts(sets[0])[0], generate_problems(rng, 50, {})[0].prompt);
}

TEST(Dataset, ATokenizerThatNamesNoEndOfTextIsWarnedOf) {
  const TemporaryFolder folder;
  folder.write("tokenizer.json", json::dump(tokenizer_json()));
  Config config = config_of({}, 0);
  config.tokenizer = {{folder.path().string()}, std::nullopt};
  const std::vector<TextSet> texts{set_of({{"", "some text"}})};
  cupel::Run run = test_run();
  std::string warnings;
  run.subscribe([&](const Event& event) {
    if (event.level == LogLevel::warning) warnings += event.text;
  });
  config.sequence_len = 4;
  dataset_for(config, texts, tokenizer_for(config, texts, run), run);
  EXPECT_THAT(warnings, testing::StartsWith("the tokenizer names no end-of-text token: "));
}

TEST(Dataset, ASetThatFillsNoSequenceIsWarnedOf) {
  const TemporaryFolder folder;
  DatasetConfig few;
  few.path = {folder.write("few.txt", "a few words").string()};
  Config config = config_of(few, 0);
  cupel::Run run = test_run();
  std::string warnings;
  run.subscribe([&](const Event& event) {
    if (event.level == LogLevel::warning) warnings += event.text;
  });
  dataset_of(config, run);
  EXPECT_THAT(warnings, testing::HasSubstr("few.txt: its "));
  EXPECT_THAT(warnings,
              testing::HasSubstr("fill no sequence of 64, so nothing is learned from it"));
}

TEST(Dataset, EveryStageOfReadingEndsWhenTheRunIsAskedToStop) {
  const TemporaryFolder folder;
  std::atomic<bool> stop{false};
  RunOptions options;
  options.threads = 1;
  options.stop = &stop;
  cupel::Run run(options);
  DatasetConfig documents;
  documents.path = {folder.write("t.jsonl", R"({"text": "a text"})").string()};
  const Config rows = config_of(completions(folder.write("r.jsonl", row("a", "b"))), 0);
  const Config running = config_of(documents, 0);
  const std::vector<TextSet> texts = text_sets(running, run), others = text_sets(rows, run);
  const Tokenizer tokenizer = tokenizer_for(running, texts, run);
  stop = true;
  EXPECT_THROW(read_sides(others[0], run), Interrupted);
  EXPECT_THROW(read_sides(texts[0], run), Interrupted);
  EXPECT_THROW(tokenizer_for(running, texts, run), Interrupted);
  EXPECT_THROW(dataset_for(running, texts, tokenizer, run), Interrupted);
}

TEST(Dataset, TheTokenizersPrefixIsReadBeforeEachDocument) {
  const TemporaryFolder folder;
  folder.write("tokenizer.json", json::dump(tokenizer_json()));
  folder.write("tokenizer_config.json", R"({"bos_token": "<s>", "add_bos_token": true})");
  Config config = config_of({}, 0);
  config.tokenizer = {{folder.path().string()}, std::nullopt};
  const std::vector<TextSet> texts{set_of({{"", "ab"}, {"c", "d"}})};
  cupel::Run run = test_run();
  const Tokenizer tokenizer = tokenizer_for(config, texts, run);
  const TokenShards stream = dataset_for(config, texts, tokenizer, run).train[0].stream;
  EXPECT_THAT(ids_of(stream), testing::ElementsAre(258, 256, 258, 'c', 'd'));
  EXPECT_THAT(learned_of(stream), testing::ElementsAre(0, 1, 0, 0, 1));
}

TEST(Dataset, OfAChatTheAssistantsTurnsAreLearned) {
  const TemporaryFolder temporary;
  DatasetConfig set;
  set.type = DatasetType::chat;
  set.path = {temporary
                  .write("rows.jsonl", R"({"instruction": "q", "output": "a"})"
                                       "\n"
                                       R"({"messages": [{"role": "user", "content": "r"}]})"
                                       "\n")
                  .string()};
  Config config = config_of(set, 0);
  config.tokenizer.vocab_size = 300;
  config.chat_template = "chatml";
  config.sequence_len = 200;
  cupel::Run run = test_run();
  const std::vector<TextSet> texts = text_sets(config, run);
  const Tokenizer tokenizer = tokenizer_for(config, texts, run);
  const Dataset dataset = dataset_for(config, texts, tokenizer, run);
  const std::vector<int32_t> ids = ids_of(dataset.train[0].stream);
  const std::vector<uint8_t> flags = learned_of(dataset.train[0].stream);
  std::vector<int32_t> learned;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (flags[i] != 0) learned.push_back(ids[i]);
  }
  EXPECT_EQ(tokenizer.decode(learned), "a<|im_end|>");
  EXPECT_EQ(run.rejected(), 1);  // nothing is said by an assistant
  ASSERT_TRUE(dataset.chat_template.has_value());
  EXPECT_THAT(dataset.chat_template->text(), testing::HasSubstr("<|im_start|>"));
}

TEST(Dataset, ChatsWithoutATemplateAreRefused) {
  std::vector<TextSet> texts{set_of({{"", "", 1, Chat{}}})};
  texts[0].chats = true;
  const Config config = config_of({}, 0);
  cupel::Run run = test_run();
  const Tokenizer tokenizer = Tokenizer::parse(json::dump(tokenizer_json()), "t");
  EXPECT_THAT([&] { dataset_for(config, texts, tokenizer, run); },
              throws_error(ErrorKind::config, "the tokenizer has no chat template"));
}

TEST(Dataset, InputsAreLearnedWhereAskedFor) {
  const std::vector<TextSet> texts{set_of({{"ab", "cd"}}, Cut::packed)};
  Config config = config_of({}, 0);
  config.train_on_inputs = true;
  cupel::Run run = test_run();
  const Dataset dataset = dataset_for(config, texts, tokenizer_for(config, texts, run), run);
  EXPECT_THAT(learned_of(dataset.train[0].stream), testing::Each(1));
}

TEST(Dataset, ALongTextFileGivesTheTokensOfTheWholeForAnyNumberOfThreads) {
  const TemporaryFolder folder;
  std::string text;
  for (int i = 0; text.size() < 5 * kTextPartBytes; ++i)
    text += "some words of line " + std::to_string(i) + (i % 7 == 0 ? ".\n\n" : ",\n");
  DatasetConfig set;
  set.path = {folder.write("text.txt", text).string()};
  Config config = config_of(set, 0.1);
  const auto tokens = [&](int threads) {
    RunOptions options;
    options.threads = threads;
    cupel::Run run(options);
    const Dataset dataset = dataset_of(config, run);
    EXPECT_EQ(dataset.train[0].stream.documents(), 1);
    EXPECT_EQ(dataset.validation[0].stream.documents(), 1);
    return std::pair(ids_of(dataset.train[0].stream), ids_of(dataset.validation[0].stream));
  };
  const auto [train, validation] = tokens(1);
  EXPECT_EQ(tokens(3), std::pair(train, validation));
  cupel::Run run = test_run();
  const Sides sides = sides_of(config, run);  // whole: nothing says where it may be cut
  const Tokenizer tokenizer = tokenizer_for(config, text_sets(config, run), run);
  const auto whole = [&](const std::vector<Text>& side) {
    std::vector<int32_t> ids = tokenizer.encode(side.at(0).target);
    ids.push_back(tokenizer.eos_id().value());
    return ids;
  };
  EXPECT_EQ(train, whole(sides.train));
  EXPECT_EQ(validation, whole(sides.validation));
}

}  // namespace
}  // namespace cupel::train
