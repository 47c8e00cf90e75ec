// Our side of the gguf bench: logits and tokens of a language model. Speaks the protocol of
// README.md.
#include <algorithm>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <numeric>
#include <sstream>

#include "../requests.h"
#include "base/error.h"
#include "base/json.h"
#include "base/run.h"
#include "compress/token_windows.h"
#include "data/tokenizer/gguf_tokenizer.h"
#include "kernels/kernels.h"
#include "nn/llm/decoder_forward.h"
#include "nn/llm/model_files.h"
#include "nn/llm/stored_format.h"
#include "nn/llm/tensor_source.h"

namespace cupel {
namespace {

llm::DecoderFormat format_named(const std::string& name, const std::filesystem::path& model) {
  if (name == "stored") return llm::stored_format(model);
  const Element element = name == "bf16" ? Element::bf16 : Element::f32;
  return {{.element = element}, {.element = element}};
}

class Model {
 public:
  explicit Model(const Options& options)
      : path_(options.at("--model")),
        run_({.threads = std::stoi(options.at("--threads"))}),
        config_(llm::model_config_of(path_)),
        weights_(llm::take_decoder_weights(llm::tensors_of(path_, config_), config_,
                                           format_named(options.at("--format"), path_), run_.pool(),
                                           path_.string())),
        forward_(config_, weights_, run_.pool()) {}

  /// windows COUNT LENGTH FILE: a file of texts as windows of tokens.
  json::Value windows(std::istream& words) {
    json::Array all;
    for (const compress::TokenWindow& window : read_windows(words)) {
      json::Array ids;
      for (const int32_t id : window) ids.emplace_back(id);
      all.emplace_back(std::move(ids));
    }
    return json::Object{{"windows", std::move(all)}};
  }

  /// logits OUT ID…: those after every token, fp32, to OUT.
  json::Value logits(std::istream& words) {
    std::string out;
    words >> out;
    const std::vector<int32_t> ids = rest(words);
    llm::KeyValueCache cache;
    const std::vector<float> all = extend(cache, ids, ids.size());
    std::ofstream(out, std::ios::binary)
        .write(reinterpret_cast<const char*>(all.data()),
               static_cast<std::streamsize>(all.size() * sizeof(float)));
    return json::Object{{"rows", static_cast<int64_t>(ids.size())}};
  }

  /// greedy COUNT ID…: the tokens that follow, and how far each is above the next best.
  json::Value greedy(std::istream& words) {
    int64_t count = 0;
    words >> count;
    std::vector<int32_t> ids = rest(words);
    llm::KeyValueCache cache;
    json::Array written, gaps;
    for (; count > 0; --count) {
      std::vector<float> after = extend(cache, ids, 1);
      const auto best = std::ranges::max_element(after) - after.begin();
      std::ranges::nth_element(after, after.begin() + 1, std::greater());
      written.emplace_back(best);
      gaps.emplace_back(static_cast<double>(after[0]) - static_cast<double>(after[1]));
      ids = {static_cast<int32_t>(best)};
    }
    return json::Object{{"ids", std::move(written)}, {"gaps", std::move(gaps)}};
  }

  /// importance OUT COUNT LENGTH FILE: sums of squares of what each linear layer is given by the
  /// windows, a line "NAME COUNT" and the floats for each.
  json::Value importance(std::istream& words) {
    std::string out;
    words >> out;
    std::map<std::string, std::vector<double>> sums;
    forward_.watch([&](const llm::SplitLinear& linear, const float* x, int64_t rows) {
      for (const llm::SplitLinear::Piece& piece : linear.pieces) {
        std::vector<double>& squares = sums[piece.name];
        squares.resize(static_cast<std::size_t>(linear.in));
        for (int64_t i = 0; i < rows * linear.in; ++i)
          squares[static_cast<std::size_t>(i % linear.in)] +=
              static_cast<double>(x[i]) * static_cast<double>(x[i]);
      }
    });
    for (const compress::TokenWindow& window : read_windows(words)) {
      llm::KeyValueCache cache;
      extend(cache, window, 1);
    }
    std::ofstream file(out, std::ios::binary);
    for (const auto& [name, squares] : sums) {
      file << name << " " << squares.size() << "\n";
      const std::vector<float> values(squares.begin(), squares.end());
      file.write(reinterpret_cast<const char*>(values.data()),
                 static_cast<std::streamsize>(values.size() * sizeof(float)));
    }
    return json::Object{{"layers", static_cast<int64_t>(sums.size())}};
  }

 private:
  static std::vector<int32_t> rest(std::istream& words) {
    std::vector<int32_t> ids;
    for (int32_t id = 0; words >> id;) ids.push_back(id);
    return ids;
  }

  std::vector<compress::TokenWindow> read_windows(std::istream& words) {
    std::size_t count = 0;
    int64_t length = 0;
    compress::DataConfig data;
    words >> count >> length >> data.path.text;
    return compress::read_windows(data, load_tokenizer(path_), length, count, run_);
  }

  /// Logits after the last `rows` tokens.
  std::vector<float> extend(llm::KeyValueCache& cache, std::span<const int32_t> ids,
                            std::size_t rows) {
    const llm::Continuation next{&cache, ids};
    forward_.extend({&next, 1});
    std::vector<int64_t> places(rows);
    std::iota(places.begin(), places.end(), static_cast<int64_t>(ids.size() - rows));
    std::vector<float> logits(rows * static_cast<std::size_t>(config_.vocab_size));
    forward_.logits(places, logits.data());
    return logits;
  }

  std::filesystem::path path_;
  Run run_;
  llm::ModelConfig config_;
  llm::DecoderWeights weights_;
  llm::DecoderForward forward_;
};

void serve(const Options& options) {
  Model model(options);
  const json::Object hello{{"version", "cupel"}, {"isa_row", kernels().name}};
  std::cout << json::dump(hello) << std::endl;
  const std::map<std::string, json::Value (Model::*)(std::istream&)> requests{
      {"windows", &Model::windows},
      {"logits", &Model::logits},
      {"greedy", &Model::greedy},
      {"importance", &Model::importance}};
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    const auto found = requests.find(word);
    if (found == requests.end()) fail(ErrorKind::config, word, "unknown request", "see README.md");
    std::cout << json::dump((model.*found->second)(words)) << std::endl;
  }
}

}  // namespace
}  // namespace cupel

int main(int argc, char** argv) { return cupel::run_program(argc, argv, cupel::serve); }
