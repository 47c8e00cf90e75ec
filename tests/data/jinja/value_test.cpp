#include "data/jinja/value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/jinja.h"

namespace cupel::jinja {
namespace {

TEST(JinjaValue, EmptyThingsAreFalseAndNamedAsPythonNamesThem) {
  const std::string empty, full = "x";
  EXPECT_FALSE(is_true(Value::of(&empty)));
  EXPECT_TRUE(is_true(Value::of(&full)));
  EXPECT_FALSE(is_true(Value::of(0.0)));
  EXPECT_FALSE(is_true(Value::of_none()));
  EXPECT_FALSE(is_true(Value()));
  EXPECT_EQ(type_name(Value::of(true)), "bool");
  EXPECT_EQ(type_name(Value::of(&full)), "str");
  EXPECT_EQ(Value::of(true).as_number(), 1.0);
}

}  // namespace
}  // namespace cupel::jinja
