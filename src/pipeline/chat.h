// `chat`: a conversation with a model, its answers written as they come.
#pragma once

#include <string>
#include <vector>

#include "pipeline/verbs.h"

namespace cupel::pipeline::chat {

struct Config {
  Path model;
  std::string message, system;
  Path chat_template_jinja;
  int64_t max_new_tokens = 512;
  double temperature = 0;
  std::vector<std::string> stop;
  static constexpr auto fields() {
    using C = Config;
    return std::tuple{
        Field{"model", &C::model, "folder, .gguf file, or org/name in the Hugging Face cache"},
        Field{"message", &C::message, "to say; default: each line of standard input"},
        Field{"system", &C::system, "what the model is told before"},
        Field{"chat_template_jinja", &C::chat_template_jinja,
              "file of a chat template; default: the model's own"},
        Field{"max_new_tokens", &C::max_new_tokens, "most tokens of an answer", 1, 1e6},
        Field{"temperature", &C::temperature, "0 = greedy", 0, 100},
        Field{"stop", &C::stop, "an answer ends before the first of these texts"}};
  }
  std::vector<std::string> problems() const;
};

struct Turn {
  std::string user, assistant;
  static constexpr auto fields() {
    return std::tuple{Field{"user", &Turn::user, "what was said"},
                      Field{"assistant", &Turn::assistant, "what the model answered"}};
  }
};

struct Report {
  std::string model, chat_template;
  std::vector<Turn> turns;
  /// The answers were written as they came.
  std::string text() const { return turns.empty() ? "nothing was said\n" : "\n"; }
  static constexpr auto fields() {
    return std::tuple{
        Field{"model", &Report::model, "what answered"},
        Field{"chat_template", &Report::chat_template, "SHA-256 of the template's text"},
        Field{"turns", &Report::turns, "what was said, in order"}};
  }
};

/// Throws Error{config} for a model that is not there or has no chat template, Error{data} for one
/// that is damaged and for a conversation longer than its context, Interrupted when asked to stop.
Report run(const Config& config, const Request& request);

}  // namespace cupel::pipeline::chat
