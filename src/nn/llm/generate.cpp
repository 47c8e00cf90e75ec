#include "nn/llm/generate.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "data/utf8.h"

namespace cupel::llm {
namespace {

constexpr std::size_t kShownPrompt = 80;  // characters

/// Text so far, handed on in whole characters, ended by a stop text. A byte that is part of none is
/// handed on as U+FFFD; the text itself keeps it.
class Output {
 public:
  Output(const GenerateOptions& options, const std::function<bool(std::string_view)>& on_text)
      : options_(options), on_text_(on_text) {
    for (const std::string& stop : options.stop) held_ = std::max(held_, stop.size());
  }

  /// Whether to go on.
  bool add(std::string_view bytes) {
    text_ += bytes;
    for (const std::string& stop : options_.stop) {
      const std::size_t from = sent_ > stop.size() ? sent_ - stop.size() : 0;
      const std::size_t at = stop.empty() ? std::string::npos : text_.find(stop, from);
      if (at != std::string::npos) {
        text_.resize(at);
        return false;
      }
    }
    // What may yet become a stop text is held back.
    return send(text_.size() - std::min(text_.size(), held_ > 0 ? held_ - 1 : 0));
  }

  std::string finish() {
    send(text_.size(), /*last=*/true);
    return text_;
  }

 private:
  bool send(std::size_t end, bool last = false) {
    if (!on_text_ || end <= sent_) return true;
    std::string_view piece = std::string_view(text_).substr(sent_, end - sent_);
    if (!last) piece.remove_suffix(unfinished_utf8_tail(piece));
    if (piece.empty()) return true;
    sent_ += piece.size();
    return on_text_(replace_invalid_utf8(piece));
  }

  const GenerateOptions& options_;
  const std::function<bool(std::string_view)>& on_text_;
  std::string text_;
  std::size_t sent_ = 0, held_ = 0;
};

/// The text's tokens behind the tokenizer's prefix; where that makes none, the one that begins
/// texts, or ends the text before.
std::vector<int32_t> context_tokens(const Tokenizer& tokenizer, std::string_view text,
                                    bool is_whole = false) {
  std::vector<int32_t> ids;
  if (!is_whole) ids = tokenizer.prefix();
  const std::vector<int32_t> rest = tokenizer.encode(text);
  ids.insert(ids.end(), rest.begin(), rest.end());
  if (ids.empty()) ids.push_back(tokenizer.bos_id().value_or(tokenizer.eos_id().value_or(0)));
  return ids;
}

/// A text that is being written, token by token.
class Writer {
 public:
  Writer(const TokenModel& model, const Tokenizer& tokenizer, std::string_view prompt,
         const GenerateOptions& options, const std::function<bool(std::string_view)>& on_text,
         const std::vector<int32_t>& endings)
      : tokenizer_(tokenizer),
        options_(options),
        endings_(endings),
        next_(context_tokens(tokenizer, prompt, options.prompt_is_whole)),
        rng_(options.seed, "sampling"),
        output_(options, on_text) {
    const int64_t room = model.context - static_cast<int64_t>(next_.size());
    if (room < 1) {
      fail(ErrorKind::data, "prompt \"" + clip(prompt, kShownPrompt) + "\"",
           std::to_string(next_.size()) + " tokens leave no room in a context of " +
               std::to_string(model.context),
           "shorten it, or take a model with more max_position_embeddings");
    }
    left_ = std::min(room, options.max_new_tokens);
  }

  bool done() const { return left_ <= 0; }
  bool cancelled() const { return options_.cancelled && options_.cancelled(); }
  /// What the sequence goes on by; at first the prompt's tokens.
  std::span<const int32_t> next() const { return next_; }
  /// Logits after next().
  void take(std::span<const float> logits) {
    const int32_t id = sample_token(logits, options_.temperature, rng_);
    const bool ends =
        id == tokenizer_.eos_id() || std::ranges::find(endings_, id) != endings_.end();
    left_ = ends || !output_.add(tokenizer_.token_bytes(id)) ? 0 : left_ - 1;
    next_ = {id};
  }
  std::string finish() { return output_.finish(); }

