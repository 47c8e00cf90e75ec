#include "curate/mojibake.h"

#include <gtest/gtest.h>

#include "data/unicode.h"

namespace cupel::curate {
namespace {

TEST(Mojibake, OfUtf8ReadAsWindows1252IsCounted) {
  EXPECT_EQ(count_mojibake("CafÃ© dâ€™Ã©tÃ©"), 9);
  EXPECT_EQ(count_mojibake("Â© 2020, 20Â°C"), 4);
  EXPECT_EQ(count_mojibake("ä½ å¥½"), 3) << "the continuation byte A0 is a space here";
  EXPECT_EQ(count_mojibake("ÐŸÑ€Ð¸Ð²ÐµÑ‚"), 12);
  EXPECT_EQ(count_mojibake("ï»¿text ï¿½"), 6);
}

TEST(Mojibake, OfOtherWaysIsCounted) {
  EXPECT_EQ(count_mojibake("It‚Äôs"), 2);
  EXPECT_EQ(count_mojibake("ÄãºÃÊÀ½ç"), 8);
  EXPECT_EQ(count_mojibake("锟斤拷锟斤拷"), 6);
  EXPECT_EQ(count_mojibake("烫烫烫"), 3);
  EXPECT_EQ(count_mojibake("鐨勬椂鍊欙紝鏄"), 2);
}

TEST(Mojibake, IsNoneInWhatPeopleWrite) {
  for (const char* text :
       {"Café déjà vu, naïve œuvre – “quoted” … 50 €", "CAFÉ” JOSÉ’S AMANHÃ ESPAÑA ÎLE",
        "Größe, Maß: „Äpfel“; ÄÖÜ", "\xC2\xA0«\xC2\xA0à\xC2\xA0»\xC2\xA0", "££££££ ½ ° ± §§§§§",
        "水很烫，浣熊在屯里，涓涓细流。", "Þórður í Ísafirði", "Привет, мир — да", "Ελληνικά",
        "5 µg/m² ± 3 °C (n = 12)"}) {
    EXPECT_EQ(count_mojibake(text), 0) << text;
  }
}

}  // namespace
}  // namespace cupel::curate
