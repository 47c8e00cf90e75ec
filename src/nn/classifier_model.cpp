#include "nn/classifier_model.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/atomic_file.h"
#include "base/error.h"
#include "data/cb4.h"
#include "data/safetensors.h"
#include "nn/encoder_weights.h"

namespace cupel::nn {
namespace {

constexpr std::string_view kBert = "bert.";
// What transformers trains with by default; files say nothing of what a model was trained with.
constexpr double kDropout = 0.1;

/// Bytes that a file's tensors point into while it is written.
class Tensors {
 public:
  void add(std::string name, Dtype dtype, std::vector<int64_t> shape, const void* data,
           std::size_t bytes) {
    entries_.push_back({std::move(name), dtype, std::move(shape),
                        static_cast<const std::byte*>(data), static_cast<int64_t>(bytes)});
  }

  /// Each row as integers of -127 to 127 and a factor.
  void add_rows(const std::string& name, const std::vector<int64_t>& shape,
                const std::vector<float>& values) {
    std::vector<float>& factors = factors_.emplace_back();
    std::vector<int8_t>& integers = integers_.emplace_back(values.size());
    const auto cols = static_cast<std::size_t>(shape[1]);
    for (std::size_t begin = 0; begin < values.size(); begin += cols) {
      float most = 0;
      for (std::size_t i = begin; i < begin + cols; ++i) most = std::max(most, std::abs(values[i]));
      factors.push_back(most / 127);
      for (std::size_t i = begin; i < begin + cols; ++i)
        integers[i] =
            most == 0 ? int8_t{0} : static_cast<int8_t>(std::nearbyint(values[i] * (127 / most)));
    }
    add(name, Dtype::i8, shape, integers.data(), integers.size());
    add(name + "_scale", Dtype::f32, {shape[0]}, factors.data(), factors.size() * sizeof(float));
  }

  void write(const std::filesystem::path& path) && {
    write_safetensors(path, std::move(entries_), {{"format", "pt"}});
  }

 private:
  std::vector<TensorEntry> entries_;
  // Lists of lists, so that growing moves none of the numbers.
  std::vector<std::vector<float>> factors_;
  std::vector<std::vector<int8_t>> integers_;
};

/// By name without ".weight"; transformers' names, "bert." before all but the head's.
bool is_table(const std::string& name) { return name.ends_with("embeddings.weight"); }

}  // namespace

std::vector<std::string> linear_names(int64_t index) {
  const std::string layer = "bert.encoder.layer." + std::to_string(index) + ".";
  return {layer + "attention.self.query", layer + "attention.self.key",
          layer + "attention.self.value", layer + "attention.output.dense",
          layer + "intermediate.dense",   layer + "output.dense"};
}

ClassifierModel read_classifier_model(const std::filesystem::path& folder) {
  ClassifierModel model;
  model.config = read_trained_classifier_config(folder);
  const Safetensors file = Safetensors::open(folder);
  const std::string where = folder.string();
  const EncoderReader reader(file, {}, where);
  for (const ClassifierTensor& tensor : classifier_tensors(model.config)) {
    std::string name = tensor.name;
    if (name.starts_with(kBert)) name.erase(0, kBert.size());
    model.tensors.emplace(tensor.name, reader.numbers(name, tensor.shape));
  }
  return model;
}

void write_classifier_model(const std::filesystem::path& folder, const ClassifierModel& model,
                            const CodedWeights& codes, int64_t group_size) {
  Tensors tensors;
  for (const ClassifierTensor& tensor : classifier_tensors(model.config)) {
    const std::vector<float>& values = model.at(tensor.name);
    CUPEL_ASSERT(static_cast<int64_t>(values.size()) == tensor.size());
    const auto coded = codes.find(tensor.name);
    if (coded != codes.end()) {
      tensors.add(tensor.name, Dtype::u8, {tensor.shape[0], cb4::row_bytes(tensor.shape[1])},
                  coded->second.data(), coded->second.size());
    } else if (!codes.empty() && is_table(tensor.name)) {
      tensors.add_rows(tensor.name, tensor.shape, values);
    } else {
      tensors.add(tensor.name, Dtype::f32, tensor.shape, values.data(),
                  values.size() * sizeof(float));
    }
  }
  std::move(tensors).write(folder / "model.safetensors");
  json::Object config = to_hf_json(model.config, kDropout).as_object("config");
  if (!codes.empty()) {
    config.emplace_back("quantization_config", json::Object{{"quant_method", "cupel_cb4"},
                                                            {"bits", 4},
                                                            {"group_size", group_size},
                                                            {"activation_bits", 8}});
  }
  write_file_atomically(folder / "config.json",
                        json::dump(json::Value(std::move(config)), 2) + "\n");
}

}  // namespace cupel::nn
