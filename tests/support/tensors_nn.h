// Tensors of a fixture's safetensors file, and models made from fixtures.
#pragma once

#include <filesystem>
#include <string>

#include "data/safetensors.h"
#include "nn/llm/decoder_nn.h"

namespace cupel {

/// The tensor in its own type, copied. Throws if the file has none of that name.
at::Tensor read_tensor(const Safetensors& file, const std::string& name);

/// tests/fixtures/<name>
std::filesystem::path fixture(const std::string& name);

/// The decoder of a fixture folder, weights loaded, in `type`.
std::shared_ptr<llm::Decoder> fixture_decoder(const std::string& name,
                                              at::ScalarType type = at::kFloat);

/// A batch whose labels are the next ids; the last column of `ids` [rows, length + 1] is only a
/// label.
nn::Batch next_token_batch(const at::Tensor& ids);

/// Largest |got - want| over the largest |want|.
double relative_gap(const at::Tensor& got, const at::Tensor& want);

/// N(0, 1) from `rng`.
at::Tensor random_tensor(Rng& rng, std::vector<int64_t> sizes);

/// N(0, spread²), reproducible.
at::Tensor random_tensor(std::vector<int64_t> sizes, uint64_t seed, double spread = 1,
                         at::ScalarType type = at::kFloat);

/// Every parameter from N(0, spread²), reproducible.
void fill_randomly(const torch::nn::Module& module, double spread = 0.5);

}  // namespace cupel
