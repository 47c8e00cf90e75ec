// Learning merges: count words, then again and again make a token of the most frequent pair.
#include <algorithm>
#include <map>
#include <queue>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "data/tokenizer/bpe.h"
#include "data/tokenizer/pretokenize.h"
#include "data/tokenizer/tokenizer.h"
#include "data/utf8.h"

namespace cupel {

namespace {

constexpr std::string_view kQwen2Pattern =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| "
    "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
    "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

using WordCounts = std::unordered_map<std::string, int64_t>;
using TokenPair = std::pair<int32_t, int32_t>;

struct PairHash {
  std::size_t operator()(TokenPair pair) const {
    const uint64_t both = static_cast<uint64_t>(static_cast<uint32_t>(pair.first)) << 32 |
                          static_cast<uint32_t>(pair.second);
    return static_cast<std::size_t>(both * UINT64_C(0x9E3779B97F4A7C15) >> 20);
  }
};

struct PairState {
  int64_t count = 0;
  std::vector<uint32_t> words;  // that hold or held it
};

json::Value pre_tokenizer_json(const BpeTrainOptions& options) {
  const std::string_view pattern = options.pattern.empty() ? kQwen2Pattern : options.pattern;
  const json::Object split{{"type", "Split"},
                           {"pattern", json::Object{{"Regex", pattern}}},
                           {"behavior", "Isolated"},
                           {"invert", false}};
  const json::Object byte_level{{"type", "ByteLevel"},
                                {"add_prefix_space", false},
                                {"trim_offsets", true},
                                {"use_regex", false}};
  return json::Object{{"type", "Sequence"}, {"pretokenizers", json::Array{split, byte_level}}};
}

/// Counts words of documents as they come, some megabytes of them at a time.
class WordCounter {
 public:
  WordCounter(const PreTokenizer& pre_tokenizer, const std::function<void()>& poll,
              ThreadPool* pool)
      : pre_tokenizer_(pre_tokenizer), poll_(poll), pool_(pool) {}

  void add(Document&& document) {
    constexpr std::size_t kBytesAtOnce = std::size_t{8} << 20, kDocumentsAtOnce = 1 << 14;
    bytes_ += document.text.size();
    batch_.push_back(std::move(document));
    if (bytes_ >= kBytesAtOnce || batch_.size() >= kDocumentsAtOnce) count_batch();
  }

  WordCounts take() {
    count_batch();
    return std::move(all_);
  }

 private:
  void count_batch() {
    constexpr int64_t kParts = 16;
    const auto count = static_cast<int64_t>(batch_.size());
    const int64_t grain = std::max<int64_t>(1, count / kParts);
    std::vector<WordCounts> parts(static_cast<std::size_t>((count + grain - 1) / grain));
    const auto body = [&](int64_t begin, int64_t end) {
      WordCounts& words = parts[static_cast<std::size_t>(begin / grain)];
      for (int64_t i = begin; i < end; ++i) count_in(batch_[static_cast<std::size_t>(i)], words);
    };
    if (pool_ != nullptr) {
      pool_->parallel_for(count, grain, body);
    } else {
      for (int64_t i = 0; i < count; i += grain) body(i, std::min(count, i + grain));
    }
    for (const WordCounts& part : parts) {
      for (const auto& [word, number] : part) all_[word] += number;
    }
    batch_.clear();
    bytes_ = 0;
  }

  void count_in(const Document& document, WordCounts& words) const {
    constexpr int64_t kWordsBetweenPolls = 1 << 14;
    if (const auto bad = find_invalid_utf8(document.text)) {
      fail(ErrorKind::data, "document " + document.id,
           "not valid UTF-8 at byte " + std::to_string(*bad), "convert it to UTF-8");
    }
    std::string key;
    int64_t seen = 0;
    pre_tokenizer_.for_each_word(document.text, true, [&](std::string_view word) {
      if (poll_ && ++seen % kWordsBetweenPolls == 0) poll_();
      key = word;
      ++words[key];
    });
  }

