// A small convolutional network for images: its weights as numbers, and what LibTorch does with
// them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/rng.h"
#include "base/run.h"

namespace cupel::nn {

/// Conv2D of stride 1 over a square, odd kernel, padded so that height and width stay; then ReLU;
/// then, where `pool`, the maximum of each 2 x 2.
struct ConvLayer {
  int64_t out = 0, in = 0, kernel = 3;
  bool pool = false;
  std::vector<float> weight;  // [out, in, kernel, kernel]
  std::vector<float> bias;    // [out]
};

/// Convolutions one behind the other, then a linear layer over all that is left.
struct ConvNet {
  int64_t channels = 1, height = 0, width = 0;  // of an image
  std::vector<ConvLayer> layers;
  int64_t classes = 0;
  std::vector<float> head_weight;  // [classes, features()], a feature's index is [channel, y, x]
  std::vector<float> head_bias;    // [classes]

  /// Places of one channel behind the last layer.
  int64_t places() const;
  int64_t features() const { return layers.back().out * places(); }
  int64_t parameters() const;
};

/// One layer of a new network.
struct ConvShape {
  int64_t out = 0, kernel = 3;
  bool pool = false;
};

/// Weights and biases uniform within ±1/sqrt(fan-in), as torch.nn.Conv2d and Linear draw them.
ConvNet make_conv_net(int64_t channels, int64_t height, int64_t width,
                      std::span<const ConvShape> shapes, int64_t classes, Rng rng);

/// Images as the network reads them.
struct ImageRows {
  std::span<const float> pixels;    // [count, channels, height, width]
  std::span<const int64_t> labels;  // [count], 0 … classes - 1
};

struct ConvFitConfig {
  double num_epochs = 8;
  int64_t micro_batch_size = 64;
  double learning_rate = 1e-3;  // peak; AdamW with cosine decay
  double temperature = 2;       // of both sides' answers, with a teacher
  double label_weight = 0.5;    // with a teacher; the rest is its answers
};

/// Trains `net` in place in fp32 on cross entropy, or on label_weight · cross entropy +
/// (1 − label_weight) · T² · KL(teacher ‖ net) at temperature T (Hinton et al. 2015).
/// Checkpoints, metrics and resuming as nn::fit() has them. Returns the loss at the end.
double fit_conv_net(ConvNet& net, const ConvNet* teacher, const ImageRows& rows,
                    const ConvFitConfig& config, Run& run);

/// Logits [count, classes] of images [count, channels, height, width].
std::vector<float> conv_net_logits(const ConvNet& net, std::span<const float> pixels, Run& run);

/// The two functions above, which need LibTorch.
struct ConvNetFunctions {
  decltype(&fit_conv_net) fit = nullptr;
  decltype(&conv_net_logits) logits = nullptr;
};

}  // namespace cupel::nn
