#include "data/card_transactions.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/rng.h"

namespace cupel {
namespace {

constexpr int64_t kDay = 86400;  // seconds
constexpr std::array<int64_t, 3> kWindows = {1, 7, 30};
constexpr int64_t kDelay = 7;  // days until a fraud is known
constexpr std::size_t kFeatures = kCardFeatures.size();

struct Place {
  double x, y;
};

std::vector<Place> places(int64_t count, Rng rng) {
  std::vector<Place> out(static_cast<std::size_t>(count));
  for (Place& place : out) {
    place.x = 100 * rng.uniform();
    place.y = 100 * rng.uniform();
  }
  return out;
}

std::vector<int32_t> terminals_near(const Place& customer, const std::vector<Place>& terminals,
                                    double radius) {
  std::vector<int32_t> near;
  for (std::size_t i = 0; i < terminals.size(); ++i) {
    const double x = terminals[i].x - customer.x, y = terminals[i].y - customer.y;
    if (x * x + y * y < radius * radius) near.push_back(static_cast<int32_t>(i));
  }
  return near;
}

/// Knuth's product of uniforms; `limit` is e^-mean.
int poisson(Rng& rng, double limit) {
  int count = 0;
  for (double product = rng.uniform(); product > limit; product *= rng.uniform()) ++count;
  return count;
}

/// Rounded to the cent, so that an ulp of libm's decides nothing.
int64_t draw_cents(Rng& rng, double mean) {
  const double amount = mean + mean / 2 * rng.normal();
  return std::llround(100 * (amount < 0 ? 2 * mean * rng.uniform() : amount));
}

/// One customer's payments, day by day: further days leave those before as they were.
std::vector<CardTransaction> payments(int32_t customer, const std::vector<int32_t>& terminals,
                                      int64_t days, Rng rng) {
  std::vector<CardTransaction> out;
  const double mean = 5 + 95 * rng.uniform();
  const double limit = std::exp(-4 * rng.uniform());
  for (int64_t day = 0; day < days; ++day) {
    for (int left = poisson(rng, limit); left > 0; --left) {
      const int64_t second = std::llround(43200 + 20000 * rng.normal());
      const int64_t cents = draw_cents(rng, mean);
      const uint64_t terminal = rng.below(terminals.size());
      if (second <= 0 || second >= kDay) continue;  // falls outside the day: not made
      out.push_back({.second = day * kDay + second,
                     .customer = customer,
                     .terminal = terminals[terminal],
                     .cents = cents});
    }
  }
  return out;
}

/// For each of `owners` the indices of its transactions, in order of time.
std::vector<std::vector<int64_t>> grouped(const std::vector<CardTransaction>& transactions,
                                          int32_t CardTransaction::*owner) {
  std::vector<std::vector<int64_t>> groups;
  for (std::size_t i = 0; i < transactions.size(); ++i) {
    const auto at = static_cast<std::size_t>(transactions[i].*owner);
    if (at >= groups.size()) groups.resize(at + 1);
    groups[at].push_back(static_cast<int64_t>(i));
  }
  return groups;
}

class Frauds {
 public:
  Frauds(std::vector<CardTransaction>& transactions, const CardSimulation& settings)
      : transactions_(transactions),
        of_terminal_(grouped(transactions, &CardTransaction::terminal)),
        of_customer_(grouped(transactions, &CardTransaction::customer)) {
    of_terminal_.resize(static_cast<std::size_t>(settings.terminals));
    of_customer_.resize(static_cast<std::size_t>(settings.customers));
  }

  void high_amounts() {
    for (CardTransaction& transaction : transactions_) {
      if (transaction.cents > 22000) transaction.scenario = 1;
    }
  }
  void compromised_terminal(int64_t day, Rng& rng) {
    for (const int64_t i : within(of_terminal_[rng.below(of_terminal_.size())], day, 28))
      at(i).scenario = 2;
  }
  void stolen_card(int64_t day, Rng& rng) {
    std::vector<int64_t> theirs = within(of_customer_[rng.below(of_customer_.size())], day, 14);
    rng.shuffle(theirs);
    theirs.resize(theirs.size() / 3);
    for (const int64_t i : theirs) {
      at(i).cents *= 5;
      at(i).scenario = 3;
    }
  }

 private:
  CardTransaction& at(int64_t i) { return transactions_[static_cast<std::size_t>(i)]; }

  std::vector<int64_t> within(const std::vector<int64_t>& group, int64_t day, int64_t days) {
    const auto from = [&](int64_t first) {
      return std::ranges::lower_bound(group, first, {}, [&](int64_t i) { return at(i).day(); });
    };
    return {from(day), from(day + days)};
  }

