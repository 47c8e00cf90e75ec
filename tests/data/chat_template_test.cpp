#include "data/chat_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/atomic_file.h"
#include "support/errors.h"

namespace cupel {
namespace {

const json::Value& expected_renders() {
  static const json::Value root =
      json::parse(read_file(std::filesystem::path(CUPEL_SOURCE_DIR) /
                            "tests/fixtures/chat_template/expected.json"),
                  "expected");
  return root;
}

/// SHA-256 of the text, or what became of the chat, as the fixture has it.
std::string outcome(const ChatTemplate& chat_template, const json::Value& row) {
  Chat chat{row.at("messages", "").as_array(""), row.at("tools", ""),
            row.at("extra", "").as_object("")};
  try {
    const ChatText out =
        chat_template.render(chat, row.at("add_generation_prompt", "").as_bool(""));
    return out.refusal ? "refused: " + *out.refusal : sha256(out.text);
  } catch (const Error&) {
    return "error";
  }
}

/// Cases that render otherwise than transformers rendered them.
std::vector<std::string> differences(const ChatTemplate& chat_template, const std::string& name) {
  std::vector<std::string> found;
  const json::Array& rows = expected_renders().at("cases", "").as_array("");
  const json::Array& renders =
      expected_renders().at("renders", "").at(name, "renders").as_array("");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (outcome(chat_template, rows[i]) != renders[i].as_string(""))
      found.push_back(rows[i].at("name", "").as_string(""));
  }
  return found;
}

std::filesystem::path published_folder(const std::string& name) {
  const char* const given = std::getenv("CUPEL_HOME");
  const char* const home = std::getenv("HOME");
  const std::filesystem::path root =
      given != nullptr ? std::filesystem::path(given)
                       : std::filesystem::path(home != nullptr ? home : ".") / ".cache" / "cupel";
  return root / "oracle" / "tokenizers" / name;
}

class PublishedTemplates : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Models, PublishedTemplates,
                         testing::Values("deepseek_v3", "qwen3", "llama3_1"));

TEST_P(PublishedTemplates, RenderEveryChatAsTransformersDoes) {
  const std::string name = GetParam();
  const std::filesystem::path config = published_folder(name) / "tokenizer_config.json";
  if (!std::filesystem::exists(config))
    GTEST_SKIP() << config << " is missing; scripts/oracle fetches it";
  const auto chat_template = chat_template_of(read_file(config), "", config.string());
  ASSERT_TRUE(chat_template.has_value());
  EXPECT_THAT(differences(*chat_template, "published " + name), testing::IsEmpty());
}

TEST(ChatTemplate, OursRenderEveryChatAsTransformersRendersThem) {
  for (const std::string_view name : builtin_chat_templates()) {
    const ChatTemplate ours = builtin_chat_template(name, "");
    EXPECT_THAT(differences(ours, std::string(name)), testing::IsEmpty()) << name;
  }
}

TEST(ChatTemplate, OursMarkWhatTheAssistantWritesAndItsEnd) {
  const Chat chat{{json::Object{{"role", "user"}, {"content", "q"}},
                   json::Object{{"role", "assistant"}, {"content", "an answer"}}}};
  for (const std::string_view name : builtin_chat_templates()) {
    const ChatText text = builtin_chat_template(name, "").render_turns(chat, {"assistant"});
    ASSERT_EQ(text.spans.size(), 1u) << name;
    const TextSpan span = text.spans[0];
    const std::string turn = text.text.substr(span.begin, span.end - span.begin);
    EXPECT_THAT(turn, testing::HasSubstr("an answer")) << name;
    EXPECT_TRUE(turn.ends_with(builtin_special_tokens(name)[1])) << name;
  }
}

TEST(ChatTemplate, ATokenizersTemplateComesWithItsTokens) {
  const std::string config = R"({"chat_template": "{{ bos_token }}|{{ eos_token }}",
      "bos_token": {"content": "<b>"}, "eos_token": "<e>", "unk_token": null})";
  const auto found = chat_template_of(config, "", "c");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->render({}, false).text, "<b>|<e>");
  EXPECT_EQ(found->hash(), sha256("{{ bos_token }}|{{ eos_token }}"));
  EXPECT_EQ(chat_template_of(config, "file", "c")->render({}, false).text, "file");
  EXPECT_FALSE(chat_template_of("{}", "", "c").has_value());
  EXPECT_FALSE(chat_template_of("", "", "c").has_value());
}

TEST(ChatTemplate, OfNamedOnesTheDefaultCounts) {
  const std::string list =
      R"({"chat_template": [{"name": "rag", "template": "r"}, {"name": "default", "template": "d"}]})";
  EXPECT_EQ(chat_template_of(list, "", "c")->text(), "d");
  EXPECT_THAT(
      [] { chat_template_of(R"({"chat_template": [{"name": "rag", "template": "r"}]})", "", "c"); },
      throws_error(ErrorKind::data,
                   "c: no template of chat_template is called \"default\"; it has: "
                   "rag"));
  EXPECT_THAT(
      [] { builtin_chat_template("vicuna", ""); },
      throws_error(ErrorKind::config, "\"vicuna\" is not a template of ours; known: chatml"));
}

TEST(ChatTemplate, ReasoningIsFoundUnderItsOlderNames) {
  const ChatTemplate shown("{{ messages[0].reasoning_content }}", "t", {});
  const Chat chat{{json::Object{{"role", "assistant"}, {"content", ""}, {"reasoning", "why"}}}};
  EXPECT_EQ(shown.render(chat, false).text, "why");
}

TEST(ChatTemplate, ARefusedChatIsAnAnswer) {
  const ChatTemplate strict("{{ raise_exception('roles must alternate') }}", "t", {});
  EXPECT_EQ(strict.render({}, false).refusal, "roles must alternate");
}

}  // namespace
}  // namespace cupel
