#include "compress/rows.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "data/labelled.h"
#include "nn/text_classifier.h"

namespace cupel::compress {

std::vector<nn::ClassifiedRow> read_rows(const DataConfig& data, const Tokenizer& tokenizer,
                                         const nn::ClassifierConfig& model, Run& run) {
  run.record_input(data.path.text);
  LabelledOptions options{{data.split, data.columns}, data.text_field, data.label_field};
  options.poll = [&run] { run.stop_if_asked(); };
  std::vector<Reject> rejects;
  const std::vector<LabelledText> texts = read_labelled(data.path.text, options, &rejects);
  for (const Reject& reject : rejects) run.reject(reject);
  std::vector<nn::ClassifiedRow> rows;
  for (const LabelledText& text : texts) {
    if (data.rows && static_cast<int64_t>(rows.size()) == *data.rows) break;
    options.poll();
    const auto found = std::ranges::find(model.labels, text.label);
    if (found == model.labels.end()) {
      run.reject({data.path.text, text.line, "unknown_label", text.label + ": " + text.text});
      continue;
    }
    rows.push_back(
        {nn::classifier_tokens(tokenizer, text.text, model), found - model.labels.begin()});
  }
  if (rows.empty()) {
    fail(ErrorKind::data, data.path.text, "no row has a class that the model knows",
         "look at text_field, label_field and rejects.jsonl");
  }
  return rows;
}

}  // namespace cupel::compress
