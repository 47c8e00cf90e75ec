#include "pipeline/chat.h"

#include <filesystem>
#include <optional>

#include "base/atomic_file.h"
#include "base/error.h"
#include "data/adapter_folder.h"
#include "data/chat_template.h"
#include "data/model_path.h"
#include "data/tokenizer/gguf_tokenizer.h"

namespace cupel::pipeline::chat {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMostBytes = INT64_C(1) << 20;  // of a template

ChatTemplate template_of(const Config& config, const fs::path& model) {
  const std::string tokenizer = load_tokenizer(model).config();
  if (!config.chat_template_jinja.empty()) {
    const std::string& path = config.chat_template_jinja.text;
    return chat_template_from(read_file(path, kMostBytes), path, tokenizer);
  }
  const fs::path jinja = file_of_model(model, "chat_template.jinja");
  const bool beside = fs::exists(jinja);
  std::optional<ChatTemplate> found = chat_template_of(
      tokenizer, beside ? read_file(jinja, kMostBytes) : "", (beside ? jinja : model).string());
  if (!found)
    fail(ErrorKind::config, model.string(), "the model has no chat template",
         "give one with --chat_template_jinja=FILE, or continue texts with cupel eval");
  return std::move(*found);
}

json::Value message(const std::string& role, const std::string& content) {
  return json::Object{{"role", role}, {"content", content}};
}

/// What was said so far, and how the next answer is had.
class Session {
 public:
  Session(const Config& config, const Request& request, const fs::path& model)
      : config_(config),
        request_(request),
        template_(template_of(config, model)),
        run_(options_of(request)),
        model_(request.heavy.load_model(Path{model.string()}, run_)) {
    if (!config.system.empty()) chat_.messages.push_back(message("system", config.system));
  }

  const std::string& template_hash() const { return template_.hash(); }

  Turn ask(const std::string& user) {
    chat_.messages.push_back(message("user", user));
    const ChatText prompt = template_.render(chat_, /*add_generation_prompt=*/true);
    if (prompt.refusal)
      fail(ErrorKind::data, template_.where(), *prompt.refusal, "say it as the template asks");
    const std::string answer = model_.generate(prompt.text, generate_options(), [&](auto piece) {
      request_.console.write(piece);
      return true;
    });
    run_.stop_if_asked();
    chat_.messages.push_back(message("assistant", answer));
    ++turns_;
    return {user, answer};
  }

 private:
  static RunOptions options_of(const Request& request) {
    RunOptions options;
    options.threads = request.line.flags.threads.value_or(0);
    options.seed = static_cast<uint64_t>(request.line.flags.seed.value_or(0));
    options.stop = request.stop;
    return options;
  }

  GenerateOptions generate_options() {
    GenerateOptions options;
    options.max_new_tokens = config_.max_new_tokens;
    options.temperature = config_.temperature;
    options.stop = config_.stop;
    options.seed = run_.stream("chat", turns_).next_u64();
    options.prompt_is_whole = true;
    options.cancelled = [this] { return run_.stop_requested(); };
    return options;
  }

  const Config& config_;
  const Request& request_;
  ChatTemplate template_;
  cupel::Run run_;
  LanguageModel model_;
  Chat chat_;
  uint64_t turns_ = 0;
};

}  // namespace

std::vector<std::string> Config::problems() const {
  if (model.empty()) return {"name a model, as in cupel chat runs/train/model"};
  return {};
}

Report run(const Config& config, const Request& request) {
  const fs::path model = resolve_model(config.model.text);
  Session session(config, request, model);
  Report report{model_name(model), session.template_hash(), {}};
  if (!config.message.empty()) {
    report.turns.push_back(session.ask(config.message));
    return report;
  }
  while (const std::optional<std::string> line = request.console.read_line()) {
    if (line->find_first_not_of(" \t\r") == std::string::npos) continue;
    report.turns.push_back(session.ask(*line));
    request.console.write("\n\n");
  }
  return report;
}

}  // namespace cupel::pipeline::chat
