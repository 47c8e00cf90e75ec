#include "nn/checkpoint_nn.h"

#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "base/error.h"
#include "data/safetensors.h"
#include "nn/checkpoint.h"

namespace cupel::nn {
namespace {

struct NamedTensor {
  std::string name;
  at::Tensor tensor;
};

std::vector<NamedTensor> module_tensors(const torch::nn::Module& module) {
  std::vector<NamedTensor> tensors;
  for (const auto& item : module.named_parameters()) tensors.push_back({item.key(), item.value()});
  for (const auto& item : module.named_buffers()) tensors.push_back({item.key(), item.value()});
  return tensors;
}

std::vector<NamedTensor> optimizer_tensors(const AdamW& optimizer) {
  std::vector<NamedTensor> tensors;
  for (const OptimizedParameter& parameter : optimizer.parameters()) {
    tensors.push_back({"first_moment." + parameter.name, parameter.first_moment});
    tensors.push_back({"second_moment." + parameter.name, parameter.second_moment});
    if (!parameter.first_scale.defined()) continue;
    tensors.push_back({"first_scale." + parameter.name, parameter.first_scale});
    tensors.push_back({"second_scale." + parameter.name, parameter.second_scale});
  }
  return tensors;
}

Dtype dtype_of(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kFloat:
      return Dtype::f32;
    case at::kLong:
      return Dtype::i64;
    case at::kByte:
      return Dtype::u8;
    default:
      fail(ErrorKind::bug, "[checkpoint]", "a tensor of this type is not kept in checkpoints");
  }
}

void write_tensors(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors) {
  std::vector<TensorEntry> entries;
  std::vector<at::Tensor> here;  // themselves, or copies of what lies on a GPU
  for (const NamedTensor& item : tensors) {
    CUPEL_ASSERT(item.tensor.is_contiguous());
    here.push_back(item.tensor.detach().cpu());
    entries.push_back({item.name, dtype_of(item.tensor), item.tensor.sizes().vec(),
                       static_cast<const std::byte*>(here.back().const_data_ptr()),
                       static_cast<int64_t>(here.back().nbytes())});
  }
  write_safetensors(path, std::move(entries));
}

void read_tensors(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors) {
  const Safetensors file = Safetensors::open(path);
  std::set<std::string> wanted;
  std::string problems;
  for (const NamedTensor& item : tensors) {
    wanted.insert(item.name);
    const TensorEntry* entry = file.find(item.name);
    if (entry == nullptr) {
      problems += "\n  missing " + item.name;
    } else if (entry->shape != item.tensor.sizes().vec() || entry->dtype != dtype_of(item.tensor)) {
      problems += "\n  other shape " + item.name;
    }
  }
  for (const TensorEntry& entry : file.tensors()) {
    if (!wanted.contains(entry.name)) problems += "\n  unexpected " + entry.name;
  }
  if (!problems.empty()) {
    fail(ErrorKind::config, path.string(),
         "the model has changed since this checkpoint:" + problems,
         "resume with the recipe the run was begun with, or start a new run folder");
  }
  for (const NamedTensor& item : tensors) {
    const TensorEntry* entry = file.find(item.name);
    const at::Tensor here = at::empty(item.tensor.sizes(), item.tensor.scalar_type());
    std::memcpy(here.mutable_data_ptr(), entry->data, static_cast<std::size_t>(entry->bytes));
    at::NoGradGuard no_grad;
    item.tensor.copy_(here);
  }
}

}  // namespace

void save_checkpoint(Run& run, int64_t step, const torch::nn::Module& module,
                     const AdamW& optimizer, const json::Value& state) {
  run.write_folder("checkpoint-" + std::to_string(step), [&](const std::filesystem::path& folder) {
    write_tensors(folder / "model.safetensors", module_tensors(module));
    write_tensors(folder / "optimizer.safetensors", optimizer_tensors(optimizer));
    write_file_atomically(folder / "state.json", json::dump(state, 2) + "\n");
    write_checkpoint_manifest(folder);
  });
}

json::Value load_checkpoint(const std::filesystem::path& folder, torch::nn::Module& module,
                            AdamW& optimizer) {
  read_tensors(folder / "model.safetensors", module_tensors(module));
  read_tensors(folder / "optimizer.safetensors", optimizer_tensors(optimizer));
  const std::string where = (folder / "state.json").string();
  return json::parse(read_file(where), where);
}

std::vector<at::Tensor> checkpoint_tensors(const torch::nn::Module& module,
                                           const AdamW& optimizer) {
  std::vector<at::Tensor> tensors;
  for (const NamedTensor& each : module_tensors(module)) tensors.push_back(each.tensor);
  for (const NamedTensor& each : optimizer_tensors(optimizer)) tensors.push_back(each.tensor);
  return tensors;
}

}  // namespace cupel::nn
