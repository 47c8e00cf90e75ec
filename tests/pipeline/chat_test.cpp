#include "pipeline/chat.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <deque>

#include "data/tokenizer/tokenizer.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel::pipeline::chat {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

/// What the model was asked to go on from, and how.
std::vector<std::string> prompts;
std::vector<GenerateOptions> asked;

/// Answers "answer 1", "answer 2", … in two pieces.
LanguageModel counting_model(const Path&, cupel::Run&) {
  LanguageModel model;
  model.generate = [](std::string_view prompt, const GenerateOptions& options,
                      const auto& on_text) {
    prompts.emplace_back(prompt);
    asked.push_back(options);
    const std::string number = std::to_string(prompts.size());
    on_text("answer ");
    on_text(number);
    return "answer " + number;
  };
  return model;
}

struct Talk {
  TemporaryFolder folder{TemporaryFolder::Place::memory};
  Config config;
  Request request;
  std::deque<std::string> lines;
  std::string written;

  explicit Talk(
      const std::string& tokenizer_config =
          R"({"chat_template": "{% for m in messages %}[{{ m.role }}: {{ m.content }}]{% endfor %}{% if add_generation_prompt %}[assistant: {% endif %}"})") {
    prompts.clear();
    asked.clear();
    Tokenizer::train({{"", "some words for a tokenizer", 1}},
                     {.vocab_size = 260, .pattern = {}, .bos_token = {}})
        .save(folder.path());
    folder.write("tokenizer_config.json", tokenizer_config);
    config.model = {folder.path().string()};
    request.heavy.load_model = &counting_model;
    request.console.write = [this](std::string_view text) { written += text; };
    request.console.read_line = [this]() -> std::optional<std::string> {
      if (lines.empty()) return std::nullopt;
      std::string line = lines.front();
      lines.pop_front();
      return line;
    };
  }
};

TEST(Chat, AsksWhatWasSaidBehindWhatWasSaidBefore) {
  Talk talk;
  talk.config.system = "be brief";
  talk.lines = {"hello", "and now?"};
  const Report report = run(talk.config, talk.request);
  EXPECT_THAT(prompts, ElementsAre("[system: be brief][user: hello][assistant: ",
                                   "[system: be brief][user: hello][assistant: answer 1][user: and "
                                   "now?][assistant: "));
  EXPECT_EQ(talk.written, "answer 1\n\nanswer 2\n\n");
  ASSERT_THAT(report.turns, SizeIs(2));
  EXPECT_EQ(report.turns[1].user, "and now?");
  EXPECT_EQ(report.turns[1].assistant, "answer 2");
  EXPECT_THAT(report.chat_template, SizeIs(64));
}

TEST(Chat, AMessageIsTheWholeConversation) {
  Talk talk;
  talk.config.message = "one";
  talk.lines = {"two"};
  EXPECT_THAT(run(talk.config, talk.request).turns, SizeIs(1));
  EXPECT_EQ(talk.written, "answer 1");
}

TEST(Chat, ReadsLinesToTheEndAndPassesOverEmptyOnes) {
  Talk talk;
  talk.lines = {"one", "", "  ", "two"};
  EXPECT_THAT(run(talk.config, talk.request).turns, SizeIs(2));
  EXPECT_EQ(talk.written, "answer 1\n\nanswer 2\n\n");
}

TEST(Chat, AnswersAsTheSettingsSayAndPutsNothingBeforeTheTemplatesText) {
  Talk talk;
  talk.lines = {"a", "b"};
  talk.config.max_new_tokens = 7;
  talk.config.temperature = 0.5;
  talk.config.stop = {"."};
  run(talk.config, talk.request);
  EXPECT_EQ(asked[0].max_new_tokens, 7);
  EXPECT_EQ(asked[0].temperature, 0.5);
  EXPECT_THAT(asked[0].stop, ElementsAre("."));
  EXPECT_TRUE(asked[0].prompt_is_whole);
  EXPECT_NE(asked[0].seed, asked[1].seed) << "two answers draw alike";
}

TEST(Chat, TakesATemplateFromAFileInPlaceOfTheModels) {
  Talk talk;
  talk.config.message = "hi";
  talk.config.chat_template_jinja = {
      talk.folder.write("own.jinja", "<{{ messages[0].content }}>").string()};
  run(talk.config, talk.request);
  EXPECT_THAT(prompts, ElementsAre("<hi>"));
}

TEST(Chat, AModelWithoutATemplateIsRefusedWithWhatToDo) {
  Talk talk("{}");
  talk.config.message = "hi";
  EXPECT_THAT([&] { run(talk.config, talk.request); },
              throws_error(ErrorKind::config,
                           "the model has no chat template; give one with "
                           "--chat_template_jinja=FILE"));
}

TEST(Chat, WhatTheTemplateRefusesIsSaid) {
  Talk talk(R"({"chat_template": "{{ raise_exception('only cats may speak') }}"})");
  talk.config.message = "hi";
  EXPECT_THAT([&] { run(talk.config, talk.request); },
              throws_error(ErrorKind::data, "only cats may speak"));
}

TEST(Chat, EndsWhenAskedToStop) {
  Talk talk;
  const std::atomic<bool> stop{true};
  talk.request.stop = &stop;
  talk.config.message = "hi";
  EXPECT_THROW(run(talk.config, talk.request), Interrupted);
}

}  // namespace
}  // namespace cupel::pipeline::chat