  const PreTokenizer& pre_tokenizer_;
  const std::function<void()>& poll_;
  ThreadPool* pool_;
  std::vector<Document> batch_;
  std::size_t bytes_ = 0;
  WordCounts all_;
};

/// The vocabulary as it grows, and the words cut into what it holds so far.
class Trainer {
 public:
  /// `poll` may be empty, and may throw.
  Trainer(const WordCounts& counts, const std::vector<std::string>& special_tokens,
          std::function<void()> poll)
      : poll_(std::move(poll)) {
    for (const std::string& token : special_tokens) add_token(token);
    // Bytes in the order of their characters, as the reference implementation sorts its alphabet.
    std::map<std::string, unsigned char> characters;
    for (int byte = 0; byte < 256; ++byte) {
      const char text = static_cast<char>(byte);
      characters.emplace(bytes_to_alphabet({&text, 1}), static_cast<unsigned char>(byte));
    }
    int32_t byte_ids[256];
    for (const auto& [character, byte] : characters) byte_ids[byte] = add_token(character);
    for (const auto& [word, count] : counts) {
      counts_.push_back(count);
      auto& symbols = words_.emplace_back();
      symbols.reserve(word.size());
      for (const char byte : word) symbols.push_back(byte_ids[static_cast<unsigned char>(byte)]);
      for (std::size_t i = 1; i < symbols.size(); ++i) {
        poll_at_symbol();
        change({symbols[i - 1], symbols[i]}, count, words_.size() - 1);
      }
    }
    for (const auto& [pair, state] : pairs_) propose(pair, state.count);
  }

  void run(std::size_t vocab_size, int64_t min_frequency) {
    while (tokens_.size() < vocab_size && !queue_.empty()) {
      if (poll_) poll_();
      const auto [count, negated] = queue_.top();
      queue_.pop();
      const TokenPair pair{-negated.first, -negated.second};
      const int64_t now = pairs_[pair].count;
      if (now != count) {
        propose(pair, now);
      } else if (count < min_frequency) {
        break;
      } else {
        merge(pair);
      }
    }
  }

  const std::vector<std::string>& tokens() const { return tokens_; }
  const std::vector<TokenPair>& merges() const { return merges_; }

 private:
  /// A word may be as long as a file, so a merge is too long a time between polls.
  void poll_at_symbol() {
    constexpr int64_t kSymbolsBetweenPolls = 1 << 16;
    if (poll_ && ++symbols_seen_ % kSymbolsBetweenPolls == 0) poll_();
  }

  int32_t add_token(const std::string& token) {
    const auto [at, fresh] = ids_.emplace(token, static_cast<int32_t>(tokens_.size()));
    if (fresh) tokens_.push_back(token);
    return at->second;
  }

  void change(TokenPair pair, int64_t by, std::size_t word) {
    PairState& state = pairs_[pair];
    state.count += by;
    const auto index = static_cast<uint32_t>(word);
    if (by > 0 && (state.words.empty() || state.words.back() != index))
      state.words.push_back(index);
  }

  /// The most frequent pair comes first, of equals the one with the smaller ids.
  void propose(TokenPair pair, int64_t count) {
    if (count > 0) queue_.emplace(count, TokenPair{-pair.first, -pair.second});
  }

  void merge(TokenPair pair) {
    const auto token = [&](int32_t id) { return tokens_[static_cast<std::size_t>(id)]; };
    const int32_t id = add_token(token(pair.first) + token(pair.second));
    merges_.push_back(pair);
    const std::vector<uint32_t> holders = std::move(pairs_[pair].words);
    pairs_.erase(pair);
    std::unordered_set<TokenPair, PairHash> fresh;  // few, however long a word is
    for (const uint32_t word : holders) merge_in_word(word, pair, id, fresh);
    for (const TokenPair& next : fresh) propose(next, pairs_[next].count);
  }

  void merge_in_word(uint32_t word, TokenPair pair, int32_t id,
                     std::unordered_set<TokenPair, PairHash>& fresh) {
    std::vector<int32_t>& symbols = words_[word];
    const int64_t count = counts_[word];
    std::size_t kept = 0;
    for (std::size_t i = 0; i < symbols.size(); ++i) {
      poll_at_symbol();
      const bool found =
          i + 1 < symbols.size() && symbols[i] == pair.first && symbols[i + 1] == pair.second;
      if (!found) {
        symbols[kept++] = symbols[i];
        continue;
      }
      if (kept > 0) {
        const int32_t before = symbols[kept - 1];
        change({before, pair.first}, -count, word);
        change({before, id}, count, word);
        fresh.emplace(before, id);
      }
      if (i + 2 < symbols.size()) {
        const int32_t after = symbols[i + 2];
        change({pair.second, after}, -count, word);
        change({id, after}, count, word);
        fresh.emplace(id, after);
      }
      symbols[kept++] = id;
      ++i;
    }
    symbols.resize(kept);
  }

