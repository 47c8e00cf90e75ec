#include "data/chat_rows.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"

namespace cupel {
namespace {

using Problem = std::optional<RowProblem>;

struct RoleName {
  std::string_view from, to;
};
constexpr std::array kRoles{
    RoleName{"human", "user"},        RoleName{"gpt", "assistant"},
    RoleName{"chatgpt", "assistant"}, RoleName{"bing", "assistant"},
    RoleName{"bot", "assistant"},     RoleName{"model", "assistant"},
    RoleName{"observation", "tool"},  RoleName{"function_response", "tool"}};

std::string role_named(const std::string& name) {
  const auto found = std::ranges::find(kRoles, name, &RoleName::from);
  return found == kRoles.end() ? name : std::string(found->to);
}

const std::string* text_of(const json::Value& row, std::string_view field) {
  const json::Value* value = row.find(field);
  return value != nullptr && value->is_string() ? &value->as_string(field) : nullptr;
}

json::Value message_of(const char* role, std::string content) {
  return json::Object{{"role", role}, {"content", std::move(content)}};
}

/// [{type: text, text: …}, …] as one string; nothing if a part is none.
std::optional<std::string> joined_parts(const json::Array& parts) {
  std::string out;
  for (const json::Value& part : parts) {
    const std::string* text = part.is_object() ? text_of(part, "text") : nullptr;
    if (text == nullptr) return std::nullopt;
    out += *text;
  }
  return out;
}

/// A list, also where it stands as JSON in a string. Empty: none.
Problem read_tools(const json::Value& row, json::Value& tools) {
  const json::Value* given = row.find("tools");
  if (given == nullptr || given->is_null()) return std::nullopt;
  tools = *given;
  if (given->is_string()) {
    const std::string& text = given->as_string("tools");
    try {
      tools = text.empty() ? json::Value() : json::parse(text, "tools");
    } catch (const Error&) {
      return RowProblem{"wrong_type", "field \"tools\": neither a list nor JSON of one"};
    }
  }
  if (tools.is_array() && tools.as_array("tools").empty()) tools = nullptr;
  if (!tools.is_array() && !tools.is_null())
    return RowProblem{"wrong_type", "field \"tools\": neither a list nor JSON of one"};
  return std::nullopt;
}

/// {"name": …, "arguments": …} as a sharegpt row's function_call has it, in a string.
Problem read_function_call(const std::string& text, const std::string& where,
                           json::Value& message) {
  json::Value call;
  try {
    call = json::parse(text, where);
  } catch (const Error&) {
  }
  json::Array calls;
  const json::Array all = call.is_array() ? call.as_array(where) : json::Array{call};
  for (const json::Value& each : all) {
    if (!each.is_object() || text_of(each, "name") == nullptr)
      return RowProblem{"wrong_type", where + ": a function_call is JSON with a name"};
    calls.push_back(json::Object{{"type", "function"}, {"function", each}});
  }
  message.set("role", "assistant");
  message.set("content", "");
  message.set("tool_calls", std::move(calls));
  return std::nullopt;
}

/// Names in the row of a message's properties.
struct Names {
  std::string role, content;
};

Names names_of(const json::Value& message, const ChatRowOptions& options) {
  const auto mapped = [&](const char* property, const char* usual, const char* sharegpt) {
    const auto given = options.message_property_mappings.find(property);
    if (given != options.message_property_mappings.end()) return given->second;
    const bool other = options.form == ChatForm::sharegpt || message.find(usual) == nullptr;
    return std::string(other && message.find(sharegpt) != nullptr ? sharegpt : usual);
  };
  return {mapped("role", "role", "from"), mapped("content", "content", "value")};
}

Problem read_message(const json::Value& given, const std::string& where,
                     const ChatRowOptions& options, json::Value& message) {
  if (!given.is_object()) return RowProblem{"wrong_type", where + ": a message is an object"};
  const Names names = names_of(given, options);
  const std::string* role = text_of(given, names.role);
  if (role == nullptr)
    return RowProblem{"missing_field", where + "." + names.role + ": missing or no text"};
  message = json::Object{{"role", role_named(*role)}, {"content", nullptr}};
  const json::Value* content = given.find(names.content);
  if (content != nullptr && content->is_array()) {
    const auto text = joined_parts(content->as_array(where));
    if (!text) return RowProblem{"wrong_type", where + ": a part of the content is not text"};
    message.set("content", *text);
  } else if (content != nullptr && (content->is_string() || content->is_null())) {
    message.set("content", *content);
  } else if (content != nullptr || given.find("tool_calls") == nullptr) {
    return RowProblem{"missing_field", where + "." + names.content + ": missing or no text"};
  }
  for (const auto& [name, value] : given.as_object(where)) {
    if (name != names.role && name != names.content && name != "role" && name != "content")
      message.set(name, value);
  }
  for (const auto& [property, name] : options.message_property_mappings) {
    const json::Value* value = given.find(name);
    if (property != "role" && property != "content" && value != nullptr)
      message.set(property, *value);
  }
  if (*role == "function_call" && message.at("content", where).is_string())
    return read_function_call(std::string(message.at("content", where).as_string(where)), where,
                              message);
  return std::nullopt;
}

Problem read_messages(const json::Value& row, const ChatRowOptions& options, Chat& chat) {
  std::string field = options.field_messages;
  if (field.empty()) field = row.find("messages") != nullptr ? "messages" : "conversations";
  const json::Value* list = row.find(field);
  if (list == nullptr || !list->is_array())
    return RowProblem{"missing_field", "field \"" + field + "\": missing or no list"};
  if (const std::string* system = text_of(row, "system"); system != nullptr && !system->empty())
    chat.messages.push_back(message_of("system", *system));
  for (const json::Value& given : list->as_array(field)) {
    json::Value message;
    const std::string where = field + "[" + std::to_string(chat.messages.size()) + "]";
    if (const Problem problem = read_message(given, where, options, message)) return problem;
    chat.messages.push_back(std::move(message));
  }
  if (chat.messages.empty())
    return RowProblem{"missing_field", "field \"" + field + "\": the list is empty"};
  return read_tools(row, chat.tools);
}

/// [[question, answer], …] before the last turn.
Problem read_history(const json::Value& row, Chat& chat) {
  const json::Value* history = row.find("history");
  if (history == nullptr || history->is_null()) return std::nullopt;
  const RowProblem problem{"wrong_type", "field \"history\": not a list of [question, answer]"};
  if (!history->is_array()) return problem;
  for (const json::Value& turn : history->as_array("history")) {
    if (!turn.is_array() || turn.as_array("history").size() != 2) return problem;
    for (std::size_t i = 0; i < 2; ++i) {
      const json::Value& text = turn.as_array("history")[i];
      if (!text.is_string()) return problem;
      chat.messages.push_back(message_of(i == 0 ? "user" : "assistant", text.as_string("history")));
    }
  }
  return std::nullopt;
}

/// A question and an answer by these names, a second part of the question perhaps.
Problem read_pair(const json::Value& row, const char* question, const char* more,
                  const char* answer, Chat& chat) {
  if (const std::string* system = text_of(row, "system"); system != nullptr && !system->empty())
    chat.messages.push_back(message_of("system", *system));
  if (const Problem problem = read_history(row, chat)) return problem;
  const std::string* asked = text_of(row, question);
  const std::string* said = text_of(row, answer);
  if (asked == nullptr || said == nullptr) {
    return RowProblem{
        "missing_field",
        "field \"" + std::string(asked == nullptr ? question : answer) + "\": missing or no text"};
  }
  std::string user = *asked;
  const std::string* rest = more[0] == '\0' ? nullptr : text_of(row, more);
  if (rest != nullptr && !rest->empty()) user += (user.empty() ? "" : "\n") + *rest;
  chat.messages.push_back(message_of("user", std::move(user)));
  chat.messages.push_back(message_of("assistant", *said));
  return std::nullopt;
}

std::optional<ChatForm> detect(const json::Value& row, const ChatRowOptions& options) {
  const auto has = [&](std::string_view field) { return row.find(field) != nullptr; };
  if (!options.field_messages.empty() || has("messages") || has("conversations"))
    return ChatForm::messages;
  if (has("instruction")) return ChatForm::alpaca;
  if (has("prompt") && has("completion")) return ChatForm::prompt_completion;
  if (has("query") && has("response")) return ChatForm::query_response;
  return std::nullopt;
}

}  // namespace

std::optional<RowProblem> read_chat_row(const json::Value& row, const ChatRowOptions& options,
                                        Chat& chat) {
  const std::optional<ChatForm> form =
      options.form == ChatForm::detect ? detect(row, options) : options.form;
  if (!form) {
    return RowProblem{"missing_field",
                      "no field of a chat (messages, conversations, instruction, prompt and "
                      "completion, query and response)"};
  }
  switch (*form) {
    case ChatForm::alpaca:
      return read_pair(row, "instruction", "input", "output", chat);
    case ChatForm::prompt_completion:
      return read_pair(row, "prompt", "", "completion", chat);
    case ChatForm::query_response:
      return read_pair(row, "query", "", "response", chat);
    default:
      return read_messages(row, options, chat);
  }
}

}  // namespace cupel
