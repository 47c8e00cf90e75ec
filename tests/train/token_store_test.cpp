#include "train/token_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/atomic_file.h"
#include "base/error.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/token_streams.h"
#include "train/dataset.h"

namespace cupel::train {
namespace {

/// A recipe of completions, three of which are lost, and what is told while it is tokenized.
struct Stored {
  TemporaryFolder folder{TemporaryFolder::Place::memory};
  Config config;
  std::vector<std::string> told{};

  Stored() {
    std::string rows = "no json\n";
    for (int i = 0; i < 60; ++i)
      rows +=
          R"({"prompt": "what is )" + std::to_string(i) + R"(?", "completion": "a number"})" + "\n";
    rows += "{\"prompt\": \"no answer\"}\n";
    std::string words;  // no two alike, so that they are many tokens
    for (int i = 0; i < 99; ++i) words += std::to_string(i * 7919);
    rows += R"({"prompt": "long", "completion": ")" + words + "\"}\n";
    config.datasets.emplace_back();
    config.datasets[0].type = DatasetType::completion;
    config.datasets[0].path = {folder.write("rows.jsonl", rows).string()};
    config.excess_length_strategy = ExcessLength::drop;
    config.val_set_size = 0.2;
    config.sequence_len = 64;
    config.tokenizer.vocab_size = 265;
    config.dataset_prepared_path = {(folder / "prepared").string()};
  }

  struct Made {
    std::vector<int32_t> train, validation;
    std::string tokenizer, rejects;
    bool operator==(const Made&) const = default;
  };

  /// In a run of its own.
  Made tokenize_in(const std::string& name) {
    RunOptions options;
    options.folder = folder / name;
    options.threads = 2;
    cupel::Run run(options);
    told.clear();
    run.subscribe([&](const Event& event) {
      if (event.kind == Event::Kind::log) told.emplace_back(event.text);
      if (event.kind == Event::Kind::section_begin) told.emplace_back(event.name);
    });
    const auto sets = text_sets(config, run);
    const TokenStore store(config, run);
    const Tokenizer tokenizer = make_tokenizer(config, sets, store, run);
    const Dataset data = tokenize(config, sets, tokenizer, store, run);
    run.finish("train", json::Object{});
    return {ids_of(data.train[0].stream), ids_of(data.validation[0].stream), tokenizer.json(),
            read_file(folder / name / "rejects.jsonl")};
  }

