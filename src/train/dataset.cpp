#include "train/dataset.h"

#include <algorithm>
#include <functional>

#include "base/atomic_file.h"
#include "base/error.h"
#include "data/adapter_folder.h"
#include "data/arithmetic.h"
#include "data/chat_rows.h"
#include "data/grammar.h"
#include "data/read.h"
#include "data/split.h"
#include "data/tokenizer/gguf_tokenizer.h"
#include "train/chat_tokens.h"
#include "train/excess.h"

namespace cupel::train {
namespace {

constexpr int64_t kDefaultVocabulary = 2048;

/// What a long reader calls now and then.
std::function<void()> stop_poll(const Run& run) {
  return [&run] {
    if (run.stop_requested()) throw Interrupted();
  };
}

std::vector<Text> read_documents(const DatasetConfig& set, Run& run) {
  std::vector<Reject> rejects;
  CorpusOptions options;
  options.read = {set.split, set.columns};
  options.text_field = set.text_field;
  options.poll = stop_poll(run);
  Corpus corpus = read_corpus(set.path.text, options, &rejects);
  for (const Reject& reject : rejects) run.reject(reject);
  std::vector<Text> texts;
  for (Document& document : corpus.documents)
    texts.push_back({"", std::move(document.text), document.line});
  return texts;
}

std::vector<Text> read_completions(const DatasetConfig& set, Run& run) {
  std::vector<Text> texts;
  std::vector<Reject> rejects;
  const auto field = [](const json::Value& row,
                        const std::string& name) -> std::optional<std::string> {
    const json::Value* value = row.find(name);
    if (value == nullptr || !value->is_string()) return std::nullopt;
    return value->as_string(name);
  };
  const auto poll = stop_poll(run);
  const auto take = [&](json::Value&& row, int64_t line) -> std::optional<RowProblem> {
    poll();
    const auto prompt = field(row, set.prompt_field);
    const auto completion = field(row, set.completion_field);
    if (!prompt)
      return RowProblem{"missing_field", "field \"" + set.prompt_field + "\": missing or no text"};
    if (!completion)
      return RowProblem{"missing_field",
                        "field \"" + set.completion_field + "\": missing or no text"};
    texts.push_back({*prompt, *completion, line});
    return std::nullopt;
  };
  for_each_row(set.path.text, {set.split, set.columns}, take, &rejects);
  for (const Reject& reject : rejects) run.reject(reject);
  return texts;
}

ChatForm form_of(DatasetType type) {
  switch (type) {
    case DatasetType::messages:
      return ChatForm::messages;
    case DatasetType::sharegpt:
      return ChatForm::sharegpt;
    case DatasetType::alpaca:
      return ChatForm::alpaca;
    case DatasetType::prompt_completion:
      return ChatForm::prompt_completion;
    case DatasetType::query_response:
      return ChatForm::query_response;
    default:
      return ChatForm::detect;
  }
}

std::vector<Text> read_chats(const DatasetConfig& set, Run& run) {
  const ChatRowOptions options{form_of(set.type), set.field_messages,
                               set.message_property_mappings};
  std::vector<Text> texts;
  std::vector<Reject> rejects;
  const auto poll = stop_poll(run);
  const auto take = [&](json::Value&& row, int64_t line) -> std::optional<RowProblem> {
    poll();
    Chat chat;
    std::optional<RowProblem> problem = read_chat_row(row, options, chat);
    if (!problem) texts.push_back({"", "", line, std::move(chat)});
    return problem;
  };
  for_each_row(set.path.text, {set.split, set.columns}, take, &rejects);
  for (const Reject& reject : rejects) run.reject(reject);
  return texts;
}

/// `index` among the generated sets: each has problems of its own.
std::vector<Text> generate_arithmetic(const DatasetConfig& set, uint64_t index, Run& run) {
  Rng rng = run.stream("arithmetic problems", index);
  std::vector<Text> texts;
  for (Problem& problem : generate_problems(rng, set.rows, {})) {
    texts.push_back({std::move(problem.prompt), std::move(problem.completion),
                     static_cast<int64_t>(texts.size()) + 1});
  }
  return texts;
}

/// Of one language for each set.
std::vector<Text> generate_documents(const DatasetConfig& set, uint64_t index, Run& run) {
  constexpr int64_t kDocumentBytes = 2000;
  Rng words = run.stream("grammar words", index), rng = run.stream("grammar text", index);
  const Grammar grammar(words, {});
  std::vector<Text> texts;
  const auto poll = stop_poll(run);
  for (int64_t line = 1; line <= set.rows; ++line) {
    poll();
    texts.push_back({"", grammar.document(rng, kDocumentBytes), line});
  }
  return texts;
}

void split_documents(std::vector<Text> documents, double share, TextSet& set) {
  std::vector<std::string> texts;
  for (Text& document : documents) texts.push_back(std::move(document.target));
  TextSplit split = split_running_text(std::move(texts), share);
  // Both parts keep the order; a single document may be in both.
  std::size_t next = 0;
  const auto add = [&](std::vector<std::string>& part, std::vector<Text>& side) {
    for (std::string& text : part) {
      const std::size_t document = std::min(next++, documents.size() - 1);
      side.push_back({"", std::move(text), documents[document].line});
    }
  };
  add(split.kept, set.train);
  add(split.held_out, set.validation);
}

/// A row as a reject shows it.
std::string shown(const Text& text) {
  return text.chat ? json::dump(json::Value(text.chat->messages)) : text.context + text.target;
}

void split_rows(std::vector<Text> texts, double share, TextSet& set) {
  for (Text& text : texts) {
    const bool held_out = text.chat ? is_held_out(shown(text), "", share)
                                    : is_held_out(text.context, text.target, share);
    (held_out ? set.validation : set.train).push_back(std::move(text));
  }
}

/// Texts of one set → a stream.
class SetTokenizer {
 public:
  SetTokenizer(const Config& config, const TextSet& set, const ChatTemplate* chat_template,
               const Tokenizer& tokenizer, Run& run)
      : config_(config),
        set_(set),
        template_(chat_template),
        tokenizer_(tokenizer),
        run_(run),
        poll_(stop_poll(run)) {}

