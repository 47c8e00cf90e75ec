#include "data/chat_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cupel {
namespace {

/// The messages of a row as JSON, or what is wrong with it.
std::string messages(const char* row, const ChatRowOptions& options = {}) {
  Chat chat;
  const auto problem = read_chat_row(json::parse(row, "row"), options, chat);
  if (problem) return problem->rule + ": " + problem->text;
  return json::dump(json::Value(chat.messages)) +
         (chat.tools.is_null() ? "" : json::dump(chat.tools));
}

TEST(ChatRows, EveryFormBecomesMessages) {
  const std::string answered =
      R"([{"role":"user","content":"q"},{"role":"assistant","content":"a"}])";
  EXPECT_EQ(messages(R"({"messages": [{"role": "user", "content": "q"},
                                      {"role": "assistant", "content": "a"}]})"),
            answered);
  EXPECT_EQ(messages(R"({"conversations": [{"from": "human", "value": "q"},
                                           {"from": "gpt", "value": "a"}]})"),
            answered);
  EXPECT_EQ(messages(R"({"instruction": "q", "input": "", "output": "a"})"), answered);
  EXPECT_EQ(messages(R"({"prompt": "q", "completion": "a"})"), answered);
  EXPECT_EQ(messages(R"({"query": "q", "response": "a"})"), answered);
}

TEST(ChatRows, AlpacaHasAnInputASystemAndAHistory) {
  EXPECT_EQ(messages(R"({"system": "s", "history": [["p", "o"]], "instruction": "q",
                         "input": "i", "output": "a"})"),
            R"([{"role":"system","content":"s"},{"role":"user","content":"p"},)"
            R"({"role":"assistant","content":"o"},{"role":"user","content":"q\ni"},)"
            R"({"role":"assistant","content":"a"}])");
}

TEST(ChatRows, ShareGptCallsFunctions) {
  EXPECT_EQ(messages(R"({"tools": "[{\"name\": \"f\"}]", "conversations": [
                {"from": "function_call", "value": "{\"name\": \"f\", \"arguments\": {}}"},
                {"from": "observation", "value": "t"}]})"),
            R"([{"role":"assistant","content":"","tool_calls":[{"type":"function",)"
            R"("function":{"name":"f","arguments":{}}}]},{"role":"tool","content":"t"}])"
            R"([{"name":"f"}])");
}

TEST(ChatRows, PartsOfTextBecomeOneAndFurtherFieldsStay) {
  EXPECT_EQ(messages(R"({"messages": [{"role": "user", "name": "n", "content":
                [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]})"),
            R"([{"role":"user","content":"ab","name":"n"}])");
}

TEST(ChatRows, FieldsMayHaveOtherNames) {
  ChatRowOptions options;
  options.field_messages = "talk";
  options.message_property_mappings = {{"role", "who"}, {"content", "what"}};
  EXPECT_EQ(messages(R"({"talk": [{"who": "user", "what": "q"}]})", options),
            R"([{"role":"user","content":"q"}])");
}

TEST(ChatRows, WhatIsWrongIsNamedByItsField) {
  EXPECT_THAT(messages(R"({"text": "a"})"), testing::HasSubstr("no field of a chat"));
  EXPECT_EQ(messages(R"({"messages": [{"role": "user"}]})"),
            "missing_field: messages[0].content: missing or no text");
  EXPECT_EQ(messages(R"({"messages": [{"content": "a"}]})"),
            "missing_field: messages[0].role: missing or no text");
  EXPECT_EQ(messages(R"({"messages": ["a"]})"), "wrong_type: messages[0]: a message is an object");
  EXPECT_EQ(messages(R"({"messages": []})"),
            "missing_field: field \"messages\": the list is empty");
  EXPECT_EQ(messages(R"({"messages": [{"role": "user", "content": [{"type": "image"}]}]})"),
            "wrong_type: messages[0]: a part of the content is not text");
  EXPECT_EQ(messages(R"({"instruction": "a"})"),
            "missing_field: field \"output\": missing or no text");
  EXPECT_EQ(messages(R"({"instruction": "a", "output": "b", "history": [["x"]]})"),
            "wrong_type: field \"history\": not a list of [question, answer]");
  EXPECT_EQ(messages(R"({"messages": [{"role": "user", "content": "a"}], "tools": "x"})"),
            "wrong_type: field \"tools\": neither a list nor JSON of one");
  EXPECT_EQ(messages(R"({"conversations": [{"from": "function_call", "value": "f"}]})"),
            "wrong_type: conversations[0]: a function_call is JSON with a name");
}

}  // namespace
}  // namespace cupel
