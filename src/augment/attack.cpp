#include "augment/attack.h"

#include <algorithm>
#include <cmath>

namespace cupel::augment {
namespace {

struct Batch {
  const Perturber& perturber;
  const Mlp& network;
  const float* x;
  const uint8_t* labels;
  int64_t rows;
  AttackSpace& space;
  int64_t size() const { return rows * network.width(); }
};

float uniform(Rng& rng, float low, float high) {
  return low + (high - low) * (static_cast<float>(rng.next_u32() >> 8) * 0x1p-24f);
}

void add_noise(const Batch& batch, const Noise& noise, Rng& rng, float* moved) {
  const std::vector<Feature>& features = batch.perturber.features();
  const int64_t width = batch.network.width();
  std::copy(batch.x, batch.x + batch.size(), moved);
  for (int64_t r = 0; r < batch.rows; ++r, moved += width) {
    for (std::size_t i = 0; i < features.size(); ++i) {
      const auto origin = static_cast<float>(-features[i].mean / features[i].deviation);
      const float share =
          uniform(rng, static_cast<float>(noise.low), static_cast<float>(noise.high));
      moved[i] += (rng.next_u32() & 1 ? share : -share) * (moved[i] - origin);
    }
  }
}

void start_anywhere(const Batch& batch, Rng& rng, float* moved) {
  const AttackSpace& space = batch.space;
  for (int64_t i = 0; i < batch.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    moved[i] = uniform(rng, space.low[at], space.high[at]);
  }
}

void clamp_to_box(const Batch& batch, float* moved) {
  const AttackSpace& space = batch.space;
  for (int64_t i = 0; i < batch.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    moved[i] = std::clamp(moved[i], space.low[at], space.high[at]);
  }
}

/// One step along the sign of the gradient, from `moved` and back into the box.
void step(const Batch& batch, bool away_from_itself, float size, float* moved) {
  AttackSpace& space = batch.space;
  batch.network.forward(moved, batch.rows, space.pass);
  for (int64_t r = 0; r < batch.rows; ++r) {
    const auto at = static_cast<std::size_t>(r);
    // d KL(p ‖ q) / d logit of q = q - p, whose sign is that of the difference of logits.
    const bool up =
        away_from_itself ? space.pass.logits[at] >= space.logits[at] : batch.labels[r] == 0;
    space.grad_logits[at] = up ? 1.0f : -1.0f;
  }
  batch.network.backward_to_input(space.grad_logits.data(), batch.rows, space.pass,
                                  space.grad_x.data());
  for (int64_t i = 0; i < batch.size(); ++i) {
    const float grad = space.grad_x[static_cast<std::size_t>(i)];
    moved[i] += grad > 0 ? size : grad < 0 ? -size : 0;
  }
  clamp_to_box(batch, moved);
}

void prepare(const Batch& batch) {
  AttackSpace& space = batch.space;
  const auto size = static_cast<std::size_t>(batch.size());
  for (std::vector<float>* buffer : {&space.low, &space.high, &space.grad_x})
    if (buffer->size() < size) buffer->resize(size);
  const auto rows = static_cast<std::size_t>(batch.rows);
  for (std::vector<float>* buffer : {&space.grad_logits, &space.logits})
    if (buffer->size() < rows) buffer->resize(rows);
  batch.perturber.box(batch.x, batch.rows, space.low.data(), space.high.data());
}

}  // namespace

std::vector<std::string> Noise::problems() const {
  if (low > high) return {"low is above high"};
  return {};
}

void attack(const AdversarialAugmentation& how, const Perturber& perturber, const Mlp& network,
            const float* x, const uint8_t* labels, int64_t rows, Rng& rng, AttackSpace& space,
            float* moved) {
  const Batch batch{perturber, network, x, labels, rows, space};
  prepare(batch);
  const auto epsilon = static_cast<float>(how.epsilon);
  const float small = 2.5f * epsilon / static_cast<float>(how.steps);
  switch (how.method) {
    case Method::noise:
      add_noise(batch, how.noise, rng, moved);
      clamp_to_box(batch, moved);
      break;
    case Method::fgsm:
      std::copy(x, x + batch.size(), moved);
      step(batch, false, epsilon, moved);
      break;
    case Method::fgsm_rs:
      start_anywhere(batch, rng, moved);
      step(batch, false, 1.25f * epsilon, moved);
      break;
    case Method::trades:
      network.forward(x, rows, space.pass);
      std::copy_n(space.pass.logits.begin(), rows, space.logits.begin());
      [[fallthrough]];
    case Method::pgd:
      start_anywhere(batch, rng, moved);
      for (int64_t i = 0; i < how.steps; ++i)
        step(batch, how.method == Method::trades, small, moved);
      break;
  }
  perturber.finish(x, rows, moved);
}

}  // namespace cupel::augment
