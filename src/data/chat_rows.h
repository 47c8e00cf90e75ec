// Rows of the common forms of instruction data → chats of OpenAI's messages.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "data/chat_template.h"
#include "data/read.h"

namespace cupel {

enum class ChatForm {
  detect,             // by a row's fields
  messages,           // messages or conversations: [{role, content}], tools
  sharegpt,           // conversations: [{from, value}], system, tools
  alpaca,             // instruction, input, output, system, history
  prompt_completion,  // prompt, completion
  query_response      // query, response, system, history
};

struct ChatRowOptions {
  ChatForm form = ChatForm::detect;
  std::string field_messages{};  // empty: messages, else conversations
  /// Where a message has them: role, content and others → names in the row.
  std::map<std::string, std::string> message_property_mappings{};
};

/// `chat` gets the row, or the result says what is wrong with it. Roles that other forms know by
/// other names (human, gpt, observation, function_call) become OpenAI's; contents that are lists of
/// text parts become one string; tools may be JSON in a string.
std::optional<RowProblem> read_chat_row(const json::Value& row, const ChatRowOptions& options,
                                        Chat& chat);

}  // namespace cupel
