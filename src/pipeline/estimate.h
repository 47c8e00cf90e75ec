// How long a training run may take: its floating-point operations over the speed of this machine.
#pragma once

#include "base/parallel.h"
#include "kernels/kernels.h"
#include "nn/encoder_config.h"
#include "nn/llm/config.h"
#include "train/plan.h"

namespace cupel::pipeline {

/// Floating-point operations of all steps: for each token 6 for a weight that takes part in a
/// product (2 forward, 4 backward; 2 backward where it is frozen), and causal attention's two
/// products, forward and backward; a third more where activations are computed again. Left out:
/// everything elementwise, validation, samples.
double training_flops(const train::Config& config, const llm::ModelConfig& model,
                      const train::Plan& plan);

/// The same of a classifier whose rows are padded to at most `length` tokens, `tokens` in all.
double training_flops(const train::Config& config, const nn::EncoderConfig& encoder, int64_t length,
                      double tokens);

/// Operations a second of the kernel row's matrix product, on every thread of the pool at once, on
/// matrices as wide as the model; measured for a tenth of a second, so never twice the same.
double measured_rate(Element type, int64_t width, ThreadPool& pool);

/// The products at their rate, and everything else (norms, softmax, routing, optimizer), which
/// takes about as long again as the products would in fp32: measured on recipes/quickstart.yaml,
/// where it came within about 10 % in fp32 and in bf16. Elsewhere good to a factor of about two.
double training_seconds(double flops, double rate, double fp32_rate);

}  // namespace cupel::pipeline