  TokenStream tokenize(const std::vector<Text>& texts) {
    TokenStream stream;
    RowCounts counts;
    for (const Text& text : texts) {
      poll_();
      const auto reject = [&](std::string_view rule) {
        run_.reject({set_.input, text.line, std::string(rule), shown(text)});
      };
      const std::optional<MaskedTokens> tokens = text.chat ? tokens_of_chat(text) : tokens_of(text);
      if (tokens) {
        // Running text is cut wherever a sequence ends.
        const int64_t length = set_.cut == Cut::windows ? INT64_MAX : config_.sequence_len;
        append_row(stream, *tokens, length, set_.excess, place_of(text), counts, reject);
      } else {
        ++counts.rows;
        ++counts.rejected;
        reject("chat_template");
      }
    }
    CUPEL_ASSERT(counts.rows == counts.whole + counts.truncated + counts.split + counts.rejected);
    if (counts.whole < counts.rows) run_.log(LogLevel::info, set_.input + ": " + to_text(counts));
    return stream;
  }

 private:
  std::string place_of(const Text& text) const {
    return set_.input + ":" + std::to_string(text.line);
  }

  MaskedTokens tokens_of(const Text& text) const {
    MaskedTokens out{tokenizer_.encode(text.context, false, poll_), {}};
    out.ids.insert(out.ids.begin(), tokenizer_.prefix().begin(), tokenizer_.prefix().end());
    out.learned.assign(out.ids.size(), config_.train_on_inputs ? 1 : 0);
    std::vector<int32_t> target = tokenizer_.encode(text.target, false, poll_);
    if (const auto end = tokenizer_.eos_id()) target.push_back(*end);
    out.ids.insert(out.ids.end(), target.begin(), target.end());
    out.learned.insert(out.learned.end(), target.size(), 1);
    refuse_two_beginnings(out, tokenizer_, place_of(text));
    return out;
  }

