// Our side of the encoder bench: sentence vectors of a list of texts. Speaks the protocol of
// README.md.
#include <algorithm>

#include "../requests.h"
#include "base/atomic_file.h"
#include "base/error.h"
#include "base/json.h"
#include "kernels/kernels.h"
#include "nn/encoder.h"

namespace cupel {
namespace {

json::Value vectors_json(const std::vector<float>& vectors, int64_t width) {
  json::Array rows;
  for (std::size_t row = 0; row < vectors.size(); row += static_cast<std::size_t>(width)) {
    json::Array values;
    for (std::size_t i = row; i < row + static_cast<std::size_t>(width); ++i)
      values.emplace_back(static_cast<double>(vectors[i]));
    rows.emplace_back(std::move(values));
  }
  return json::Object{{"vectors", rows}};
}

nn::EncoderPrecision precision_of(const std::string& asked) {
  const auto known = names(nn::EncoderPrecision{});
  const auto found = std::ranges::find(known, asked);
  if (found == known.end())
    fail(ErrorKind::config, "--precision " + asked, "unknown", "known: fp32, bf16, fp16, int8");
  return static_cast<nn::EncoderPrecision>(found - known.begin());
}

void serve(const Options& options) {
  const std::string file = options.at("--texts");
  const json::Value list = json::parse(read_file(file), file);
  std::vector<std::string_view> texts;
  for (const json::Value& text : list.as_array(file)) texts.push_back(text.as_string(file));
  const nn::Encoder encoder =
      nn::Encoder::load(options.at("--model"), precision_of(options.at("--precision")));
  ThreadPool pool(std::stoi(options.at("--threads")));
  const json::Object hello{{"version", "cupel"}, {"isa_row", kernels().name}};
  answer_requests(hello, [&](const std::string& word, int64_t steps) -> json::Value {
    if (word == "vectors") return vectors_json(encoder.encode(texts, pool), encoder.width());
    if (word != "round")
      fail(ErrorKind::config, word, "unknown request", "known: round STEPS, vectors");
    return json::Object{{"seconds", seconds_of(steps, [&] { encoder.encode(texts, pool); })},
                        {"sentences", steps * static_cast<int64_t>(texts.size())}};
  });
}

}  // namespace
}  // namespace cupel

int main(int argc, char** argv) { return cupel::run_program(argc, argv, cupel::serve); }
