// Low-rank adapters of a decoder: adding, merging, reading and writing them.
#pragma once

#include <filesystem>
#include <string>

#include "base/run.h"
#include "nn/llm/adapter.h"
#include "nn/llm/decoder_nn.h"

namespace cupel::llm {

/// Adds an adapter to every layer that config.targets names, A from U(-1/√in, 1/√in) as PEFT draws
/// it, a stream of randomness each, B zero, so that the decoder computes what it did. Its own
/// weights require no gradient any more. Throws as adapted_layers(), naming `where`.
void add_adapters(Decoder& decoder, const AdapterConfig& config, const Run& run,
                  const std::string& where);

/// Keeps the frozen matrices that products read in `storage` alone, without an fp32 master beside:
/// of linear layers, head and routed experts. Embeddings, norms and routers stay fp32.
void narrow_frozen(Decoder& decoder, at::ScalarType storage);

/// Adds the adapters of a folder that PEFT or save_adapters() wrote; `decoder` has the base model's
/// weights, which require no gradient any more. Throws Error{data} for a kind of adapter that is
/// not built, and listing tensors that fit no layer.
void load_adapters(const std::filesystem::path& adapter, Decoder& decoder);

/// Every adapted layer gets W + scale · B·A for its weight; no adapter is left.
void merge_adapters(Decoder& decoder);

/// Writes adapter_config.json and adapter_model.safetensors (fp32, PEFT's names) into `folder`,
/// which exists. `base`: what adapter_config.json calls the base model.
void save_adapters(const std::filesystem::path& folder, const Decoder& decoder,
                   const AdapterConfig& config, const std::string& base);

}  // namespace cupel::llm