  /// Nothing if the template refuses the chat.
  std::optional<MaskedTokens> tokens_of_chat(const Text& text) const {
    const ChatText chat = template_->render_turns(*text.chat, set_.roles);
    if (chat.refusal) {
      run_.log(LogLevel::debug, place_of(text) + ": " + *chat.refusal);
      return std::nullopt;
    }
    MaskedTokens out =
        encode_chat(chat, config_.train_on_inputs, tokenizer_, place_of(text), poll_);
    refuse_two_beginnings(out, tokenizer_, place_of(text));
    return out;
  }

  const Config& config_;
  const TextSet& set_;
  const ChatTemplate* template_;
  const Tokenizer& tokenizer_;
  Run& run_;
  std::function<void()> poll_;
};

/// What a tokenizer learns words from.
std::string words_of(const Text& text) {
  if (!text.chat) return text.context + text.target;
  std::string out;
  for (const json::Value& message : text.chat->messages) {
    const json::Value* content = message.find("content");
    if (content != nullptr && content->is_string()) out += content->as_string("content") + "\n";
  }
  return out;
}

bool has_chats(const std::vector<TextSet>& texts) {
  return std::ranges::any_of(texts, [](const TextSet& set) {
    return std::ranges::any_of(set.train, [](const Text& text) { return text.chat.has_value(); });
  });
}

/// A set that takes no part is said to, not passed over.
void warn_of_no_sequence(const TextSet& set, const TokenStream& stream, int64_t length, Run& run) {
  if (!cut_stream(stream, 0, set.cut, length, 0).empty()) return;
  run.log(LogLevel::warning, set.input + ": its " + std::to_string(stream.ids.size()) +
                                 " tokens fill no sequence of " + std::to_string(length) +
                                 ", so nothing is learned from it; lower sequence_len or add text");
}

}  // namespace

std::vector<TextSet> load_texts(const Config& config, Run& run) {
  std::vector<TextSet> sets;
  uint64_t generated = 0;
  for (const DatasetConfig& source : config.datasets) {
    TextSet set;
    set.weight = source.weight;
    set.input = source.path.text;
    set.excess = config.excess_length_strategy;
    // A problem that was generated too long is nobody's loss.
    if (source.type == DatasetType::arithmetic && !set.excess) set.excess = ExcessLength::drop;
    if (is_generated(source.type))
      set.input = "train.datasets[" + std::to_string(sets.size()) + "]";
    if (!is_generated(source.type)) run.record_input(source.path.text);
    switch (source.type) {
      case DatasetType::text:
        split_documents(read_documents(source, run), config.val_set_size, set);
        break;
      case DatasetType::completion:
        split_rows(read_completions(source, run), config.val_set_size, set);
        break;
      case DatasetType::arithmetic:
        split_rows(generate_arithmetic(source, generated++, run), config.val_set_size, set);
        break;
      case DatasetType::grammar:
        split_documents(generate_documents(source, generated++, run), config.val_set_size, set);
        break;
      default:
        split_rows(read_chats(source, run), config.val_set_size, set);
        set.roles = source.roles_to_train;
        break;
    }
    if (source.type != DatasetType::text && source.type != DatasetType::grammar)
      set.cut = config.sample_packing ? Cut::packed : Cut::single;
    if (set.train.empty()) {
      fail(ErrorKind::data, set.input, "nothing is left to train on",
           "lower val_set_size or add rows");
    }
    sets.push_back(std::move(set));
  }
  return sets;
}

Tokenizer make_tokenizer(const Config& config, const std::vector<TextSet>& texts, Run& run) {
  std::string path = config.tokenizer.path.text;
  if (path.empty() && !config.base_model.empty()) path = tokenizer_file(config.base_model.text);
  if (!path.empty()) {
    run.record_input(path);
    return load_tokenizer(path);
  }
  auto section = run.section("tokenizer");
  std::vector<Document> documents;
  for (const TextSet& set : texts) {
    for (const Text& text : set.train) documents.push_back({{}, words_of(text), 0});
  }
  BpeTrainOptions options;
  if (!config.chat_template.empty() && has_chats(texts)) {
    const std::vector<std::string> tokens = builtin_special_tokens(config.chat_template);
    options.bos_token = tokens[0];
    options.eos_token = tokens[1];
    for (const std::string& token : tokens) {
      const auto& known = options.special_tokens;
      if (!token.empty() && std::ranges::find(known, token) == known.end())
        options.special_tokens.push_back(token);
    }
  }
  options.vocab_size =
      static_cast<int32_t>(config.tokenizer.vocab_size.value_or(kDefaultVocabulary));
  options.poll = stop_poll(run);
  return Tokenizer::train(documents, options, &run.pool());
}

Dataset tokenize(const Config& config, const std::vector<TextSet>& texts,
                 const Tokenizer& tokenizer, Run& run) {
  auto section = run.section("tokenize");
  if (!tokenizer.eos_id()) {
    run.log(LogLevel::warning,
            "the tokenizer names no end-of-text token: texts follow one another without one, and "
            "the model does not learn where to end; name its eos_token in a tokenizer_config.json "
            "beside tokenizer.json");
  }
  Dataset dataset;
  const bool chats = has_chats(texts);
  try {
    dataset.chat_template = load_chat_template(config, tokenizer.config());
  } catch (const Error& error) {
    if (chats) throw;  // else it would only have been handed on
    run.log(LogLevel::warning, std::string("the chat template is left out: ") + error.what());
  }
  if (!dataset.chat_template && chats) {
    fail(ErrorKind::config, "[train]", "rows are chats, and the tokenizer has no chat template",
         "set chat_template: chatml or another of ours, or chat_template_jinja: FILE");
  }
  const ChatTemplate* chat_template = dataset.chat_template ? &*dataset.chat_template : nullptr;
  for (const TextSet& set : texts) {
    SetTokenizer rows(config, set, chat_template, tokenizer, run);
    const auto add = [&](const std::vector<Text>& part, std::vector<Source>& sources) {
      sources.push_back({rows.tokenize(part), set.cut, set.weight});
    };
    add(set.train, dataset.train);
    if (set.weight > 0)
      warn_of_no_sequence(set, dataset.train.back().stream, config.sequence_len, run);
    if (!set.validation.empty()) add(set.validation, dataset.validation);
  }
  return dataset;
}

std::optional<ChatTemplate> load_chat_template(const Config& config,
                                               std::string_view tokenizer_config) {
  constexpr int64_t kMostBytes = INT64_C(1) << 20;
  if (!config.chat_template_jinja.empty()) {
    const std::string& path = config.chat_template_jinja.text;
    return chat_template_from(read_file(path, kMostBytes), path, tokenizer_config);
  }
  if (!config.chat_template.empty())
    return builtin_chat_template(config.chat_template, tokenizer_config);
  const Path& given = config.tokenizer.path.empty() ? config.base_model : config.tokenizer.path;
  std::filesystem::path folder(given.text);
  if (!std::filesystem::is_directory(folder)) folder = folder.parent_path();
  const std::filesystem::path jinja = file_of_model(folder, "chat_template.jinja");
  const bool beside = !given.empty() && std::filesystem::exists(jinja);
  return chat_template_of(tokenizer_config, beside ? read_file(jinja, kMostBytes) : "",
                          beside ? jinja.string() : (folder / "tokenizer_config.json").string());
}

}  // namespace cupel::train