  std::vector<CardTransaction>& transactions_;
  std::vector<std::vector<int64_t>> of_terminal_, of_customer_;
};

/// Running sums over a window (t - length, t] of one owner's transactions; exact, for they are
/// integers.
struct Window {
  int64_t length;  // seconds
  std::size_t first = 0, end = 0;
  int64_t count = 0, cents = 0, frauds = 0;

  void move(const std::vector<CardTransaction>& all, const std::vector<int64_t>& group,
            int64_t to) {
    const auto count_in = [&](std::size_t i, int64_t sign) {
      const CardTransaction& one = all[static_cast<std::size_t>(group[i])];
      count += sign;
      cents += sign * one.cents;
      frauds += sign * (one.scenario != 0);
    };
    const auto second = [&](std::size_t i) {
      return all[static_cast<std::size_t>(group[i])].second;
    };
    for (; end < group.size() && second(end) <= to; ++end) count_in(end, 1);
    for (; first < end && second(first) <= to - length; ++first) count_in(first, -1);
  }
};

std::array<Window, kWindows.size()> windows() {
  std::array<Window, kWindows.size()> out{};
  for (std::size_t w = 0; w < out.size(); ++w) out[w].length = kWindows[w] * kDay;
  return out;
}

float ratio(int64_t part, int64_t whole, double unit) {
  if (whole == 0) return 0;
  return static_cast<float>(static_cast<double>(part) / (unit * static_cast<double>(whole)));
}

/// Calls fill(row of features, windows) for every transaction, grouped by `owner`, its windows
/// ending `delay` seconds before it.
template <class Fill>
void add_windows(const std::vector<CardTransaction>& all, int32_t CardTransaction::*owner,
                 int64_t delay, std::vector<float>& features, const Fill& fill) {
  for (const std::vector<int64_t>& group : grouped(all, owner)) {
    auto moving = windows();
    for (const int64_t i : group) {
      const int64_t to = all[static_cast<std::size_t>(i)].second - delay;
      float* row = features.data() + static_cast<std::size_t>(i) * kFeatures;
      for (std::size_t w = 0; w < moving.size(); ++w) {
        moving[w].move(all, group, to);
        fill(row + 2 * w, moving[w]);
      }
    }
  }
}

}  // namespace

std::vector<CardTransaction> simulate_card_transactions(const CardSimulation& settings,
                                                        uint64_t seed, ThreadPool& pool) {
  CUPEL_ASSERT(settings.customers > 0 && settings.terminals > 0 && settings.days > 0);
  const std::vector<Place> terminals = places(settings.terminals, Rng(seed, "card terminals"));
  const std::vector<Place> customers = places(settings.customers, Rng(seed, "card customers"));
  std::vector<std::vector<CardTransaction>> parts(customers.size());
  pool.parallel_for(settings.customers, 16, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      const auto near = terminals_near(customers[i], terminals, settings.radius);
      if (near.empty()) continue;
      parts[i] =
          payments(static_cast<int32_t>(i), near, settings.days, Rng(seed, "card payments", i));
    }
  });
  std::vector<CardTransaction> transactions;
  for (const auto& part : parts) transactions.insert(transactions.end(), part.begin(), part.end());
  std::ranges::stable_sort(transactions, {}, &CardTransaction::second);

  Frauds frauds(transactions, settings);
  frauds.high_amounts();
  for (int64_t day = 0; day < settings.days; ++day) {
    Rng rng(seed, "card frauds", static_cast<uint64_t>(day));
    for (int i = 0; i < 2; ++i) frauds.compromised_terminal(day, rng);
    for (int i = 0; i < 3; ++i) frauds.stolen_card(day, rng);
  }
  return transactions;
}

std::vector<float> card_features(const std::vector<CardTransaction>& transactions) {
  CUPEL_ASSERT(std::ranges::is_sorted(transactions, {}, &CardTransaction::second));
  std::vector<float> features(transactions.size() * kFeatures);
  for (std::size_t i = 0; i < transactions.size(); ++i) {
    float* row = features.data() + i * kFeatures;
    const int64_t weekday = transactions[i].day() % 7;
    row[0] = ratio(transactions[i].cents, 1, 100);
    row[1] = weekday == 0 || weekday == 6 ? 1 : 0;
    row[2] = transactions[i].second % kDay < kDay * 7 / 24 ? 1 : 0;
  }
  add_windows(transactions, &CardTransaction::customer, 0, features,
              [](float* out, const Window& window) {
                out[3] = static_cast<float>(window.count);
                out[4] = ratio(window.cents, window.count, 100);
              });
  add_windows(transactions, &CardTransaction::terminal, kDelay * kDay, features,
              [](float* out, const Window& window) {
                out[9] = static_cast<float>(window.count);
                out[10] = ratio(window.frauds, window.count, 1);
              });
  return features;
}

}  // namespace cupel
