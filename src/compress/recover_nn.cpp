#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/parallel.h"
#include "compress/recover.h"
#include "data/cb4.h"
#include "data/gguf_types.h"
#include "kernels/kernels.h"
#include "nn/classifier_files_nn.h"
#include "nn/device.h"
#include "nn/device_nn.h"
#include "nn/distillation_nn.h"
#include "nn/fit.h"
#include "nn/memory_nn.h"

namespace cupel::compress {
namespace {

/// `seen` in the pass, a gradient for `x` on the way back as if it had been x.
struct StraightThrough : torch::autograd::Function<StraightThrough> {
  static at::Tensor forward(torch::autograd::AutogradContext*, const at::Tensor&,
                            const at::Tensor& seen) {
    return seen;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext*,
                                                 const torch::autograd::variable_list& grads) {
    return {grads[0], at::Tensor()};
  }
};

/// Rows of activations as 8-bit integers and their scales, and back.
at::Tensor as_eight_bits(const at::Tensor& x, int64_t group) {
  const at::Tensor wide = x.detach().to(at::kFloat).contiguous();
  const int64_t rows = wide.size(0), cols = wide.size(1);
  at::Tensor seen = at::empty_like(wide);
  at::parallel_for(0, rows, 16, [&](int64_t begin, int64_t end) {
    std::vector<int8_t> integers(static_cast<std::size_t>(cols));
    std::vector<float> scales(static_cast<std::size_t>(cols / group));
    std::vector<int32_t> offsets(static_cast<std::size_t>(cols / group));
    for (int64_t row = begin; row < end; ++row) {
      kernels().quantize_signed(wide.const_data_ptr<float>() + row * cols, cols, integers.data(),
                                cols, scales.data(), offsets.data(), group, 1, cols);
      float* to = seen.mutable_data_ptr<float>() + row * cols;
      for (int64_t i = 0; i < cols; ++i)
        to[i] = static_cast<float>(integers[static_cast<std::size_t>(i)]) *
                scales[static_cast<std::size_t>(i / group)];
    }
  });
  return StraightThrough::apply(x, seen.to(x.scalar_type()));
}

/// A student whose products may see codes. What the groups' scales are is part of its checkpoints.
class Student : public torch::nn::Module {
 public:
  Student(const nn::ClassifierModel& model, int64_t group, ThreadPool& pool)
      : classifier(
            register_module("classifier", std::make_shared<nn::BertClassifier>(model.config))),
        group_(group),
        pool_(pool) {
    at::NoGradGuard no_grad;
    for (auto& item : classifier->named_parameters()) {
      const std::vector<float>& values = model.at(item.key());
      std::memcpy(item.value().mutable_data_ptr<float>(), values.data(),
                  values.size() * sizeof(float));
    }
    for (const auto& layer : classifier->layers())
      for (nn::BertLinear* linear : layer->linears()) linears_.push_back(linear);
    for (std::size_t i = 0; i < linears_.size(); ++i) {
      const at::Tensor& weight = linears_[i]->weight;
      scales_.push_back(register_buffer(
          "scales_" + std::to_string(i),
          at::zeros({weight.size(0), std::max<int64_t>(1, weight.size(1) / group)}, at::kLong)));
    }
  }

  /// What products see: of a weight that hovers between two codes, the one it was last seen as.
  void store(nn::ClassifierModel& model) {
    at::NoGradGuard no_grad;
    for (nn::BertLinear* linear : linears_)
      if (linear->see_weight) linear->weight.copy_(linear->see_weight(linear->weight));
    for (const auto& item : classifier->named_parameters()) {
      std::vector<float>& values = model.at(item.key());
      std::memcpy(values.data(), item.value().const_data_ptr<float>(),
                  values.size() * sizeof(float));
    }
  }

  void see_codes() {
    for (std::size_t i = 0; i < linears_.size(); ++i) {
      linears_[i]->see_weight = [this, i](const at::Tensor& weight) { return decoded(weight, i); };
      linears_[i]->see_input = [this](const at::Tensor& x) { return as_eight_bits(x, group_); };
    }
  }

  void search_scales() {
    for (std::size_t i = 0; i < linears_.size(); ++i) {
      const at::Tensor weight = linears_[i]->weight.detach();
      each_row(weight, [&](int64_t row, const float* values, cb4::ScaleSearch& search) {
        int64_t* scales = scales_[i].mutable_data_ptr<int64_t>() + row * scales_[i].size(1);
        for (int64_t at = 0; at < weight.size(1); at += group_)
          *scales++ = static_cast<int64_t>(search.best(values + at, nullptr, group_));
      });
    }
  }

  const std::shared_ptr<nn::BertClassifier> classifier;

 private:
  template <class Body>
  void each_row(const at::Tensor& weight, const Body& body) {
    const int64_t cols = weight.size(1);
    pool_.parallel_for(weight.size(0), 32, [&](int64_t begin, int64_t end) {
      cb4::ScaleSearch search;
      for (int64_t row = begin; row < end; ++row)
        body(row, weight.const_data_ptr<float>() + row * cols, search);
    });
  }