  /// Files below prepared/ of that name's end.
  std::vector<std::filesystem::path> files(const std::string& end) const {
    std::vector<std::filesystem::path> found;
    for (const std::string& name : folder.names()) {
      if (name.starts_with("prepared/") && name.ends_with(end)) found.push_back(folder / name);
    }
    return found;
  }
};

TEST(TokenStore, ASecondRunFindsWhatTheFirstHasMade) {
  Stored stored;
  const Stored::Made first = stored.tokenize_in("one");
  EXPECT_FALSE(first.validation.empty());
  EXPECT_THAT(stored.told, testing::Contains("tokenizer"));  // the section in which it learns
  const Stored::Made second = stored.tokenize_in("two");
  EXPECT_EQ(second, first);
  EXPECT_THAT(stored.told, testing::Not(testing::Contains("tokenizer")));
  EXPECT_THAT(stored.told, testing::Contains(testing::HasSubstr("its tokens are in ")));
  EXPECT_THAT(stored.told, testing::Contains(testing::HasSubstr("61 rows: 60 whole, 1 set aside")));
}

TEST(TokenStore, WithoutAFolderToShareTheTokensAreInTheRunsOwn) {
  Stored stored;
  const Stored::Made shared = stored.tokenize_in("one");
  stored.config.dataset_prepared_path = {};
  EXPECT_EQ(stored.tokenize_in("two"), shared);
  EXPECT_THAT(stored.folder.names(),
              testing::Contains(testing::MatchesRegex("two/tokens/[0-9a-f]*/train-00000.tokens")));
}

TEST(TokenStore, OtherSettingsAreOtherTokens) {
  Stored stored;
  stored.tokenize_in("one");
  const auto sets_after = [&](const std::string& name) {
    stored.tokenize_in(name);
    return stored.files("/set.json").size();
  };
  EXPECT_EQ(sets_after("same"), 1u);
  stored.config.sample_packing = false;  // is about sequences, not about tokens
  EXPECT_EQ(sets_after("unpacked"), 1u);
  stored.config.sequence_len = 63;
  EXPECT_EQ(sets_after("shorter"), 2u);
  stored.config.train_on_inputs = true;
  EXPECT_EQ(sets_after("inputs"), 3u);
  stored.config.tokenizer.vocab_size = 266;
  EXPECT_EQ(sets_after("larger"), 4u);
  stored.folder.write("rows.jsonl", read_file(stored.folder / "rows.jsonl") +
                                        R"({"prompt": "new", "completion": "row"})");
  EXPECT_EQ(sets_after("more"), 5u);
}

TEST(TokenStore, WhatIsDamagedIsMadeAgainAndSaidToBe) {
  Stored stored;
  const Stored::Made first = stored.tokenize_in("one");
  const auto damaged = [&](const std::string& end, const std::string& said) {
    static int number = 0;
    EXPECT_EQ(stored.tokenize_in("again" + std::to_string(number++)), first);
    EXPECT_THAT(stored.told, testing::Contains(testing::AllOf(
                                 testing::StartsWith("tokens that were kept are made again: "),
                                 testing::HasSubstr(end), testing::HasSubstr(said))));
  };
  const auto shard = stored.files("/train-00000.tokens").at(0);
  std::string bytes = read_file(shard);
  write_file_atomically(shard, bytes.substr(0, bytes.size() - 8));
  damaged("train-00000.tokens", "it is cut short or damaged");
  bytes[200] = static_cast<char>(bytes[200] ^ 1);
  write_file_atomically(shard, bytes);
  damaged("train-00000.tokens", "its checksum differs");
  std::filesystem::remove(shard);
  damaged("train-00000.tokens", "no such file");
  const auto description = stored.files("/set.json").at(0);
  write_file_atomically(description, "{\"train_shards\": 1");
  damaged("set.json", "");
  write_file_atomically(description, R"({"train_shards": 1, "train_tokens": 5})");
  damaged("set.json", "does not go with the shards beside it");
  stored.tokenize_in("last");
  EXPECT_THAT(stored.told, testing::Contains(testing::HasSubstr("its tokens are in ")));
}

TEST(TokenStore, AnInterruptedFillLeavesNothingThatIsBelieved) {
  Stored stored;
  std::filesystem::create_directories(stored.folder / "prepared");
  RunOptions options;
  options.folder = stored.folder / "run";
  options.threads = 1;
  cupel::Run run(options);
  const TokenStore store(stored.config, run);
  EXPECT_THROW(store.keep("key",
                          [&](const std::filesystem::path& folder) {
                            TokenStore::describe(folder, {});
                            throw Interrupted();
                          }),
               Interrupted);
  EXPECT_FALSE(store.find("key", 10).has_value());
  EXPECT_TRUE(stored.files("").empty());
  // What a killed process left is taken away, once nobody can be at it any more.
  stored.folder.write("prepared/.staging-key-1-0/train-00000.tokens", "half");
  stored.folder.write("prepared/.staging-key-2-0/train-00000.tokens", "half");
  std::filesystem::last_write_time(
      stored.folder / "prepared/.staging-key-1-0",
      std::filesystem::file_time_type::clock::now() - std::chrono::hours(25));
  store.keep("key", [&](const std::filesystem::path& folder) { TokenStore::describe(folder, {}); });
  EXPECT_TRUE(store.find("key", 10).has_value());
  EXPECT_FALSE(std::filesystem::exists(stored.folder / "prepared/.staging-key-1-0"));
  EXPECT_TRUE(std::filesystem::exists(stored.folder / "prepared/.staging-key-2-0"));
}

TEST(TokenStore, ARunWithoutAFolderLooksAndWritesNothing) {
  Stored stored;
  const Stored::Made first = stored.tokenize_in("one");
  const auto before = stored.folder.names();
  const auto train_of = [&](const std::filesystem::path& beside) {
    cupel::Run run({.threads = 1});
    const auto sets = text_sets(stored.config, run);
    const TokenStore store(stored.config, run, beside);
    const Tokenizer tokenizer = make_tokenizer(stored.config, sets, store, run);
    return ids_of(tokenize(stored.config, sets, tokenizer, store, run).train[0].stream);
  };
  EXPECT_EQ(train_of({}), first.train);
  stored.config.dataset_prepared_path = {};
  EXPECT_EQ(train_of({}), first.train);
  EXPECT_EQ(train_of(stored.folder / "prepared"), first.train);
  EXPECT_EQ(stored.folder.names(), before);
}

}  // namespace
}  // namespace cupel::train
