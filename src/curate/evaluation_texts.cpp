#include "curate/evaluation_texts.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "base/rng.h"
#include "data/read.h"
#include "data/unicode.h"

namespace cupel::curate {
namespace {

/// A string, a number, a list of these, or an object that has them as "text".
void append_answers(const json::Value& value, std::vector<std::vector<uint64_t>>& answers) {
  if (value.is_array()) {
    for (const json::Value& item : value.as_array("")) append_answers(item, answers);
  } else if (const json::Value* text = value.is_object() ? value.find("text") : nullptr) {
    append_answers(*text, answers);
  } else if (value.is_string() || value.is_number()) {
    std::vector<uint64_t> words =
        words_of(value.is_string() ? value.as_string("") : json::dump(value)).hashes;
    if (!words.empty()) answers.push_back(std::move(words));
  }
}

class Reader {
 public:
  Reader(const DecontaminateConfig& config, const std::string& text_field)
      : config_(config), text_fields_(config.text_fields) {
    if (std::find(text_fields_.begin(), text_fields_.end(), text_field) == text_fields_.end())
      text_fields_.insert(text_fields_.begin(), text_field);
  }

  void read(std::size_t file, Run& run) {
    const std::string& path = config_.files[file].text;
    int64_t looked_at = 0, usable = 0;
    std::vector<Reject> rejects;
    const RowCallback take = [&](json::Value&& row, int64_t line) -> std::optional<RowProblem> {
      run.stop_if_asked();
      std::vector<std::vector<uint64_t>> answers;
      for (const std::string& field : config_.answer_fields)
        if (const json::Value* value = row.find(field)) append_answers(*value, answers);
      for (const std::string& field : text_fields_) {
        const json::Value* value = row.find(field);
        if (value == nullptr || !value->is_string()) continue;
        ++looked_at;
        usable += take_text({file, line, words_of(value->as_string("")).hashes, answers});
      }
      return std::nullopt;
    };
    for_each_row(path, {}, take, &rejects);
    for (const Reject& reject : rejects) run.reject(reject);
    require_texts(path, looked_at, usable);
  }

  EvaluationTexts take_found() { return std::move(found_); }

 private:
  /// Whether it is long enough.
  bool take_text(EvaluationText text) {
    if (static_cast<int64_t>(text.words.size()) < config_.least_words()) {
      ++found_.left_out;
      return false;
    }
    const std::string_view bytes(reinterpret_cast<const char*>(text.words.data()),
                                 text.words.size() * sizeof(uint64_t));
    const auto [at, is_new] = number_.emplace(hash64(bytes), found_.texts.size());
    if (is_new) {
      found_.texts.push_back(std::move(text));
      return true;
    }
    auto& answers = found_.texts[at->second].answers;
    if (text.answers.empty()) answers.clear();
    if (!answers.empty()) answers.insert(answers.end(), text.answers.begin(), text.answers.end());
    return true;
  }

  void require_texts(const std::string& path, int64_t looked_at, int64_t usable) const {
    if (looked_at == 0) {
      std::string names;
      for (const std::string& field : text_fields_) names += (names.empty() ? "" : ", ") + field;
      fail(ErrorKind::data, path, "no row has one of the fields " + names,
           "name those of the evaluation set under decontaminate.text_fields");
    }
    if (usable > 0) return;
    fail(ErrorKind::data, path,
         "no text has " + std::to_string(config_.least_words()) + " words to be looked for by",
         "lower decontaminate.ngram, or name other fields under decontaminate.text_fields");
  }

  const DecontaminateConfig& config_;
  std::vector<std::string> text_fields_;
  EvaluationTexts found_;
  std::unordered_map<uint64_t, std::size_t> number_;  // by a hash of the words
};

}  // namespace

std::vector<std::string> DecontaminateConfig::problems() const {
  if (files.empty()) return {"files: missing; name the evaluation sets"};
  return {};
}

TextWords words_of(std::string_view text) {
  TextWords words;
  words.form = normal_form(text);
  std::size_t at = 0;
  for (std::string_view word; !(word = next_word(words.form, at)).empty();) {
    words.hashes.push_back(hash64(word));
    words.spans.push_back({at - word.size(), at});
  }
  return words;
}

EvaluationTexts read_evaluation_texts(const DecontaminateConfig& config,
                                      const std::string& text_field, Run& run) {
  Reader reader(config, text_field);
  for (std::size_t file = 0; file < config.files.size(); ++file) reader.read(file, run);
  return reader.take_found();
}

}  // namespace cupel::curate
