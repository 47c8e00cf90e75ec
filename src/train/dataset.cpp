#include "train/dataset.h"

#include <algorithm>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/text.h"
#include "data/adapter_folder.h"
#include "data/tokenizer/gguf_tokenizer.h"
#include "train/chat_tokens.h"
#include "train/excess.h"

namespace cupel::train {
namespace {

constexpr int64_t kDefaultVocabulary = 2048;
constexpr std::size_t kRejectCharacters = 200;  // as rejects.jsonl has them
// A key says which way of tokenizing it is of; another one raises this.
constexpr int64_t kTokenizing = 1;

/// A text in tokens.
struct TextTokens {
  MaskedTokens tokens;
  std::optional<std::string> refusal{};  // the template's, of a chat
};

/// One text → tokens. Safe to use from several threads at once.
class TextTokenizer {
 public:
  TextTokenizer(const Config& config, const TextSet& set, const ChatTemplate* chat_template,
                const Tokenizer& tokenizer, std::function<void()> poll)
      : config_(config),
        set_(set),
        template_(chat_template),
        tokenizer_(tokenizer),
        poll_(std::move(poll)) {}

  TextTokens operator()(const Text& text) const {
    poll_();
    return text.chat ? of_chat(text) : TextTokens{of_text(text)};
  }

  std::string place_of(const Text& text) const {
    return set_.input + ":" + std::to_string(text.line);
  }

 private:
  MaskedTokens of_text(const Text& text) const {
    MaskedTokens out;
    if (text.begins) {
      out.ids = tokenizer_.prefix();
      const std::vector<int32_t> context = tokenizer_.encode(text.context, false, poll_);
      out.ids.insert(out.ids.end(), context.begin(), context.end());
    }
    out.learned.assign(out.ids.size(), config_.train_on_inputs ? 1 : 0);
    std::vector<int32_t> target = tokenizer_.encode(text.target, false, poll_);
    if (const auto end = tokenizer_.eos_id(); end && text.ends) target.push_back(*end);
    out.ids.insert(out.ids.end(), target.begin(), target.end());
    out.learned.insert(out.learned.end(), target.size(), 1);
    if (text.begins) refuse_two_beginnings(out, tokenizer_, place_of(text));
    return out;
  }

  TextTokens of_chat(const Text& text) const {
    const ChatText chat = template_->render_turns(*text.chat, set_.roles);
    if (chat.refusal) return {{}, chat.refusal};
    MaskedTokens out =
        encode_chat(chat, config_.train_on_inputs, tokenizer_, place_of(text), poll_);
    refuse_two_beginnings(out, tokenizer_, place_of(text));
    return {std::move(out)};
  }

  const Config& config_;
  const TextSet& set_;
  const ChatTemplate* template_;
  const Tokenizer& tokenizer_;
  std::function<void()> poll_;
};

/// Texts of one set → two streams, some megabytes of text at a time on all threads.
class SetTokenizer {
 public:
  SetTokenizer(const Config& config, const TextSet& set, const TextTokenizer& tokens,
               const Tokenizer& tokenizer, const std::filesystem::path& folder, Run& run)
      : set_(set),
        tokens_(tokens),
        run_(run),
        // Running text is cut wherever a sequence ends.
        length_(set.cut == Cut::windows ? INT64_MAX : config.sequence_len),
        train_(folder, "train", tokenizer.vocab_size()),
        validation_(folder, "validation", tokenizer.vocab_size()) {}

  void add(Text&& text, bool held_out) {
    constexpr std::size_t kBytesAtOnce = std::size_t{4} << 20, kTextsAtOnce = 1 << 12;
    bytes_ += text.context.size() + text.target.size() + (text.chat ? words_of(text).size() : 0);
    texts_.push_back({std::move(text), held_out});
    if (bytes_ >= kBytesAtOnce || texts_.size() >= kTextsAtOnce) flush();
  }

  void add_unread(const Reject& reject) {
    made_.unread.push_back(reject);
    made_.unread.back().text = clip(reject.text, kRejectCharacters);
  }

  TokenizedSet finish() {
    flush();
    made_.train = train_.finish();
    made_.validation = validation_.finish();
    made_.lost.insert(made_.lost.end(), lost_held_out_.begin(), lost_held_out_.end());
    return std::move(made_);
  }

 private:
  struct Waiting {
    Text text;
    bool held_out = false;
  };

