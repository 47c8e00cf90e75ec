#include "data/tokenizer/byte_alphabet.h"

#include <gtest/gtest.h>

namespace cupel {
namespace {

TEST(ByteAlphabet, TheAlphabetSpellsEveryByteAndBack) {
  std::string all, out = "untouched";
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  EXPECT_TRUE(alphabet_to_bytes(bytes_to_alphabet(all), out));
  EXPECT_EQ(out, all);
  EXPECT_EQ(bytes_to_alphabet(" a\n!"), "Ġa\u010a!");
  for (const char* text : {" ", "\n", "aé中", "\u0144", "\U0001F600", "\xff", "\u00ad"}) {
    out = "untouched";
    EXPECT_FALSE(alphabet_to_bytes(text, out)) << text;
    EXPECT_EQ(out, "untouched");
  }
  EXPECT_TRUE(alphabet_to_bytes("", out));
  EXPECT_EQ(out, "");
}

TEST(ByteAlphabet, AByteTokenSpellsItsByteInTwoDigits) {
  for (int byte = 0; byte < 256; ++byte)
    EXPECT_EQ(byte_of_token(token_of_byte(static_cast<char>(byte))), static_cast<char>(byte));
  EXPECT_EQ(token_of_byte('\n'), "<0x0A>");
  EXPECT_EQ(byte_of_token("<0xe4>"), '\xe4');
  EXPECT_EQ(byte_of_token("<0x+A>"), '\n') << "a sign, as the reference implementation takes it";
  for (const char* text :
       {"<0x-1>", "<0x1>", "<0x001>", "<0xGG>", "<0x 1>", "<0x1 >", "<0x++>", "0x0A", ""})
    EXPECT_EQ(byte_of_token(text), std::nullopt) << text;
}

}  // namespace
}  // namespace cupel
