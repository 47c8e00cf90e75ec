#include "nn/distributed.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <map>

#include "support/errors.h"

namespace cupel::nn {
namespace {

using Variables = std::map<std::string, std::string>;

std::optional<Ranks> ranks_of_variables(const Variables& variables) {
  return ranks_of_environment([&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

const Variables kSecond{{"RANK", "1"},
                        {"WORLD_SIZE", "4"},
                        {"LOCAL_RANK", "1"},
                        {"MASTER_ADDR", "10.0.0.7"},
                        {"MASTER_PORT", "29500"}};

Variables with(Variables variables, const std::string& name, const std::string& value) {
  variables[name] = value;
  return variables;
}

TEST(Ranks, AreThoseOfTheStandardEnvironment) {
  const auto ranks = ranks_of_variables(kSecond);
  ASSERT_TRUE(ranks.has_value());
  EXPECT_EQ(ranks->rank, 1);
  EXPECT_EQ(ranks->size, 4);
  EXPECT_EQ(ranks->address, "10.0.0.7");
  EXPECT_EQ(ranks->port, 29500);
  EXPECT_FALSE(ranks->store_is_up);
}

TEST(Ranks, ThereAreNoneForAProcessThatIsAlone) {
  EXPECT_FALSE(ranks_of_variables({}));
  EXPECT_FALSE(ranks_of_variables({{"RANK", ""}, {"MASTER_PORT", "no number"}}));
  EXPECT_FALSE(ranks_of_variables({{"RANK", "0"}, {"WORLD_SIZE", "1"}}));
}

TEST(Ranks, OfTorchrunKnowItsMeetingPointAndItsRestarts) {
  Variables variables = with(kSecond, "TORCHELASTIC_USE_AGENT_STORE", "True");
  variables = with(variables, "TORCHELASTIC_RESTART_COUNT", "2");
  const auto ranks = ranks_of_variables(variables);
  EXPECT_TRUE(ranks->store_is_up);
  EXPECT_EQ(ranks->attempt, "2");
}

TEST(Ranks, AVariableThatIsMissingOrOutOfRangeIsNamed) {
  EXPECT_THAT(
      [] {
        ranks_of_variables({{"RANK", "0"}});
      },
      throws_exactly(ErrorKind::config,
                     "WORLD_SIZE: is not set, and RANK or WORLD_SIZE is; set RANK, "
                     "WORLD_SIZE, MASTER_ADDR and MASTER_PORT, or none of them"));
  EXPECT_THAT(
      [] {
        ranks_of_variables({{"RANK", "0"}, {"WORLD_SIZE", "2"}});
      },
      throws_error(ErrorKind::config, "MASTER_ADDR: is not set"));
  for (const char* rank : {"4", "-1", "one", "1 ", "99999999999"}) {
    EXPECT_THAT([&] { ranks_of_variables(with(kSecond, "RANK", rank)); },
                throws_error(ErrorKind::config, "RANK: must be a whole number from 0 to 3, not "))
        << rank;
  }
  EXPECT_THAT([] { ranks_of_variables(with(kSecond, "MASTER_PORT", "65536")); },
              throws_error(ErrorKind::config, "MASTER_PORT: must be"));
  EXPECT_THAT([] { ranks_of_variables(with(kSecond, "LOCAL_RANK", "x")); },
              throws_error(ErrorKind::config, "LOCAL_RANK: must be"));
}

TEST(Listener, IsBoundToAPortThatIsFree) {
  const Listener a = listen_on_loopback(), b = listen_on_loopback();
  EXPECT_GT(a.port, 0);
  EXPECT_NE(a.port, b.port);
  ::close(a.socket);
  ::close(b.socket);
}

}  // namespace
}  // namespace cupel::nn