 private:
  const Tokenizer& tokenizer_;
  const GenerateOptions& options_;
  const std::vector<int32_t>& endings_;
  std::vector<int32_t> next_;
  Rng rng_;
  Output output_;
  int64_t left_ = 0;  // tokens
};

/// Tokens before and in the text to be weighed, with a first token to be conditioned on.
struct Weighed {
  std::vector<int32_t> ids;
  int64_t first_target = 0;
};

Weighed weighed_tokens(const Tokenizer& tokenizer, std::string_view context,
                       std::string_view target) {
  Weighed result{context_tokens(tokenizer, context), 0};
  result.first_target = static_cast<int64_t>(result.ids.size());
  const std::vector<int32_t> rest = tokenizer.encode(target);
  result.ids.insert(result.ids.end(), rest.begin(), rest.end());
  return result;
}

}  // namespace

int32_t sample_token(std::span<const float> logits, double temperature, Rng& rng) {
  const auto best = std::max_element(logits.begin(), logits.end());
  if (temperature <= 0) return static_cast<int32_t>(best - logits.begin());
  const auto weight = [&](float logit) {
    return std::exp((static_cast<double>(logit) - static_cast<double>(*best)) / temperature);
  };
  double total = 0;
  for (const float logit : logits) total += weight(logit);
  double left = rng.uniform() * total;
  std::size_t chosen = 0;
  for (; chosen + 1 < logits.size(); ++chosen) {
    left -= weight(logits[chosen]);
    if (left < 0) break;
  }
  return static_cast<int32_t>(chosen);
}

std::string generate(const TokenModel& model, const Tokenizer& tokenizer, std::string_view prompt,
                     const GenerateOptions& options,
                     const std::function<bool(std::string_view)>& on_text,
                     const std::vector<int32_t>& endings) {
  Writer writer(model, tokenizer, prompt, options, on_text, endings);
  const TokenSequence sequence = model.begin();
  while (!writer.done()) {
    if (writer.cancelled()) return writer.finish();
    writer.take(sequence.extend(writer.next()));
  }
  sequence.keep();
  return writer.finish();
}

std::vector<std::string> generate_batch(const TokenModel& model, const Tokenizer& tokenizer,
                                        std::span<const std::string> prompts,
                                        const GenerateOptions& options,
                                        const std::vector<int32_t>& endings) {
  struct Place {
    std::optional<Writer> writer;
    std::size_t prompt = 0;
    bool begins = false;
  };
  const std::function<bool(std::string_view)> silent;
  std::vector<std::string> texts(prompts.size());
  std::vector<Place> places(std::min(kSequencesTogether, prompts.size()));
  const TokenBatch batch = model.begin_batch(places.size());
  for (std::size_t waiting = 0;;) {
    std::vector<TokenBatch::Step> steps;
    for (std::size_t i = 0; i < places.size(); ++i) {
      Place& place = places[i];
      place.begins = false;
      while ((!place.writer || place.writer->done()) && waiting < prompts.size()) {
        if (place.writer) texts[place.prompt] = place.writer->finish();
        place.prompt = waiting++;
        place.begins = true;
        place.writer.emplace(model, tokenizer, prompts[place.prompt], options, silent, endings);
      }
      if (place.writer && !place.writer->done())
        steps.push_back({i, place.begins, place.writer->next()});
    }
    if (steps.empty() || (options.cancelled && options.cancelled())) break;
    const std::vector<float> logits = batch.extend(steps);
    const std::size_t vocabulary = logits.size() / steps.size();
    for (std::size_t i = 0; i < steps.size(); ++i)
      places[steps[i].place].writer->take(std::span(logits).subspan(i * vocabulary, vocabulary));
  }
  for (Place& place : places)
    if (place.writer) texts[place.prompt] = place.writer->finish();
  return texts;
}

Likelihood likelihood(const TokenModel& model, const Tokenizer& tokenizer, std::string_view context,
                      std::string_view target) {
  const Weighed text = weighed_tokens(tokenizer, context, target);
  const auto size = static_cast<int64_t>(text.ids.size());
  const int64_t window = std::min(model.context, size - 1);
  Likelihood result{0, size - text.first_target};
  int64_t done = text.first_target;  // tokens before this one are weighed or context
  for (int64_t begin = std::max<int64_t>(0, std::min(done - 1, size - 1) - window / 2); done < size;
       begin += std::max<int64_t>(1, window / 2)) {
    const int64_t length = std::min(window, size - 1 - begin);
    const int64_t already = std::clamp<int64_t>(done - begin - 1, 0, length);
    result.log_likelihood +=
        model.log_likelihood(std::span(text.ids).subspan(static_cast<std::size_t>(begin),
                                                         static_cast<std::size_t>(length + 1)),
                             already + 1);
    done = begin + length + 1;
  }
  return result;
}

LanguageModel language_model(TokenModel model, std::shared_ptr<const Tokenizer> tokenizer,
                             std::vector<int32_t> endings) {
  const auto shared = std::make_shared<const TokenModel>(std::move(model));
  LanguageModel result;
  if (shared->begin_batch) {
    result.generate_batch = [=](std::span<const std::string> prompts,
                                const GenerateOptions& options) {
      return generate_batch(*shared, *tokenizer, prompts, options, endings);
    };
  }
  result.generate = [=, endings = std::move(endings)](
                        std::string_view prompt, const GenerateOptions& options,
                        const std::function<bool(std::string_view)>& on_text) {
    return generate(*shared, *tokenizer, prompt, options, on_text, endings);
  };
  result.likelihood = [=](std::string_view context, std::string_view target) {
    return likelihood(*shared, *tokenizer, context, target);
  };
  return result;
}

}  // namespace cupel::llm
