#include "nn/encoder_precision.h"

#include <gtest/gtest.h>

#include "nn/device.h"
#include "nn/packed_linear.h"

namespace cupel::nn {
namespace {

TEST(EncoderPrecision, WhatIsAskedForByNameIsTakenAndMixedIsResolved) {
  for (const auto asked : {EncoderPrecision::fp32, EncoderPrecision::bf16, EncoderPrecision::fp16,
                           EncoderPrecision::int8, EncoderPrecision::w4a8})
    EXPECT_EQ(resolve_encoder_precision(asked).compute, asked);
  const EncoderPrecisionReport mixed = resolve_encoder_precision(EncoderPrecision::mixed);
  EXPECT_EQ(mixed.requested, EncoderPrecision::mixed);
  EXPECT_NE(mixed.compute, EncoderPrecision::mixed);
  EXPECT_FALSE(mixed.reason.empty());
}

TEST(EncoderPrecision, SaysWhatProductsRead) {
  const NumberFormat exact = format_of(EncoderPrecision::fp32, 32);
  EXPECT_EQ(exact.element, Element::f32);
  EXPECT_EQ(exact.linear, LinearFormat::element);
  EXPECT_EQ(format_of(EncoderPrecision::int8, 32).linear, LinearFormat::int8);
  const NumberFormat coded = format_of(EncoderPrecision::w4a8, 64);
  EXPECT_EQ(coded.linear, LinearFormat::cb4);
  EXPECT_EQ(coded.group, 64);
  EXPECT_EQ(coded.element, has_bf16_units() ? Element::bf16 : Element::f32);
}

}  // namespace
}  // namespace cupel::nn
