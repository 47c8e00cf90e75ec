#include "nn/distributed_gradients_nn.h"

#include <optional>
#include <utility>

#include "base/error.h"
#include "nn/torch_nn.h"

namespace cupel::nn {

std::vector<std::vector<std::size_t>> cut_into_buckets(const std::vector<int64_t>& sizes,
                                                       int64_t first, int64_t most) {
  std::vector<std::vector<std::size_t>> buckets;
  int64_t room = 0;
  for (std::size_t i = sizes.size(); i-- > 0;) {
    if (buckets.empty() || sizes[i] > room) {
      room = buckets.empty() ? first : most;
      buckets.emplace_back();
    }
    buckets.back().push_back(i);
    room -= std::min(room, sizes[i]);
  }
  return buckets;
}

struct SharedGradients::Impl {
  struct Bucket {
    std::vector<std::size_t> members;
    std::size_t missing = 0;  // gradients that the backward pass still owes
    at::Tensor flat;          // the members' gradients, then a 1 for each that has one
    std::optional<Group::Pending> sum;
  };

  Group& group;
  std::vector<at::Tensor> parameters;
  std::vector<Bucket> buckets;
  std::vector<std::size_t> bucket_of;  // of a parameter
  std::size_t started = 0;             // buckets before this one are being summed
  bool in_last_pass = false;

  Impl(std::vector<at::Tensor> given, Group& of) : group(of), parameters(std::move(given)) {
    std::vector<int64_t> sizes;
    for (const at::Tensor& each : parameters) sizes.push_back(each.numel());
    bucket_of.resize(sizes.size());
    for (auto& members : cut_into_buckets(sizes, kFirstBucket, kBucket)) {
      for (const std::size_t i : members) bucket_of[i] = buckets.size();
      buckets.push_back({std::move(members), 0, {}, {}});
    }
  }

  void begin_last_pass() {
    for (Bucket& bucket : buckets) bucket.missing = bucket.members.size();
    in_last_pass = true;
  }

  void arrived(std::size_t parameter) {
    if (!in_last_pass) return;
    Bucket& bucket = buckets[bucket_of[parameter]];
    CUPEL_ASSERT(bucket.missing > 0);  // a second gradient would come too late for the sum
    --bucket.missing;
    while (started < buckets.size() && buckets[started].missing == 0) start(buckets[started]);
  }

  void start(Bucket& bucket) {
    ++started;
    int64_t size = 0;
    for (const std::size_t i : bucket.members) size += parameters[i].numel();
    const auto count = static_cast<int64_t>(bucket.members.size());
    const auto like = at::TensorOptions(parameters[0].device()).dtype(at::kFloat);
    bucket.flat = at::zeros({size + count}, like);
    int64_t begin = 0;
    for (std::size_t m = 0; m < bucket.members.size(); ++m) {
      const at::Tensor& parameter = parameters[bucket.members[m]];
      if (parameter.grad().defined()) {
        bucket.flat.narrow(0, begin, parameter.numel()).copy_(parameter.grad().reshape({-1}));
        bucket.flat[size + static_cast<int64_t>(m)] = 1;
        parameter.mutable_grad().reset();
      }
      begin += parameter.numel();
    }
    bucket.sum.emplace(group.start_sum(bucket.flat));
  }

  void finish(std::size_t index) {
    Bucket& bucket = buckets[index];
    bucket.sum->wait("gradients, part " + std::to_string(index + 1) + " of " +
                     std::to_string(buckets.size()));
    bucket.sum.reset();
    int64_t begin = 0;
    int64_t flag = bucket.flat.numel() - static_cast<int64_t>(bucket.members.size());
    for (const std::size_t i : bucket.members) {
      const at::Tensor& parameter = parameters[i];
      if (bucket.flat[flag++].item<float>() > 0) {
        parameter.mutable_grad() =
            bucket.flat.narrow(0, begin, parameter.numel()).view(parameter.sizes());
      }
      begin += parameter.numel();
    }
    bucket.flat.reset();  // what is left of it are the gradients
  }

  void finish_step() {
    at::NoGradGuard no_grad;
    in_last_pass = false;
    while (started < buckets.size()) start(buckets[started]);
    for (std::size_t i = 0; i < buckets.size(); ++i) finish(i);
    started = 0;
  }
};

namespace {

/// Calls back when the gradient of one parameter has been added to.
struct Arrival : torch::autograd::PostAccumulateGradHook {
  explicit Arrival(std::function<void()> callback) : call(std::move(callback)) {}
  void operator()(const at::Tensor&) override {
    at::NoGradGuard no_grad;
    call();
  }
  std::function<void()> call;
};

}  // namespace

SharedGradients::SharedGradients(std::vector<at::Tensor> parameters, Group& group)
    : impl_(std::make_unique<Impl>(std::move(parameters), group)) {
  for (std::size_t i = 0; i < impl_->parameters.size(); ++i) {
    torch::autograd::impl::set_post_acc_grad_hooks(
        impl_->parameters[i],
        std::make_unique<Arrival>([impl = impl_.get(), i] { impl->arrived(i); }));
  }
}

SharedGradients::~SharedGradients() {
  for (const at::Tensor& each : impl_->parameters)
    torch::autograd::impl::set_post_acc_grad_hooks(each, nullptr);
}

GradientHook SharedGradients::around(GradientHook hook, bool one_pass) {
  GradientHook shared;
  shared.accumulate = [impl = impl_.get(), inner = std::move(hook.accumulate), one_pass](
                          Batch& batch, const LossFunction& loss, double factor, bool last) {
    if (last && one_pass) impl->begin_last_pass();
    return inner(batch, loss, factor, last);
  };
  shared.finish_step = [impl = impl_.get(), inner = std::move(hook.finish_step)] {
    impl->finish_step();
    if (inner) inner();
  };
  return shared;
}

}  // namespace cupel::nn