  void flush() {
    constexpr int64_t kChunks = 64;
    const auto count = static_cast<int64_t>(texts_.size());
    std::vector<TextTokens> tokens(texts_.size());
    run_.pool().parallel_for(
        count, std::max<int64_t>(1, count / kChunks), [&](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i)
            tokens[static_cast<std::size_t>(i)] = tokens_(texts_[static_cast<std::size_t>(i)].text);
        });
    for (std::size_t i = 0; i < texts_.size(); ++i) append(texts_[i], std::move(tokens[i]));
    texts_.clear();
    bytes_ = 0;
  }

  void append(const Waiting& waiting, TextTokens&& text) {
    TokenShardWriter& stream = waiting.held_out ? validation_ : train_;
    RowCounts& counts = made_.counts;
    const auto reject = [&](std::string_view rule) {
      (waiting.held_out ? lost_held_out_ : made_.lost)
          .push_back({set_.input, waiting.text.line, std::string(rule),
                      clip(shown(waiting.text), kRejectCharacters)});
    };
    if (text.refusal) {
      run_.log(LogLevel::debug, tokens_.place_of(waiting.text) + ": " + *text.refusal);
      ++counts.rows;
      ++counts.rejected;
      reject("chat_template");
    } else if (!waiting.text.begins || !waiting.text.ends) {
      append_part(stream, waiting.text, text.tokens, counts);
    } else {
      append_row(stream, std::move(text.tokens), length_, set_.excess,
                 tokens_.place_of(waiting.text), counts, reject);
    }
  }

  /// Of a document of running text that is longer than what is read at once.
  static void append_part(TokenShardWriter& stream, const Text& text, const MaskedTokens& tokens,
                          RowCounts& counts) {
    if (text.begins) {
      stream.begin_document();
      ++counts.rows;
      ++counts.whole;
    }
    stream.append(tokens.ids, tokens.learned);
  }