  std::function<void()> poll_;
  int64_t symbols_seen_ = 0;
  std::vector<std::string> tokens_;
  std::unordered_map<std::string, int32_t> ids_;
  std::vector<std::vector<int32_t>> words_;
  std::vector<int64_t> counts_;
  std::unordered_map<TokenPair, PairState, PairHash> pairs_;
  std::priority_queue<std::pair<int64_t, TokenPair>> queue_;
  std::vector<TokenPair> merges_;
};

void check_options(const BpeTrainOptions& options) {
  const auto least = static_cast<int64_t>(256 + options.special_tokens.size());
  if (options.vocab_size < least || options.vocab_size > kMaxTokenIds) {
    fail(ErrorKind::config, "[data.tokenizer]",
         "vocab_size " + std::to_string(options.vocab_size) + " is not in " +
             std::to_string(least) + " to " + std::to_string(kMaxTokenIds),
         "bytes and special tokens alone need " + std::to_string(least));
  }
  for (const std::string& token : options.special_tokens) {
    if (token.empty() || std::ranges::count(options.special_tokens, token) > 1) {
      fail(ErrorKind::config, "[data.tokenizer]",
           "special token \"" + token + "\" is empty or stands twice", "remove it");
    }
  }
  for (const std::string& token : {options.bos_token, options.eos_token}) {
    if (!token.empty() && std::ranges::count(options.special_tokens, token) == 0) {
      fail(ErrorKind::config, "[data.tokenizer]", "\"" + token + "\" is not a special token",
           "add it to special_tokens");
    }
  }
}

json::Value model_json(const Trainer& trainer) {
  json::Object vocabulary;
  int64_t next = 0;
  for (const std::string& token : trainer.tokens()) vocabulary.emplace_back(token, next++);
  json::Array merges;
  const auto token = [&](int32_t id) { return trainer.tokens()[static_cast<std::size_t>(id)]; };
  for (const auto& [left, right] : trainer.merges()) {
    merges.push_back(json::Array{token(left), token(right)});
  }
  return json::Object{{"type", "BPE"},
                      {"dropout", nullptr},
                      {"unk_token", nullptr},
                      {"continuing_subword_prefix", nullptr},
                      {"end_of_word_suffix", nullptr},
                      {"fuse_unk", false},
                      {"byte_fallback", false},
                      {"ignore_merges", false},
                      {"vocab", std::move(vocabulary)},
                      {"merges", std::move(merges)}};
}

json::Value added_tokens_json(const BpeTrainOptions& options) {
  json::Array added;
  for (const std::string& token : options.special_tokens) {
    added.push_back(json::Object{{"id", static_cast<int64_t>(added.size())},
                                 {"content", token},
                                 {"single_word", false},
                                 {"lstrip", false},
                                 {"rstrip", false},
                                 {"normalized", false},
                                 {"special", true}});
  }
  return added;
}

std::string config_json(const BpeTrainOptions& options) {
  json::Object config{{"tokenizer_class", "PreTrainedTokenizerFast"}};
  if (!options.bos_token.empty()) config.emplace_back("bos_token", options.bos_token);
  if (!options.eos_token.empty()) config.emplace_back("eos_token", options.eos_token);
  return json::dump(std::move(config), 2) + "\n";
}

}  // namespace

Tokenizer Tokenizer::train(const std::vector<Document>& documents, const BpeTrainOptions& options,
                           ThreadPool* pool) {
  const auto source = [&](const std::function<void(Document &&)>& take) {
    for (const Document& document : documents) take(Document(document));
  };
  return train_on(source, options, pool);
}

Tokenizer Tokenizer::train_on(const DocumentSource& documents, const BpeTrainOptions& options,
                              ThreadPool* pool) {
  check_options(options);
  const json::Value pre_tokenizer = pre_tokenizer_json(options);
  const PreTokenizer words = PreTokenizer::parse(pre_tokenizer, "[data.tokenizer] pattern");
  WordCounter counter(words, options.poll, pool);
  documents([&](Document&& document) { counter.add(std::move(document)); });
  const WordCounts counts = counter.take();
  if (counts.empty()) {
    fail(ErrorKind::data, "[data.tokenizer]", "no text to train a tokenizer on",
         "give documents that are not empty");
  }
  Trainer trainer(counts, options.special_tokens, options.poll);
  trainer.run(static_cast<std::size_t>(options.vocab_size), options.min_frequency);
  const json::Object byte_level{{"type", "ByteLevel"},
                                {"add_prefix_space", false},
                                {"trim_offsets", false},
                                {"use_regex", false}};
  const json::Value root = json::Object{{"version", "1.0"},
                                        {"truncation", nullptr},
                                        {"padding", nullptr},
                                        {"added_tokens", added_tokens_json(options)},
                                        {"normalizer", nullptr},
                                        {"pre_tokenizer", pre_tokenizer},
                                        {"post_processor", byte_level},
                                        {"decoder", byte_level},
                                        {"model", model_json(trainer)}};
  return parse(json::dump(root, 2) + "\n", "trained tokenizer", config_json(options));
}

}  // namespace cupel
