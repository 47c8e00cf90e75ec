#include "support/tensors_nn.h"

#include <cstring>

#include "base/error.h"
#include "base/rng.h"
#include "nn/llm/load_weights_nn.h"

namespace cupel {
namespace {

at::ScalarType scalar_type(Dtype dtype) {
  return dtype == Dtype::f64   ? at::kDouble
         : dtype == Dtype::f16 ? at::kHalf
         : dtype == Dtype::i64 ? at::kLong
         : dtype == Dtype::i32 ? at::kInt
                               : at::kFloat;
}

}  // namespace

at::Tensor read_tensor(const Safetensors& file, const std::string& name) {
  const TensorEntry* entry = file.find(name);
  if (entry == nullptr) fail(ErrorKind::bug, name, "is not in the fixture");
  const at::Tensor tensor = at::empty(entry->shape, scalar_type(entry->dtype));
  std::memcpy(tensor.mutable_data_ptr(), entry->data, static_cast<std::size_t>(entry->bytes));
  return tensor;
}

std::filesystem::path fixture(const std::string& name) {
  return std::filesystem::path(CUPEL_SOURCE_DIR) / "tests/fixtures" / name;
}

std::shared_ptr<llm::Decoder> fixture_decoder(const std::string& name, at::ScalarType type) {
  const std::filesystem::path folder = fixture(name);
  auto decoder = std::make_shared<llm::Decoder>(llm::read_model_config(folder / "config.json"));
  llm::load_weights(folder, *decoder);
  decoder->to(type);
  return decoder;
}

nn::Batch next_token_batch(const at::Tensor& ids) {
  nn::Batch batch;
  const int64_t length = ids.size(1) - 1;
  batch.inputs = ids.narrow(1, 0, length).to(at::kLong).contiguous();
  batch.labels = ids.narrow(1, 1, length).to(at::kLong).contiguous();
  batch.weight = static_cast<double>(batch.labels.numel());
  return batch;
}

double relative_gap(const at::Tensor& got, const at::Tensor& want) {
  const at::Tensor exact = want.to(at::kDouble);
  return ((got.to(at::kDouble) - exact).abs().max() / exact.abs().max().clamp_min(1e-300))
      .item<double>();
}

at::Tensor random_tensor(Rng& rng, std::vector<int64_t> sizes) {
  const at::Tensor tensor = at::empty(sizes, at::kFloat);
  for (int64_t i = 0; i < tensor.numel(); ++i)
    tensor.mutable_data_ptr<float>()[i] = static_cast<float>(rng.normal());
  return tensor;
}

at::Tensor random_tensor(std::vector<int64_t> sizes, uint64_t seed, double spread,
                         at::ScalarType type) {
  const at::Tensor tensor = at::empty(sizes, at::kDouble);
  Rng rng(seed, "test tensor");
  for (int64_t i = 0; i < tensor.numel(); ++i)
    tensor.mutable_data_ptr<double>()[i] = spread * rng.normal();
  return tensor.to(type);
}

void fill_randomly(const torch::nn::Module& module, double spread) {
  at::NoGradGuard no_grad;
  uint64_t seed = 20;
  for (const at::Tensor& weight : module.parameters())
    weight.copy_(random_tensor(weight.sizes().vec(), ++seed, spread));
}

}  // namespace cupel