  /// Each weight as its nearest code under the scales in use.
  at::Tensor decoded(const at::Tensor& weight, std::size_t index) {
    const at::Tensor now = weight.detach();
    at::Tensor seen = at::empty_like(now);
    const int64_t cols = now.size(1);
    each_row(now, [&](int64_t row, const float* values, cb4::ScaleSearch&) {
      const int64_t* scales =
          scales_[index].const_data_ptr<int64_t>() + row * scales_[index].size(1);
      std::vector<std::byte> blocks(static_cast<std::size_t>(cb4::row_bytes(cols)));
      for (int64_t at = 0; at < cols; at += group_, ++scales)
        cb4::encode(values + at, group_, static_cast<uint16_t>(*scales),
                    blocks.data() + cb4::row_bytes(at));
      dequantise(GgufType::iq4_nl, blocks.data(), cols,
                 seen.mutable_data_ptr<float>() + row * cols);
    });
    return StraightThrough::apply(weight, seen);
  }

  int64_t group_;
  ThreadPool& pool_;
  std::vector<nn::BertLinear*> linears_;
  std::vector<at::Tensor> scales_;  // bits of binary16, [out, groups]
};

/// Mean over a text's tokens and the layers of the mean squared difference, summed over texts.
at::Tensor feature_loss(const std::vector<at::Tensor>& student,
                        const std::vector<at::Tensor>& teacher, const nn::Batch& batch) {
  const int64_t length = batch.inputs.size(1);
  const at::Tensor lengths = batch.lengths.to(at::kFloat).unsqueeze(1);
  const at::Tensor inside = at::arange(length, at::kFloat).unsqueeze(0).lt(lengths);
  const at::Tensor weights = (inside.to(at::kFloat) / lengths).reshape({-1});
  at::Tensor sum = at::zeros({}, at::kFloat);
  for (std::size_t i = 0; i < student.size(); ++i)
    sum = sum + ((student[i] - teacher[i]).square().mean(1) * weights).sum();
  return sum / static_cast<double>(student.size());
}

class Lesson {
 public:
  Lesson(const RecoverTask& task, Student& student, at::ScalarType storage)
      : config_(task.config), student_(student), teacher_(nn::load_classifier(task.teacher)) {
    options_.storage = storage;
    for (at::Tensor& parameter : teacher_->parameters()) parameter.set_requires_grad(false);
  }

  const nn::ClassifierConfig& teacher() const { return teacher_->config(); }

  at::Tensor loss(const nn::Batch& batch) {
    std::vector<at::Tensor> taught, learned;
    at::Tensor answers;
    {
      at::NoGradGuard no_grad;
      answers = teacher_->logits(batch, options_, &taught);
    }
    const at::Tensor logits = student_.classifier->logits(batch, options_, &learned);
    const at::Tensor labels = at::cross_entropy_loss(logits, batch.labels, {}, at::Reduction::Sum);
    const at::Tensor apart = nn::distillation_loss(answers, logits, config_.temperature);
    return config_.label_weight * labels + (1 - config_.label_weight) * apart +
           config_.feature_weight * feature_loss(learned, taught, batch);
  }

 private:
  const RecoverConfig& config_;
  Student& student_;
  std::shared_ptr<nn::BertClassifier> teacher_;
  nn::BertOptions options_;
};

void require_alike(const nn::ClassifierConfig& teacher, const nn::ClassifierConfig& student,
                   const std::filesystem::path& where) {
  const nn::EncoderConfig &t = teacher.encoder, &s = student.encoder;
  if (teacher.labels == student.labels && t.vocab_size == s.vocab_size &&
      t.hidden_size == s.hidden_size && t.num_hidden_layers == s.num_hidden_layers &&
      t.max_position_embeddings >= s.max_position_embeddings)
    return;
  fail(ErrorKind::config, where.string(),
       "as a teacher it differs from the model in classes, vocabulary, width or layers",
       "leave recover.teacher out: the model given teaches then");
}

nn::FitConfig fit_config(const RecoverTask& task) {
  nn::FitConfig config;
  config.micro_batch_size = task.config.micro_batch_size;
  config.max_steps = task.steps;
  config.learning_rate = task.config.learning_rate;
  config.min_lr_ratio = 0.05;
  config.adam_beta2 = 0.999;
  config.weight_decay = 0.01;
  return config;
}

}  // namespace

double recover_classifier(nn::ClassifierModel& student, const RecoverTask& task, Run& run) {
  const auto section = run.section("recover");
  nn::count_tensor_bytes();
  nn::keep_freed_memory();
  nn::use_threads(run.threads());
  const nn::FitConfig config = fit_config(task);
  const nn::Precision compute =
      nn::resolve_precision(nn::Precision::mixed, nn::has_fp16_units(), nn::has_bf16_units())
          .compute;
  Student module(student, task.group_size, run.pool());
  Lesson lesson(task, module, compute == nn::Precision::bf16 ? at::kBFloat16 : at::kFloat);
  require_alike(lesson.teacher(), student.config, task.teacher);
  nn::FitModel model;
  model.module = &module;
  model.compute = compute;
  model.loss = [&](const nn::Batch& batch) { return lesson.loss(batch); };
  model.begin_micro_batch = [&](int64_t step) {
    if (step < task.qat_from) return;
    // Also where a run goes on in the middle.
    module.see_codes();
    if ((step - task.qat_from) % kScaleSteps == 0) module.search_scales();
  };
  nn::RowOrder order(task.rows, config.micro_batch_size, run, "compress.datasets");
  nn::FitData data;
  data.micro_batches_per_epoch = order.batches_per_epoch();
  data.micro_batch = [&](int64_t index) {
    return nn::labelled_batch(order.batch(index), student.config.pad_token_id);
  };
  const nn::FitReport report = nn::fit(config, {}, model, data, {}, run);
  // A run that resumes behind its last step has begun none.
  if (task.qat_from < task.steps) module.see_codes();
  module.store(student);
  return report.train_loss;
}

}  // namespace cupel::compress