  const TextSet& set_;
  const TextTokenizer& tokens_;
  Run& run_;
  int64_t length_;
  TokenShardWriter train_, validation_;
  std::vector<Waiting> texts_;
  std::size_t bytes_ = 0;
  TokenizedSet made_;
  std::vector<Reject> lost_held_out_;
};

std::string hash_of(const Tokenizer& tokenizer) {
  return sha256(sha256(tokenizer.json()) + sha256(tokenizer.config()));
}

/// Everything that the tokens of a set depend on.
std::string key_of(const Config& config, const TextSet& set, const ChatTemplate* chat_template,
                   const Tokenizer& tokenizer) {
  json::Value all = json::Object{{"tokenizing", kTokenizing},
                                 {"texts", set.identity},
                                 {"tokenizer", hash_of(tokenizer)},
                                 {"train_on_inputs", config.train_on_inputs}};
  if (set.chats) all.set("chat_template", chat_template->hash());
  if (set.cut != Cut::windows) {
    all.set("sequence_len", config.sequence_len);
    all.set("excess_length_strategy", set.excess ? name_of(*set.excess) : "");
  }
  return sha256(json::dump(all)).substr(0, 32);
}

/// From `store`, else made and kept there.
TokenizedSet tokenized(const Config& config, const TextSet& set, const ChatTemplate* chat_template,
                       const Tokenizer& tokenizer, const TokenStore& store, Run& run) {
  const bool named = !set.identity.empty();
  const std::string key = named ? key_of(config, set, chat_template, tokenizer) : "";
  if (named) {
    if (auto found = store.find(key, tokenizer.vocab_size())) {
      for (Reject& reject : found->unread) reject.input = set.input;
      for (Reject& reject : found->lost) reject.input = set.input;
      run.log(LogLevel::debug, set.input + ": its tokens are in " + store.folder_of(key).string());
      return std::move(*found);
    }
  }
  TokenizedSet made;
  const auto fill = [&](const std::filesystem::path& folder) {
    const TextTokenizer tokens(config, set, chat_template, tokenizer, stop_poll(run));
    SetTokenizer rows(config, set, tokens, tokenizer, folder, run);
    TextTaker taker;
    taker.text = [&](Text&& text, bool held_out) { rows.add(std::move(text), held_out); };
    taker.reject = [&](const Reject& reject) { rows.add_unread(reject); };
    taker.cut = [&](std::string_view text) { return tokenizer.last_cut(text); };
    read_texts(set, taker);
    made = rows.finish();
    TokenStore::describe(folder, made);
  };
  named ? store.keep(key, fill) : fill({});
  return made;
}

/// A set that takes no part is said to, not passed over.
void warn_of_no_sequence(const TextSet& set, const TokenShards& stream, int64_t length, Run& run) {
  if (!cut_stream(stream, 0, set.cut, length, 0).empty()) return;
  run.log(LogLevel::warning, set.input + ": its " + std::to_string(stream.tokens()) +
                                 " tokens fill no sequence of " + std::to_string(length) +
                                 ", so nothing is learned from it; lower sequence_len or add text");
}

/// The tokenizer's file where the recipe names one, or its base model has one.
std::string tokenizer_path(const Config& config) {
  if (!config.tokenizer.path.empty()) return config.tokenizer.path.text;
  return config.base_model.empty() ? "" : tokenizer_file(config.base_model.text);
}

BpeTrainOptions train_options(const Config& config, const std::vector<TextSet>& sets) {
  BpeTrainOptions options;
  const bool chats = std::ranges::any_of(sets, &TextSet::chats);
  if (!config.chat_template.empty() && chats) {
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
  return options;
}

Tokenizer train_tokenizer(const std::vector<TextSet>& sets, const BpeTrainOptions& options,
                          Run& run) {
  auto section = run.section("tokenizer");
  const auto documents = [&](const std::function<void(Document &&)>& take) {
    TextTaker taker;
    taker.text = [&](Text&& text, bool held_out) {
      if (!held_out) take({{}, words_of(text), 0});
    };
    taker.cut = last_line_cut;
    for (const TextSet& set : sets) read_texts(set, taker);
  };
  return Tokenizer::train_on(documents, options, &run.pool());
}

}  // namespace

std::optional<Tokenizer> given_tokenizer(const Config& config, Run& run) {
  const std::string path = tokenizer_path(config);
  if (path.empty()) return std::nullopt;
  run.record_input(path);
  return load_tokenizer(path);
}

Tokenizer make_tokenizer(const Config& config, const std::vector<TextSet>& sets,
                         const TokenStore& store, Run& run) {
  if (std::optional<Tokenizer> given = given_tokenizer(config, run)) return std::move(*given);
  BpeTrainOptions options = train_options(config, sets);
  options.poll = stop_poll(run);
  json::Array texts, special;
  for (const TextSet& set : sets) texts.emplace_back(set.identity);
  for (const std::string& token : options.special_tokens) special.emplace_back(token);
  const bool named =
      std::ranges::none_of(sets, [](const TextSet& set) { return set.identity.empty(); });
  if (!named) return train_tokenizer(sets, options, run);
  const json::Value all = json::Object{{"tokenizing", kTokenizing},
                                       {"texts", std::move(texts)},
                                       {"vocab_size", int64_t{options.vocab_size}},
                                       {"bos_token", options.bos_token},
                                       {"eos_token", options.eos_token},
                                       {"special_tokens", std::move(special)}};
  const std::string key = "tokenizer-" + sha256(json::dump(all)).substr(0, 32);
  const std::filesystem::path folder = store.folder_of(key);
  if (!folder.empty() && std::filesystem::exists(folder / "tokenizer.json"))
    return Tokenizer::load(folder);
  Tokenizer tokenizer = train_tokenizer(sets, options, run);
  store.keep(key, [&](const std::filesystem::path& place) {
    if (!place.empty()) tokenizer.save(place);
  });
  return tokenizer;
}

Dataset tokenize(const Config& config, const std::vector<TextSet>& sets, const Tokenizer& tokenizer,
                 const TokenStore& store, Run& run) {
  auto section = run.section("tokenize");
  if (!tokenizer.eos_id()) {
    run.log(LogLevel::warning,
            "the tokenizer names no end-of-text token: texts follow one another without one, and "
            "the model does not learn where to end; name its eos_token in a tokenizer_config.json "
            "beside tokenizer.json");
  }
  Dataset dataset;
  const bool chats = std::ranges::any_of(sets, &TextSet::chats);
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
  std::vector<Reject> lost;  // rows that cannot be read come first
  for (const TextSet& set : sets) {
    TokenizedSet made = tokenized(config, set, chat_template, tokenizer, store, run);
    for (const Reject& reject : made.unread) run.reject(reject);
    lost.insert(lost.end(), made.lost.begin(), made.lost.end());
    const RowCounts& counts = made.counts;
    CUPEL_ASSERT(counts.rows == counts.whole + counts.truncated + counts.split + counts.rejected);
    if (counts.whole < counts.rows) run.log(LogLevel::info, set.input + ": " + to_text(counts));
    if (set.weight > 0) warn_of_no_sequence(set, made.train, config.sequence_len, run);
    dataset.train.push_back({std::move(made.train), set.cut, set.weight});
    if (made.validation.tokens() > 0)
      dataset.validation.push_back({std::move(made.validation), set.cut, set.weight});
  }
  for (const Reject& reject : lost) run.reject(reject);
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
