#include "data/chat_spans.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"

namespace cupel {
namespace {

using testing::ElementsAre;

json::Value message(const char* role, const char* content) {
  return json::Object{{"role", role}, {"content", content}};
}

/// The texts of the turns of `roles`.
std::vector<std::string> turns(const std::string& text, const Chat& chat,
                               const std::vector<std::string>& roles = {"assistant"}) {
  const ChatTemplate chat_template(text, "t", {{"eos_token", "</s>"}});
  const ChatText out = chat_template.render_turns(chat, roles);
  std::vector<std::string> found;
  for (const TextSpan& span : out.spans)
    found.push_back(out.text.substr(span.begin, span.end - span.begin));
  return found;
}

const std::string kChatMl =
    "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content | trim }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}";
const Chat kChat{{message("system", "s"), message("user", "q"), message("assistant", " a \n"),
                  message("user", "r"), message("assistant", "b")}};

TEST(ChatSpans, ATurnReachesFromItsHeaderToItsEnd) {
  EXPECT_THAT(turns(kChatMl, kChat), ElementsAre("a<|end|>", "b<|end|>"));
}

TEST(ChatSpans, OtherRolesTurnsBeginAtTheirContent) {
  EXPECT_THAT(turns(kChatMl, kChat, {"user"}), ElementsAre("q<|end|>", "r<|end|>"));
  EXPECT_THAT(turns(kChatMl, kChat, {"user", "assistant"}),
              ElementsAre("q<|end|>", "a<|end|>", "r<|end|>", "b<|end|>"));
}

/// As Qwen 3: thoughts before the last question are left out, the last turn has an empty one.
const std::string kThinking =
    "{% for m in messages %}{% set c = m.content.split('</think>')[-1] %}<|{{ m.role }}|>"
    "{% if m.role == 'assistant' and loop.last %}<think>{{ m.content.split('</think>')[0] if "
    "'</think>' in m.content }}</think>{% endif %}{{ c }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}";

TEST(ChatSpans, ATurnThatIsRenderedOtherwiseWhenOthersFollowIsFound) {
  const Chat chat{{message("user", "q"), message("assistant", "x</think>a"), message("user", "r"),
                   message("assistant", "y</think>b")}};
  EXPECT_THAT(turns(kThinking, chat), ElementsAre("a<|end|>", "<think>y</think>b<|end|>"));
}

TEST(ChatSpans, WhatStandsOnlyAtAChatsEndIsNoEndOfAnEarlierTurn) {
  EXPECT_THAT(
      turns(kChatMl + "{% if not add_generation_prompt %}{{ eos_token }}{% endif %}", kChat),
      ElementsAre("a<|end|>", "b<|end|>\n</s>"));
}

TEST(ChatSpans, CallsOfToolsArePartOfTheTurn) {
  const std::string text =
      "{% for m in messages %}<|{{ m.role }}|>{{ m.content or '' }}{% for c in m.tool_calls or [] "
      "%}[{{ c }}]{% endfor %}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% "
      "endif %}";
  json::Value call = message("assistant", "look");
  call.set("tool_calls", json::Array{"f"});
  json::Value silent{json::Object{{"role", "assistant"}, {"content", nullptr}}};
  silent.set("tool_calls", json::Array{"g"});
  const Chat chat{{message("user", "q"), call, message("tool", "t"), silent, message("tool", "u"),
                   message("assistant", "b")}};
  EXPECT_THAT(turns(text, chat), ElementsAre("look[f]<|end|>", "[g]<|end|>", "b<|end|>"));
}

TEST(ChatSpans, GenerationBlocksAreBelieved) {
  EXPECT_THAT(turns("{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}"
                    "{{ m.content }}!{% endgeneration %}{% else %}{{ m.content }}{% endif %}"
                    "{% endfor %}",
                    kChat),
              ElementsAre(" a \n!", "b!"));
}

TEST(ChatSpans, WhatCannotBeToldIsAnError) {
  const auto told = [](const char* text) { return [text] { turns(text, kChat); }; };
  EXPECT_THAT(told("{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"),
              throws_error(ErrorKind::data, "nothing closes the turn"));
  EXPECT_THAT(told("{% for m in messages %}{{ m.content | length }}{% endfor %}"),
              throws_error(ErrorKind::data, "t: cannot tell which text message"));
}

}  // namespace
}  // namespace cupel
